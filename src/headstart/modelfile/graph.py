"""A network as data: layers and edges, with nothing built and nothing to execute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int | None, ...]
"""Of a tensor, batch first; None where a size is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNode:
    """One layer where it is called; a layer that is called twice is two nodes.

    Attributes:
        name: unique in its graph; layers of a nested model are named `outer/inner`.
        kind: Keras' name of its class, such as `Conv2D`; of an operation that is no layer, such as
            `x + y`, the operation's name in Keras (`Add`).
        settings: its config as Keras writes it, plain values only, without name and dtype.
        inputs: names of the nodes whose outputs it takes, in order; none for an input.
        output_shape: of its output, batch first; a tuple of such where it has several.
        weights: shape of each weight by its name in the layer, in Keras' order.
        trainable: whether its weights learn; those in `non_trainable` never do.
        non_trainable: names in `weights` that no gradient moves, such as a moving mean.
        shared_with: name of the first node of the same layer, where this is a later call of it.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    output_shape: Shape | tuple[Shape, ...] = ()
    weights: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    trainable: bool = True
    non_trainable: tuple[str, ...] = ()
    shared_with: str | None = None

    @property
    def parameters(self) -> int:
        """Numbers in its weights; 0 for a later call of a layer that was counted already."""
        return 0 if self.shared_with else sum(map(_size, self.weights.values()))

    @property
    def trainable_parameters(self) -> int:
        """How many of them gradients move."""
        if self.shared_with or not self.trainable:
            return 0
        moving = (name for name in self.weights if name not in self.non_trainable)
        return sum(_size(self.weights[name]) for name in moving)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelGraph:
    """A network as data.

    Attributes:
        name: of the model.
        layers: each after all that it takes its inputs from.
        outputs: names of the nodes whose outputs are the model's.
    """

    name: str
    layers: tuple[LayerNode, ...]
    outputs: tuple[str, ...]

    @property
    def inputs(self) -> tuple[LayerNode, ...]:
        """The nodes that photos go into."""
        return tuple(layer for layer in self.layers if layer.kind == "InputLayer")

    @property
    def parameters(self) -> int:
        """Of all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def trainable_parameters(self) -> int:
        """Of all layers, those that gradients move."""
        return sum(layer.trainable_parameters for layer in self.layers)


def _size(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
