"""Normalisation, activations, dropout, shapes, and what only acts in training."""

from collections.abc import Sequence
from math import prod

from headstart.modelfile.graph import Shape
from headstart.modelfile.kinds import Kind, Misfit, Settings, Weights, known, rank, same
from headstart.modelfile.kinds_convolution import CHANNELS_LAST
from headstart.modelfile.kinds_merging import broadcast
from headstart.modelfile.settings import (
    activation,
    axes,
    axis,
    flag,
    fraction,
    number,
    numbers,
    only,
    optional,
    sizes,
    whole,
)


def _along(settings: Settings, shapes: Sequence[Shape]) -> tuple[int, ...]:
    """Sizes of the axes that a normalisation keeps apart."""
    chosen = settings["axis"]
    chosen = chosen if isinstance(chosen, tuple) else (chosen,)
    if any(not -len(shapes[0]) <= each < len(shapes[0]) for each in chosen):
        raise Misfit(f"has axis {settings['axis']}, but gets shape {tuple(shapes[0])}")
    return tuple(known(shapes[0][each], "size") for each in chosen)


def _batch_norm(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    size = _along(settings, shapes)
    return {
        **({"gamma": size} if settings["scale"] else {}),
        **({"beta": size} if settings["center"] else {}),
        "moving_mean": size,
        "moving_variance": size,
    }


def _layer_norm(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    size = _along(settings, shapes)
    return {
        **({"gamma": size} if settings["scale"] else {}),
        **({"beta": size} if settings["center"] else {}),
    }


def _normalization(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    if settings["mean"] is not None:
        return {}  # given as a setting, then
    size = () if settings["axis"] is None else _along(settings, shapes)
    return {"mean": size, "variance": size, "count": ()}


def _layer_scale(settings: Settings, shapes: Sequence[Shape]) -> Weights:  # noqa: ARG001
    return {"gamma": (settings["projection_dim"],)}


def _scaled(settings: Settings, shapes: Sequence[Shape]) -> Shape:  # noqa: ARG001
    return broadcast(shapes[0], shapes[1])


def _prelu(settings: Settings, shapes: Sequence[Shape]) -> Weights:
    shared = {each % len(shapes[0]) for each in settings["shared_axes"] or ()}
    sides = enumerate(shapes[0][1:], 1)
    return {"alpha": tuple(1 if at in shared else known(side, "size") for at, side in sides)}


def _flat(settings: Settings, shapes: Sequence[Shape]) -> Shape:  # noqa: ARG001
    sides = shapes[0][1:]
    return (shapes[0][0], None if None in sides else prod(side or 1 for side in sides))


def _reshaped(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    target, sides = list(settings["target_shape"]), shapes[0][1:]
    if None in sides or None in target:
        return (shapes[0][0], *(None if side == -1 else side for side in target))
    total, given = prod(side or 1 for side in sides), prod(side for side in target if side != -1)
    if target.count(-1) > 1 or total % max(given, 1) or (-1 not in target and total != given):
        raise Misfit(f"cannot bring {tuple(sides)} into shape {tuple(target)}")
    return (shapes[0][0], *(total // given if side == -1 else side for side in target))


def _permuted(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    dims = settings["dims"]
    if sorted(dims) != list(range(1, len(shapes[0]))):
        raise Misfit(f"has dims {dims}, but gets shape {tuple(shapes[0])}")
    return (shapes[0][0], *(shapes[0][each] for each in dims))


def _as_map(settings: Settings, shapes: Sequence[Shape]) -> Shape:  # noqa: ARG001
    return rank(shapes[0], 4, "maps (batch, height, width, channels)")


_IN_TRAINING = Kind(shape=same, is_identity=True)
_RATE = (fraction, 0.5)

PLAIN = {
    "Activation": Kind(settings={"activation": (activation, ...)}, shape=same),
    "ReLU": Kind(
        settings={
            "max_value": (optional(number), None),
            "negative_slope": (number, 0.0),
            "threshold": (number, 0.0),
        },
        shape=same,
    ),
    "LeakyReLU": Kind(settings={"negative_slope": (number, 0.3)}, shape=same),
    "ELU": Kind(settings={"alpha": (number, 1.0)}, shape=same),
    "PReLU": Kind(settings={"shared_axes": (optional(axes), None)}, shape=same, weights=_prelu),
    "Softmax": Kind(settings={"axis": (axis, -1)}, shape=same),
    "BatchNormalization": Kind(
        settings={
            "axis": (axis, -1),
            "momentum": (number, 0.99),
            "epsilon": (number, 1e-3),
            "center": (flag, True),
            "scale": (flag, True),
            "renorm": (only(False), False),
            "virtual_batch_size": (only(None), None),
        },
        shape=same,
        weights=_batch_norm,
        non_trainable=("moving_mean", "moving_variance"),
    ),
    "LayerNormalization": Kind(
        settings={
            "axis": (axes, -1),
            "epsilon": (number, 1e-3),
            "center": (flag, True),
            "scale": (flag, True),
            "rms_scaling": (only(False), False),
        },
        shape=same,
        weights=_layer_norm,
    ),
    "GroupNormalization": Kind(
        settings={
            "groups": (lambda value: -1 if value == -1 else whole(value), 32),
            "axis": (axis, -1),
            "epsilon": (number, 1e-3),
            "center": (flag, True),
            "scale": (flag, True),
        },
        shape=same,
        weights=_layer_norm,
    ),
    "Normalization": Kind(
        settings={
            "axis": (optional(axes), -1),
            "mean": (optional(numbers), None),
            "variance": (optional(numbers), None),
            "invert": (flag, False),
        },
        shape=same,
        weights=_normalization,
        non_trainable=("mean", "variance", "count"),
    ),
    "LayerScale": Kind(
        settings={"init_values": (number, 1e-6), "projection_dim": (whole, ...)},
        shape=same,
        weights=_layer_scale,
    ),
    "Rescaling": Kind(
        settings={"scale": (numbers, ...), "offset": (numbers, 0.0)}, shape=same
    ),
    # Of the Inception-ResNet of `keras.applications`: the first input plus the scaled second.
    "CustomScaleLayer": Kind(settings={"scale": (number, ...)}, shape=_scaled, inputs=(2, 2)),
    "Flatten": Kind(settings={"data_format": CHANNELS_LAST}, shape=_flat),
    "Reshape": Kind(settings={"target_shape": (sizes, ...)}, shape=_reshaped),
    "Permute": Kind(settings={"dims": (axes, ...)}, shape=_permuted),
    "Dropout": Kind(settings={"rate": _RATE}, shape=same, is_identity=True),
    "SpatialDropout2D": Kind(settings={"rate": _RATE}, shape=_as_map, is_identity=True),
    "AlphaDropout": Kind(settings={"rate": _RATE}, shape=same, is_identity=True),
    "GaussianDropout": Kind(settings={"rate": _RATE}, shape=same, is_identity=True),
    "GaussianNoise": Kind(settings={"stddev": (number, 0.1)}, shape=same, is_identity=True),
    "ActivityRegularization": _IN_TRAINING,
    "Identity": _IN_TRAINING,
    "RandomBrightness": _IN_TRAINING,
    "RandomContrast": _IN_TRAINING,
    "RandomFlip": _IN_TRAINING,
    "RandomRotation": _IN_TRAINING,
    "RandomTranslation": _IN_TRAINING,
    "RandomZoom": _IN_TRAINING,
}  # fmt: skip
