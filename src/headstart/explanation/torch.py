"""Gradients on PyTorch."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray


def gradient(score: Callable[[Any], Any], activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the gradient of the scores' sum by the activations."""
    inputs = keras.ops.convert_to_tensor(activations).detach().requires_grad_(True)
    (found,) = torch.autograd.grad(score(inputs).sum(), inputs)
    return np.asarray(found.detach().cpu().numpy(), np.float32)
