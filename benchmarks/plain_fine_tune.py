"""Head first, then some top layers: plain Keras with `trainable` flags, as written by hand.

Run by benchmarks/fine_tune.py and benchmarks/dogs_vs_cats_vgg16.py as a process of its own; prints
one line of JSON. Preprocessing is inside the model and batch normalisation in inference mode, as
Keras' guide to transfer learning advises.
"""

import argparse
import json
import time
from pathlib import Path

import keras

SIZE = (224, 224)
PREPROCESS = {
    "MobileNetV2": keras.applications.mobilenet_v2.preprocess_input,
    "VGG16": keras.applications.vgg16.preprocess_input,
}


def main() -> None:
    arguments = _arguments()
    keras.utils.set_random_seed(0)
    train, test = (_dataset(arguments.photos / name, name == "train") for name in ("train", "test"))
    backbone, model = _build(arguments)
    seconds = [time.perf_counter()]
    _fit(model, train, arguments.rates[0], arguments.epochs)
    seconds.append(time.perf_counter())
    if arguments.fine_tune:
        backbone.trainable = True
        names = [layer.name for layer in backbone.layers]
        for layer in backbone.layers[: names.index(arguments.fine_tune)]:
            layer.trainable = False
        _fit(model, train, arguments.rates[1], arguments.epochs)
    seconds.append(time.perf_counter())
    predicted = model.predict(test, verbose=0).argmax(axis=1)
    right = {
        "/".join(Path(path).parts[-2:]): Path(path).parent.name == test.class_names[guess]
        for path, guess in zip(test.file_paths, predicted, strict=True)
    }
    answer = {
        "right": right,
        "stage_seconds": [seconds[1] - seconds[0], seconds[2] - seconds[1]],
        "photos": len(train.file_paths),
    }
    print(json.dumps(answer))


def _dataset(folder: Path, shuffle: bool):
    return keras.utils.image_dataset_from_directory(
        folder, image_size=SIZE, batch_size=32, shuffle=shuffle, seed=0, verbose=False
    )


def _build(arguments):
    backbone = getattr(keras.applications, arguments.backbone)(
        include_top=False, weights=arguments.weights, input_shape=(*SIZE, 3)
    )
    backbone.trainable = False
    image = keras.Input((*SIZE, 3))
    x = backbone(PREPROCESS[arguments.backbone](image), training=False)
    if arguments.backbone == "VGG16":
        x = keras.layers.Flatten()(x)
        x = keras.layers.Dense(256, activation="relu")(x)
        x = keras.layers.Dropout(0.5)(x)
        x = keras.layers.Dense(64, activation="relu")(x)
    else:
        x = keras.layers.GlobalAveragePooling2D()(x)
    return backbone, keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))


def _fit(model, train, rate: float, epochs: int) -> None:
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(train, epochs=epochs, verbose=0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with train and test")
    parser.add_argument("--backbone", choices=sorted(PREPROCESS), default="MobileNetV2")
    parser.add_argument("--weights", default="imagenet", type=lambda x: None if x == "none" else x)
    parser.add_argument("--fine-tune", help="first layer of the second stage; none without")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rates", type=float, nargs=2, default=(1e-3, 1e-5))
    return parser.parse_args()


if __name__ == "__main__":
    main()
