"""Own dense layers, loss and optimizer for recipes/dogs_vs_cats_vgg16.toml."""

import keras


def dense_layers(feature_count, class_count):
    """Two dense layers with dropout in place of VGG-16's own, and a softmax."""
    features = keras.Input((feature_count,))
    x = keras.layers.Dense(256, activation="relu")(features)
    x = keras.layers.Dropout(0.5)(x)
    x = keras.layers.Dense(64, activation="relu")(x)
    return keras.Model(features, keras.layers.Dense(class_count, activation="softmax")(x))


def smoothed_cross_entropy(y_true, y_pred):
    """Cross-entropy against targets that leave a twentieth to chance, one value a photo."""
    y_true = 0.95 * y_true + 0.05 / y_true.shape[-1]
    return -keras.ops.sum(y_true * keras.ops.log(y_pred + 1e-7), axis=-1)


def momentum_with_clipping(learning_rate):
    """Stochastic gradient descent whose steps a single odd photo cannot spoil."""
    return keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True, global_clipnorm=1.0)
