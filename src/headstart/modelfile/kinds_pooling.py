"""Pooling, padding and what else changes the sides of a map."""

from collections.abc import Sequence

from headstart.modelfile.graph import Shape
from headstart.modelfile.kinds import Kind, Misfit, Settings, rank
from headstart.modelfile.kinds_convolution import CHANNELS_LAST, slid
from headstart.modelfile.settings import choice, flag, margins, optional, pair, whole

_MAP = "maps (batch, height, width, channels)"


def _pooled(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    batch, height, width, channels = rank(shapes[0], 4, _MAP)
    window = settings["pool_size"]
    strides = settings["strides"] or window
    sides = [
        slid(size, window[i], strides[i], padding=settings["padding"])
        for i, size in enumerate((height, width))
    ]
    return (batch, sides[0], sides[1], channels)


def _global(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    batch, _, _, channels = rank(shapes[0], 4, _MAP)
    return (batch, 1, 1, channels) if settings["keepdims"] else (batch, channels)


def _padded(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    batch, height, width, channels = rank(shapes[0], 4, _MAP)
    (top, bottom), (left, right) = settings["padding"]
    tall = None if height is None else height + top + bottom
    return (batch, tall, None if width is None else width + left + right, channels)


def _cropped(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    batch, height, width, channels = rank(shapes[0], 4, _MAP)
    sides: list[int | None] = []
    for size, (before, after) in zip((height, width), settings["cropping"], strict=True):
        left = None if size is None else size - before - after
        if left is not None and left < 1:
            raise Misfit(f"crops more than its input of {size}")
        sides.append(left)
    return (batch, sides[0], sides[1], channels)


def _grown(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    batch, height, width, channels = rank(shapes[0], 4, _MAP)
    tall = None if height is None else height * settings["size"][0]
    return (batch, tall, None if width is None else width * settings["size"][1], channels)


def _resized(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    batch, _, _, channels = rank(shapes[0], 4, _MAP)
    return (batch, settings["height"], settings["width"], channels)


_POOL = Kind(
    settings={
        "pool_size": (pair, (2, 2)),
        "strides": (optional(pair), None),
        "padding": (choice("valid", "same"), "valid"),
        "data_format": CHANNELS_LAST,
    },
    shape=_pooled,
)
_GLOBAL = Kind(settings={"keepdims": (flag, False), "data_format": CHANNELS_LAST}, shape=_global)

POOLING = {
    "MaxPooling2D": _POOL,
    "AveragePooling2D": _POOL,
    "GlobalMaxPooling2D": _GLOBAL,
    "GlobalAveragePooling2D": _GLOBAL,
    "ZeroPadding2D": Kind(
        settings={"padding": (margins, ((1, 1), (1, 1))), "data_format": CHANNELS_LAST},
        shape=_padded,
    ),
    "Cropping2D": Kind(
        settings={"cropping": (margins, ((0, 0), (0, 0))), "data_format": CHANNELS_LAST},
        shape=_cropped,
    ),
    "UpSampling2D": Kind(
        settings={
            "size": (pair, (2, 2)),
            "interpolation": (choice("nearest", "bilinear"), "nearest"),
            "data_format": CHANNELS_LAST,
        },
        shape=_grown,
    ),
    "Resizing": Kind(
        settings={
            "height": (whole, ...),
            "width": (whole, ...),
            "interpolation": (choice("bilinear", "nearest", "bicubic"), "bilinear"),
            "crop_to_aspect_ratio": (flag, False),
            "pad_to_aspect_ratio": (flag, False),
            "antialias": (flag, False),
            "data_format": CHANNELS_LAST,
        },
        shape=_resized,
    ),
    "CenterCrop": Kind(
        settings={"height": (whole, ...), "width": (whole, ...), "data_format": CHANNELS_LAST},
        shape=_resized,
    ),
}  # fmt: skip
