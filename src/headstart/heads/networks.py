"""Heads as Keras models: the fitted linear one, a multi-layer one, and the user's own."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from headstart.errors import ArgumentError
from headstart.heads.linear import LinearHead
from headstart.imports import load_function

if TYPE_CHECKING:
    import keras


def build_linear(head: LinearHead) -> "keras.Model":
    """Returns a linear head as a Keras model: (D,) in, probabilities out."""
    import keras

    inputs = keras.Input((head.kernel.shape[0],), name="features")
    layer = keras.layers.Dense(
        head.kernel.shape[1], activation=head.activation, name="probabilities"
    )
    model = keras.Model(inputs, layer(inputs), name="head")
    layer.set_weights([head.kernel, head.bias])
    return model


def build_mlp(
    feature_count: int, units: tuple[int, ...], *, dropout: float, units_out: int
) -> "keras.Model":
    """Returns a head with fresh weights: (D,) in, probabilities (K,) out, or (1,) for a sigmoid.

    Args:
        feature_count: D.
        units: of each hidden layer, all with ReLU; none for a single dense layer.
        dropout: fraction dropped after each hidden layer, in [0, 1).
        units_out: K for a softmax, 1 for a sigmoid.
    """
    import keras

    inputs = keras.Input((feature_count,), name="features")
    outputs = inputs
    for number, width in enumerate(units, 1):
        outputs = keras.layers.Dense(width, activation="relu", name=f"hidden_{number}")(outputs)
        if dropout:
            outputs = keras.layers.Dropout(dropout, name=f"dropout_{number}")(outputs)
    activation = "softmax" if units_out > 1 else "sigmoid"
    outputs = keras.layers.Dense(units_out, activation=activation, name="probabilities")(outputs)
    return keras.Model(inputs, outputs, name="head")


def build_own(function: str, *, feature_count: int, class_count: int) -> "keras.Model":
    """Calls the user's `function(feature_count, class_count)` and checks what it returns.

    Args:
        function: `module:function` or `file.py:function`, returning a Keras model of standard
            layers from (D,) features to (K,) probabilities, or to (1,) for two classes.
        feature_count: D.
        class_count: K.

    Raises:
        ArgumentError: when it cannot be imported or its model does not fit.
    """
    build, _source = load_function("head", function)
    model = build(feature_count, class_count)
    expected = [(None, class_count)] + ([(None, 1)] if class_count == 2 else [])
    shape = tuple(getattr(model, "output_shape", ()))
    if shape not in expected:
        raise ArgumentError(
            f"head={function!r} returned {type(model).__name__} with output shape {shape}; "
            f"expected a Keras model with output shape {' or '.join(map(str, expected))}."
        )
    foreign = [
        layer.name for layer in model.layers if not type(layer).__module__.startswith("keras.")
    ]
    if foreign:
        raise ArgumentError(
            f"head={function!r} has layers that plain Keras cannot load: {', '.join(foreign)}. "
            "Use Keras' own layers, so that model.keras opens everywhere."
        )
    return model


def fold_standardisation(
    head: "keras.Model", mean: NDArray[np.float32], deviation: NDArray[np.float32]
) -> None:
    """Lets a head trained on standardised features take them raw: changes its first Dense."""
    import keras

    first = next(layer for layer in head.layers if isinstance(layer, keras.layers.Dense))
    kernel, bias = first.get_weights()
    folded = kernel / deviation[:, None]
    first.set_weights([folded, bias - mean @ folded])


def fold_temperature(model: "keras.Model", temperature: float) -> bool:
    """Divides a classifier's logits by a temperature, inside its last Dense layer.

    Args:
        model: any network; only its last layers are looked at.
        temperature: above 0.

    Returns:
        Whether it could be done: the network ends in a Dense layer with a softmax or sigmoid, its
        own or that of a layer behind it.

    Example:
        >>> import keras
        >>> inputs = keras.Input((2,))
        >>> head = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
        >>> fold_temperature(head, 2.0)
        True
    """
    dense = _last_dense(model)
    if dense is None:
        return False
    dense.set_weights([np.asarray(weights) / temperature for weights in dense.get_weights()])
    return True


def _last_dense(model: "keras.Model") -> "keras.layers.Dense | None":
    import keras

    layers = keras.layers
    has_activation = False
    for layer in reversed(model.layers):
        activation = getattr(getattr(layer, "activation", None), "__name__", "")
        if isinstance(layer, layers.Dense):
            wanted = ("linear",) if has_activation else ("softmax", "sigmoid")
            return layer if activation in wanted else None
        if isinstance(layer, layers.Softmax) or activation in ("softmax", "sigmoid"):
            has_activation = True
        elif not isinstance(layer, layers.Dropout):
            return None
    return None
