"""Engines: whatever turns batches of photos into rows of numbers, in order.

A network that is not trained is a pure function; the engine is the fastest way to evaluate it on
this machine. All engines take uint8 RGB and give float32.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.errors import ArgumentError, MissingPackageError

ENGINES = ("auto", "openvino", "keras")
PRECISIONS = ("auto", "float32", "bfloat16", "float16")

Batch = NDArray[np.uint8]
Rows = NDArray[np.float32]


class Engine(Protocol):
    """Evaluates one network in one precision.

    Attributes:
        name: "openvino" or "keras".
        precision: "float32", "bfloat16" or "float16".
        batch_size: how many photos it likes at once.
    """

    name: str
    precision: str
    batch_size: int

    def run(self, batches: Iterable[Batch]) -> Iterator[Rows]:
        """Evaluates batches (B, H, W, 3) and yields (B, ...) float32 for each, in order."""


class KerasEngine:
    """Keras in inference mode on whatever backend it has in this process."""

    name = "keras"
    precision = "float32"
    batch_size = 32

    def __init__(self, model: Any) -> None:
        self._model = model

    def run(self, batches: Iterable[Batch]) -> Iterator[Rows]:
        """Evaluates batches (B, H, W, 3) and yields (B, ...) float32 for each, in order."""
        for batch in batches:
            full = pad_batch(batch, self.batch_size).astype(np.float32)
            yield np.asarray(self._model.predict_on_batch(full), np.float32)[: len(batch)]


def pad_batch(batch: Batch, size: int) -> Batch:
    """Fills a last, short batch up with black photos: compiled graphs have one batch size.

    Example:
        >>> pad_batch(np.ones((1, 2, 2, 3), np.uint8), 4).shape
        (4, 2, 2, 3)
    """
    if len(batch) == size:
        return batch
    padding = np.zeros((size - len(batch), *batch.shape[1:]), batch.dtype)
    return np.concatenate([batch, padding])


def choose_engine(engine: str, *, optional: bool = False) -> str:
    """Says which engine `auto` means here.

    Args:
        engine: one of `ENGINES`.
        optional: take Keras where OpenVINO is named but not installed.

    Returns:
        "openvino" or "keras".

    Raises:
        ArgumentError: for any other word.
        MissingPackageError: when OpenVINO is asked for and not installed.
    """
    if engine not in ENGINES:
        raise ArgumentError(f"engine={engine!r} is unknown. Choose one of {', '.join(ENGINES)}.")
    if engine == "keras":
        return engine
    if _has_openvino():
        return "openvino"
    if engine == "openvino" and not optional:
        raise MissingPackageError("engine='openvino' needs OpenVINO: pip install 'headstart[cpu]'.")
    return "keras"


def check_precision(precision: str, engine: str) -> None:
    """Refuses a precision that is unknown or that the engine does not have.

    Raises:
        ArgumentError: naming the precisions that fit.
    """
    if precision not in PRECISIONS:
        raise ArgumentError(
            f"precision={precision!r} is unknown. Choose one of {', '.join(PRECISIONS)}."
        )
    if engine == "keras" and precision not in ("auto", "float32"):
        raise ArgumentError(
            f"precision={precision!r} needs the OpenVINO engine; the Keras engine computes in "
            "float32. Use --precision float32, or pip install 'headstart[cpu]'."
        )


def check_backend() -> None:
    """Says in one sentence what to install when Keras' backend is missing.

    Raises:
        MissingPackageError: with the pip command.
    """
    from importlib.util import find_spec

    name = backend_name()
    package, extra = {
        "tensorflow": ("tensorflow", "cpu"),
        "jax": ("jax", "jax"),
        "torch": ("torch", "torch"),
    }.get(name, (name, "cpu"))
    if find_spec(package) is None:
        raise MissingPackageError(
            f"Keras' backend is {name!r} here, which is not installed: "
            f"pip install 'headstart[{extra}]', or set KERAS_BACKEND to one that is."
        )


def check_tensorboard() -> None:
    """Says what is missing for TensorBoard's logs, which Keras writes through TensorFlow.

    Raises:
        ArgumentError: under another backend.
        MissingPackageError: with the pip command.
    """
    from importlib.util import find_spec

    name = backend_name()
    if name != "tensorflow":
        raise ArgumentError(
            f"tensorboard needs Keras on TensorFlow, and its backend is {name!r} here. "
            "Set KERAS_BACKEND=tensorflow, or leave --tensorboard out."
        )
    if find_spec("tensorboard") is None:
        raise MissingPackageError(
            "--tensorboard needs a package that TensorFlow no longer brings along: "
            "pip install tensorboard."
        )


def backend_name() -> str:
    """Returns the backend that Keras will load, without loading it."""
    import json
    import os

    named = os.environ.get("KERAS_BACKEND")
    if named:
        return named
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return str(json.loads((home / "keras.json").read_text()).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


def _has_openvino() -> bool:
    from importlib.util import find_spec

    return find_spec("openvino") is not None
