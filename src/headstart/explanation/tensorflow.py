"""Gradients on TensorFlow."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def gradient(score: Callable[[Any], Any], activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the gradient of the scores' sum by the activations."""
    inputs = tf.convert_to_tensor(activations)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(score(inputs))
    return np.asarray(tape.gradient(total, inputs).numpy(), np.float32)
