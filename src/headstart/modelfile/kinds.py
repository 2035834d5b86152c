"""What there is to know of a kind of layer: settings, output shape and weights, without Keras."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headstart.modelfile.graph import Shape
from headstart.modelfile.settings import Check

Settings = Mapping[str, Any]
Weights = dict[str, tuple[int, ...]]


class Misfit(Exception):  # noqa: N818 - caught where the layer's name is known
    """Inputs that a layer cannot take; holds why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of layer.

    Attributes:
        settings: check and default of each.
        shape: from settings and input shapes to its output's shape.
        weights: from settings and input shapes to the shape of each weight, in Keras' order.
        non_trainable: weights that no gradient moves.
        is_identity: whether it passes photos on unchanged outside of training.
        inputs: how many it takes at least, and at most (None for any number).
    """

    settings: Mapping[str, tuple[Check, Any]] = field(default_factory=dict)
    shape: Callable[[Settings, Sequence[Shape]], Shape]
    weights: Callable[[Settings, Sequence[Shape]], Weights] = lambda settings, shapes: {}  # noqa: ARG005
    non_trainable: tuple[str, ...] = ()
    is_identity: bool = False
    inputs: tuple[int, int | None] = (1, 1)


def same(settings: Settings, shapes: Sequence[Shape]) -> Shape:  # noqa: ARG001
    """Of layers that change values only."""
    return shapes[0]


def rank(shape: Shape, wanted: int, what: str) -> Shape:
    """Refuses an input of another rank.

    Raises:
        Misfit: naming both.
    """
    if len(shape) != wanted:
        raise Misfit(f"takes {what}, but gets shape {tuple(shape)}")
    return shape


def known(size: int | None, what: str) -> int:
    """Refuses a size that is open.

    Raises:
        Misfit: naming it.
    """
    if size is None:
        raise Misfit(f"needs the {what} of its input, which the file leaves open")
    return size
