"""LiteRT through Keras' exporter; only where Keras is on TensorFlow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow
from numpy.typing import NDArray


def write_litert(
    model: Any, file: Path, *, precision: str, calibration: NDArray[np.uint8] | None
) -> None:
    """Writes a Keras model as `.tflite`, with LiteRT's own operations alone.

    Args:
        model: photos in, probabilities out; both stay float32.
        file: where to write.
        precision: "float16" keeps weights as such, "int8" weights and activations.
        calibration: photos (N, S, S, 3) that show the ranges of activations, for int8.
    """
    sets = tensorflow.lite.OpsSet
    target: dict[str, Any] = {"supported_ops": [sets.TFLITE_BUILTINS]}
    settings: dict[str, Any] = {"target_spec": target}
    if precision != "float32":
        settings["optimizations"] = [tensorflow.lite.Optimize.DEFAULT]
    if precision == "float16":
        target["supported_types"] = [tensorflow.float16]
    if calibration is not None:
        target["supported_ops"] = [sets.TFLITE_BUILTINS_INT8, sets.TFLITE_BUILTINS]
        settings["representative_dataset"] = lambda: _single(calibration)
    model.export(str(file), format="litert", verbose=False, **settings)


def _single(photos: NDArray[np.uint8]) -> Iterator[list[NDArray[np.float32]]]:
    for photo in photos:
        yield [photo[None].astype(np.float32)]
