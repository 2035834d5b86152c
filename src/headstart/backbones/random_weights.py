"""Random weights that are the same on every backend.

Keras draws initial weights with the random numbers of its backend, so one seed gives one network on
TensorFlow, another on JAX and a third in the OpenVINO process of the frozen pass. Here NumPy draws
them, from the distribution that each layer asks for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras

# The standard deviation of a normal distribution cut at two of them.
_TRUNCATED_DEVIATION = 0.87962566103423978

_INITIALIZERS = {
    "kernel": ("kernel_initializer", "depthwise_initializer"),
    "depthwise_kernel": ("depthwise_initializer",),
    "pointwise_kernel": ("pointwise_initializer",),
}


def draw_weights(model: keras.Model, seed: int) -> None:
    """Draws every kernel of a freshly built model anew; what is constant stays.

    Args:
        model: just built, of Keras' own layers, nested models included.
        seed: non-negative; the same seed gives the same weights on every backend.

    Example:
        >>> import keras
        >>> models = [keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]) for _ in "ab"]
        >>> for model in models:
        ...     draw_weights(model, seed=3)
        >>> bool((models[0].get_weights()[0] == models[1].get_weights()[0]).all())
        True
    """
    _draw_layers(model, np.random.default_rng(seed))


def _draw_layers(model: Any, rng: np.random.Generator) -> None:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            _draw_layers(layer, rng)
            continue
        for variable in layer.weights:
            initializer = _initializer(layer, variable.name)
            # Glorot, He and LeCun are all variance scaling; anything else is a constant here.
            if hasattr(initializer, "distribution"):
                variable.assign(_draw(tuple(variable.shape), initializer, rng))


def _initializer(layer: Any, variable: str) -> Any:
    names = _INITIALIZERS.get(variable, ())
    return next((getattr(layer, name) for name in names if hasattr(layer, name)), None)


def _draw(
    shape: tuple[int, ...], initializer: Any, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    field = math.prod(shape[:-2])
    fan_in, fan_out = field * shape[-2], field * shape[-1]
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    variance = initializer.scale / max(1.0, fans[initializer.mode])
    if initializer.distribution == "uniform":
        limit = math.sqrt(3.0 * variance)
        return rng.uniform(-limit, limit, shape).astype(np.float32)
    values = rng.standard_normal(shape)
    if initializer.distribution == "truncated_normal":
        while (outside := np.abs(values) > 2.0).any():
            values[outside] = rng.standard_normal(int(outside.sum()))
        values /= _TRUNCATED_DEVIATION
    return (values * math.sqrt(variance)).astype(np.float32)
