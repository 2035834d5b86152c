"""The gradient of a score by activations, on whichever backend Keras has."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import EngineError

BACKENDS = ("jax", "tensorflow", "torch")

Score = Callable[[Any], Any]
"""Takes a tensor (N, ...) and returns one number a photo, (N,)."""


def gradient(score: Score, activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns how each photo's score changes with each of its activations.

    Args:
        score: of tensors of the backend, made of Keras layers or `keras.ops`.
        activations: float32 (N, ...).

    Returns:
        float32, same shape.

    Raises:
        EngineError: when Keras has a backend here that knows no gradients.

    Example:
        >>> import keras
        >>> gradient(lambda x: keras.ops.sum(x * x, axis=1), np.float32([[1, 2]])).tolist()
        [[2.0, 4.0]]
    """
    import keras

    name = keras.backend.backend()
    if name not in BACKENDS:
        raise EngineError(
            f"Keras' backend is {name!r} here, which has no gradients. Expected one of "
            f"{', '.join(BACKENDS)}; set KERAS_BACKEND."
        )
    found = import_module(f"headstart.explanation.{name}").gradient(score, activations)
    return np.asarray(found, np.float32)
