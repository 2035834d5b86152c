"""The plain Keras recipe for a frozen backbone, as a careful person writes it by hand.

Run by benchmarks/frozen.py as a process of its own; prints one line of JSON.
"""

import argparse
import json
from pathlib import Path

import keras


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with train and test")
    parser.add_argument("--epochs", type=int, default=5)
    arguments = parser.parse_args()
    keras.utils.set_random_seed(0)
    size = (224, 224)
    train = keras.utils.image_dataset_from_directory(
        arguments.photos / "train", image_size=size, batch_size=32, seed=0, verbose=False
    )
    test = keras.utils.image_dataset_from_directory(
        arguments.photos / "test", image_size=size, batch_size=32, shuffle=False, verbose=False
    )
    backbone = keras.applications.MobileNetV2(
        include_top=False, weights="imagenet", input_shape=(*size, 3)
    )
    backbone.trainable = False
    image = keras.Input((*size, 3))
    features = backbone(keras.applications.mobilenet_v2.preprocess_input(image), training=False)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(pooled))
    schedule = keras.optimizers.schedules.InverseTimeDecay(0.2, decay_steps=1, decay_rate=0.01)
    model.compile(
        optimizer=keras.optimizers.SGD(schedule, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(train, epochs=arguments.epochs, verbose=0)
    _, accuracy = model.evaluate(test, verbose=0)
    print(json.dumps({"top_1": accuracy}))


if __name__ == "__main__":
    main()
