"""Frozen pass and fine-tuning step in bfloat16 against plain Keras and the machine's ceilings.

    KERAS_BACKEND=jax python benchmarks/gpu.py
    KERAS_BACKEND=torch python benchmarks/gpu.py
    KERAS_BACKEND=jax python benchmarks/gpu.py --tiny     # on a CPU, whether it runs

For a machine with a GPU and JAX or PyTorch, without TensorFlow. MobileNetV2, ResNet50 and VGG16 at
224 pixels with random weights, on random photos in memory, so that neither a disk nor a decoder is
measured. Ours is the frozen pass as the Keras engine runs it, and the step as `training.loop` runs
it, all layers unfrozen; plain is `predict` and `fit` of `keras.applications`. Ceilings are the
largest matrix product and the longest addition that were timed. A network's share of the first is
2 x multiply-adds x photos/s, of a training step three times that. Results: docs/performance.md.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.cut import find_cut
from headstart.backbones.suffix import build_suffix
from headstart.backbones.surgery import build_frozen
from headstart.backbones.weights import find_weights
from headstart.features.engine import KerasEngine
from headstart.heads.networks import build_mlp
from headstart.progress import Silent
from headstart.training.examples import KeptRows
from headstart.training.loop import Surroundings, fit
from headstart.training.losses import make_loss
from headstart.training.plan import Stage
from headstart.workflow.drawing import summary
from machine import describe

CLASSES = 10
MODULES = {"MobileNetV2": "mobilenet_v2", "ResNet50": "resnet", "VGG16": "vgg16"}


def best(work: Callable[[], Any], rounds: int = 3) -> float:
    """Returns the seconds of the fastest round, after one that compiles."""
    work()
    seconds = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def finish(value: Any) -> None:
    """Waits for a device: a number of the result is brought over."""
    np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(value.reshape(-1)[:1], "float32")))


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


def ceilings(side: int) -> tuple[float, float]:
    """Measures matrix products and additions in bfloat16: operations and bytes a second."""
    a = keras.ops.cast(keras.random.normal((side, side)), "bfloat16")
    multiply = compiled(lambda x: keras.ops.matmul(keras.ops.matmul(x, x), x))
    add = compiled(lambda x: x + keras.ops.cast(1, "bfloat16"))
    seconds = best(lambda: finish(multiply(a)))
    long = keras.ops.cast(keras.random.normal((side, 4 * side)), "bfloat16")
    return 2 * 2 * side**3 / seconds, 2 * 2 * 4 * side**2 / best(lambda: finish(add(long)))


def ours_frozen(name: str, photos: np.ndarray) -> float:
    backbone = find_backbone(name)
    size, source = photos.shape[1], find_weights(backbone, "none")
    model = build_frozen(backbone, image_size=size, pooling="avg", weights=source)
    engine = KerasEngine(model)
    parts = range(0, len(photos), engine.batch_size)
    seconds = best(lambda: [list(engine.run(photos[at : at + engine.batch_size] for at in parts))])
    return len(photos) / seconds


def plain(name: str, size: int, *, trainable: bool) -> keras.Model:
    module = getattr(keras.applications, MODULES[name])
    backbone = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(size, size, 3), pooling="avg"
    )
    backbone.trainable = trainable
    inputs = keras.Input((size, size, 3))
    features = backbone(module.preprocess_input(inputs), training=False)
    if not trainable:
        return keras.Model(inputs, features)
    outputs = keras.layers.Dense(CLASSES, activation="softmax", dtype="float32")(features)
    return keras.Model(inputs, outputs)


def plain_frozen(name: str, photos: np.ndarray) -> float:
    model = plain(name, photos.shape[1], trainable=False)
    return len(photos) / best(lambda: model.predict(photos, batch_size=32, verbose=0))


class Rate(Silent):
    """Keeps the photos a second of each epoch."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def epoch(self, station: str, values: Any, total: int) -> None:  # noqa: ARG002
        """Keeps it."""
        self.rates.append(values["photos_per_second"])


def ours_step(name: str, photos: np.ndarray, labels: np.ndarray, batch: int) -> float:
    backbone, size = find_backbone(name), photos.shape[1]
    source = find_weights(backbone, "none")
    frozen = build_frozen(backbone, image_size=size, pooling="avg", weights=source)
    head = build_mlp(frozen.output_shape[-1], (), dropout=0.0, units_out=CLASSES)
    cut = find_cut(frozen, [layer.name for layer in frozen.layers if layer.weights])
    model = build_suffix(frozen, cut, head, dtype="mixed_bfloat16")
    listener = Rate()
    loss = make_loss("auto", options={}, units=CLASSES)
    stage = Stage(epochs=3, learning_rate=1e-5, batch_size=batch)
    fit(model, KeptRows(labels, (photos,)), None, stage, Surroundings(loss=loss, progress=listener))
    return max(listener.rates[1:])


def plain_step(name: str, photos: np.ndarray, labels: np.ndarray, batch: int) -> float:
    model = plain(name, photos.shape[1], trainable=True)
    model.compile(keras.optimizers.Adam(1e-5), "sparse_categorical_crossentropy")
    work = lambda: model.fit(photos, labels, batch_size=batch, verbose=0)  # noqa: E731
    return len(photos) / best(work, rounds=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbones", nargs="+", default=list(MODULES))
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--photos", type=int, default=2048)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--matrix", type=int, default=8192)
    parser.add_argument("--tiny", action="store_true", help="small enough for a CPU")
    chosen = parser.parse_args()
    if chosen.tiny:
        chosen.image_size, chosen.photos, chosen.batch_size, chosen.matrix = 32, 32, 16, 256
    print(describe())
    devices = keras.distribution.list_devices() if keras.backend.backend() == "jax" else "PyTorch's"
    print(f"Keras on {keras.backend.backend()}, devices: {devices}")
    operations, transfer = ceilings(chosen.matrix)
    print(f"ceilings: {operations / 1e12:.3g} T operations/s, {transfer / 1e9:.3g} GB/s")
    random, size = np.random.default_rng(0), chosen.image_size
    photos = random.integers(0, 256, (chosen.photos, size, size, 3), np.uint8)
    labels = random.integers(0, CLASSES, chosen.photos).astype(np.int32)
    for name in chosen.backbones:
        adds = summary(name, image_size=max(size, 32)).multiply_adds or 0
        # Both sides compute in bfloat16 with float32 weights.
        keras.config.set_dtype_policy("mixed_bfloat16")
        frozen = ours_frozen(name, photos), plain_frozen(name, photos)
        plain_rate = plain_step(name, photos, labels, chosen.batch_size)
        keras.config.set_dtype_policy("float32")
        step = ours_step(name, photos, labels, chosen.batch_size), plain_rate
        for what, (ours, theirs), factor in (("frozen pass", frozen, 2), ("step", step, 6)):
            print(
                f"{name} {what}: ours {ours:.0f} photos/s, plain {theirs:.0f} ({ours / theirs:.2f}x"
                f"); {factor * adds * ours / operations:.1%} of the matrix ceiling",
                flush=True,
            )


if __name__ == "__main__":
    main()
