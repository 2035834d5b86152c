"""How long plain Keras trains one backbone: photos a second of an epoch of the plain recipe.

Run by benchmarks/choose.py as a process of its own; prints one line of JSON.
"""

import argparse
import json
import time
from pathlib import Path

import keras


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder of class folders")
    parser.add_argument("backbone", help="a function of keras.applications")
    parser.add_argument("--module", required=True, help="whose preprocess_input is its own")
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--count", type=int, default=256, help="photos of the timed epoch")
    arguments = parser.parse_args()
    size = (arguments.size, arguments.size)
    photos = keras.utils.image_dataset_from_directory(
        arguments.photos, image_size=size, batch_size=32, seed=0, verbose=False
    )
    options = {} if arguments.alpha is None else {"alpha": arguments.alpha}
    backbone = getattr(keras.applications, arguments.backbone)(
        include_top=False,
        weights=None if arguments.weights == "none" else arguments.weights,
        input_shape=(*size, 3),
        **options,
    )
    backbone.trainable = False
    prepare = getattr(keras.applications, arguments.module).preprocess_input
    image = keras.Input((*size, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(prepare(image), training=False))
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(pooled))
    model.compile(
        optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(photos.take(2), epochs=1, verbose=0)  # compiles
    steps = arguments.count // 32
    begin = time.perf_counter()
    model.fit(photos.take(steps), epochs=1, verbose=0)
    print(json.dumps({"photos_per_second": 32 * steps / (time.perf_counter() - begin)}))


if __name__ == "__main__":
    main()
