"""Layers that take several inputs."""

from collections.abc import Sequence

from headstart.modelfile.graph import Shape
from headstart.modelfile.kinds import Kind, Misfit, Settings
from headstart.modelfile.settings import axis


def broadcast(first: Shape, second: Shape) -> Shape:
    """Shape of two tensors combined element by element.

    Raises:
        Misfit: when they cannot be.
    """
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    padded = (*((1,) * (len(longer) - len(shorter))), *shorter)
    sides: list[int | None] = []
    for one, other in zip(longer, padded, strict=True):
        if one != other and 1 not in (one, other) and None not in (one, other):
            raise Misfit(f"cannot combine shapes {tuple(first)} and {tuple(second)}")
        sides.append(other if one in (1, None) else one)
    return tuple(sides)


def _combined(settings: Settings, shapes: Sequence[Shape]) -> Shape:  # noqa: ARG001
    found = shapes[0]
    for shape in shapes[1:]:
        found = broadcast(found, shape)
    return found


def _joined(settings: Settings, shapes: Sequence[Shape]) -> Shape:
    at = settings["axis"]
    length = len(shapes[0])
    if not -length <= at < length or any(len(shape) != length for shape in shapes):
        raise Misfit(f"cannot join shapes {[tuple(shape) for shape in shapes]} along axis {at}")
    at %= length
    rest = {tuple(side for i, side in enumerate(shape) if i != at) for shape in shapes}
    if len(rest) > 1:
        raise Misfit(f"cannot join shapes {[tuple(shape) for shape in shapes]} along axis {at}")
    widths = [shape[at] for shape in shapes]
    total = None if None in widths else sum(width or 0 for width in widths)
    return (*shapes[0][:at], total, *shapes[0][at + 1 :])


_COMBINED = Kind(shape=_combined, inputs=(2, None))

MERGING = {
    "Add": _COMBINED,
    "Average": _COMBINED,
    "Maximum": _COMBINED,
    "Minimum": _COMBINED,
    "Multiply": _COMBINED,
    "Subtract": Kind(shape=_combined, inputs=(2, 2)),
    "Concatenate": Kind(settings={"axis": (axis, -1)}, shape=_joined, inputs=(1, None)),
}
