"""What one epoch of the plain Keras recipe takes with a backbone; called by choose.py.

    python benchmarks/plain_epochs.py FOLDER BACKBONE WEIGHTS

FOLDER holds few photos. Two epochs are fitted; the first compiles too. Prints JSON.
"""

import json
import sys
import time
from pathlib import Path

import keras

from headstart.backbones.catalogue import find_backbone


def main() -> None:
    folder, name, weights = Path(sys.argv[1]), *sys.argv[2:4]
    begin = time.perf_counter()
    backbone = find_backbone(name)
    size = 128 if name == "MobileNet-0.25" else backbone.image_size
    photos = keras.utils.image_dataset_from_directory(
        folder, image_size=(size, size), batch_size=32, verbose=False
    )
    settings = {} if backbone.alpha is None else {"alpha": backbone.alpha}
    module = {"MobileNet": "mobilenet", "MobileNetV2": "mobilenet_v2"}.get(backbone.family)
    module = module or {"ResNet50": "resnet", "Xception": "xception", "VGG16": "vgg16"}[name]
    network = getattr(keras.applications, backbone.builder)(
        include_top=False, input_shape=(size, size, 3),
        weights=None if weights == "none" else "imagenet", **settings,
    )  # fmt: skip
    network.trainable = False
    prepare = getattr(keras.applications, module).preprocess_input
    image = keras.Input((size, size, 3))
    features = keras.layers.GlobalAveragePooling2D()(network(prepare(image), training=False))
    model = keras.Model(image, keras.layers.Dense(2, activation="softmax")(features))
    rate = keras.optimizers.schedules.InverseTimeDecay(0.2, 1, 0.01)
    model.compile(keras.optimizers.SGD(rate, momentum=0.9), "sparse_categorical_crossentropy")
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        model.fit(photos, epochs=1, verbose=0)
        seconds.append(time.perf_counter() - start)
    count = sum(1 for _ in folder.rglob("*.jpg"))
    whole = time.perf_counter() - begin
    print(json.dumps({"photos": count, "fixed": whole - seconds[1], "epoch": seconds[1]}))


if __name__ == "__main__":
    main()
