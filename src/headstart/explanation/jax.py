"""Gradients on JAX."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray


def gradient(score: Callable[[Any], Any], activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the gradient of the scores' sum by the activations."""
    found = jax.grad(lambda inputs: score(inputs).sum())(jax.numpy.asarray(activations))
    return np.asarray(found, np.float32)
