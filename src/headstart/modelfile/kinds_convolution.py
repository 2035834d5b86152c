"""Convolutions and dense layers."""

from collections.abc import Callable, Sequence
from typing import Any

from headstart.modelfile.graph import Shape
from headstart.modelfile.kinds import Kind, Misfit, Settings, Weights, known, rank
from headstart.modelfile.settings import (
    Check,
    activation,
    choice,
    flag,
    only,
    pair,
    penalty,
    whole,
)

CHANNELS_LAST: tuple[Check, Any] = (choice("channels_last"), "channels_last")
_ACTIVATION: dict[str, tuple[Check, Any]] = {
    "activation": (activation, "linear"),
    "use_bias": (flag, True),
}
_WINDOW: dict[str, tuple[Check, Any]] = {
    "strides": (pair, (1, 1)),
    "padding": (choice("valid", "same"), "valid"),
    "data_format": CHANNELS_LAST,
    "dilation_rate": (pair, (1, 1)),
}


def slid(
    size: int | None, window: int, stride: int, *, padding: str, dilation: int = 1
) -> int | None:
    """Positions of a window along one side."""
    if size is None:
        return None
    if padding == "same":
        return -(-size // stride)
    left = size - dilation * (window - 1)
    if left < 1:
        raise Misfit(f"has a window of {window}, larger than its input of {size}")
    return -(-left // stride)


def _map_shape(settings: Settings, shapes: Sequence[Shape], channels: int) -> Shape:
    batch, height, width, _ = rank(shapes[0], 4, "maps (batch, height, width, channels)")
    kernel, strides, dilation = (
        settings["kernel_size"],
        settings["strides"],
        settings["dilation_rate"],
    )
    sides = [
        slid(size, kernel[i], strides[i], padding=settings["padding"], dilation=dilation[i])
        for i, size in enumerate((height, width))
    ]
    return (batch, sides[0], sides[1], channels)


def _channels(shapes: Sequence[Shape]) -> int:
    return known(rank(shapes[0], 4, "maps (batch, height, width, channels)")[3], "channels")


def _with_bias(weights: Weights, settings: Settings, count: int) -> Weights:
    return weights | ({"bias": (count,)} if settings["use_bias"] else {})


def _conv(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    channels, groups, filters = _channels(shapes), settings["groups"], settings["filters"]
    if channels % groups or filters % groups:
        raise Misfit(f"has {groups} groups, which divide {channels} channels or filters badly")
    kernel = (*settings["kernel_size"], channels // groups, filters)
    return _with_bias({"kernel": kernel}, settings, filters)


def _depthwise(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    channels, multiplier = _channels(shapes), settings["depth_multiplier"]
    kernel = (*settings["kernel_size"], channels, multiplier)
    return _with_bias({"kernel": kernel}, settings, channels * multiplier)


def _separable(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    channels, multiplier = _channels(shapes), settings["depth_multiplier"]
    kernels = {
        "depthwise_kernel": (*settings["kernel_size"], channels, multiplier),
        "pointwise_kernel": (1, 1, channels * multiplier, settings["filters"]),
    }
    return _with_bias(kernels, settings, settings["filters"])


def _transposed(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    filters = settings["filters"]
    kernel = (*settings["kernel_size"], filters, _channels(shapes))
    return _with_bias({"kernel": kernel}, settings, filters)


def _transposed_shape(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    batch, height, width, _ = rank(shapes[0], 4, "maps (batch, height, width, channels)")
    sides: list[int | None] = []
    for i, size in enumerate((height, width)):
        stride, window = settings["strides"][i], settings["kernel_size"][i]
        grown = None if size is None else size * stride
        if grown is not None and settings["padding"] == "valid":
            grown += max(window - stride, 0)
        sides.append(grown)
    return (batch, sides[0], sides[1], settings["filters"])


def _dense(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    if len(shapes[0]) < 2:
        raise Misfit(f"takes rows of numbers, but gets shape {tuple(shapes[0])}")
    units = settings["units"]
    return _with_bias({"kernel": (known(shapes[0][-1], "width"), units)}, settings, units)


def _filters(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    return _map_shape(settings, shapes, settings["filters"])


def _multiplied(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    return _map_shape(settings, shapes, _channels(shapes) * settings["depth_multiplier"])


def _kind(
    weights: Callable[[Settings, Sequence[Shape]], Weights],
    shape: Callable[[Settings, Sequence[Shape]], Shape],
    **settings: tuple[Check, Any],
) -> Kind:
    return Kind(
        settings={"kernel_size": (pair, ...), **_WINDOW, **_ACTIVATION, **settings},
        shape=shape,
        weights=weights,
    )


_FILTERS: tuple[Check, Any] = (whole, ...)
_PENALTY: tuple[Check, Any] = (penalty, None)

CONVOLUTIONS = {
    "Conv2D": _kind(
        _conv, _filters, filters=_FILTERS, groups=(whole, 1), kernel_regularizer=_PENALTY
    ),
    "DepthwiseConv2D": _kind(
        _depthwise, _multiplied, depth_multiplier=(whole, 1), depthwise_regularizer=_PENALTY
    ),
    "SeparableConv2D": _kind(
        _separable,
        _filters,
        filters=_FILTERS,
        depth_multiplier=(whole, 1),
        depthwise_regularizer=_PENALTY,
        pointwise_regularizer=_PENALTY,
    ),
    "Conv2DTranspose": _kind(
        _transposed,
        _transposed_shape,
        filters=_FILTERS,
        output_padding=(only(None), None),
        dilation_rate=(only((1, 1), [1, 1], 1), (1, 1)),
        kernel_regularizer=_PENALTY,
    ),
    "Dense": Kind(
        settings={"units": (whole, ...), **_ACTIVATION, "kernel_regularizer": _PENALTY},
        shape=lambda settings, shapes: (*shapes[0][:-1], settings["units"]),
        weights=_dense,
    ),
}
