"""Boxes: a convolution with its normalisation and its activation is drawn as one."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from headstart.drawing.kinds import chip, family, own_activation, title
from headstart.modelfile.graph import LayerNode, ModelGraph, Shape

_CARRIERS = ("convolution", "dense", "attention", "other")
"""Kinds that take a normalisation onto their box."""

_WITHOUT_ACTIVATION = ("input", "concatenate", "activation")
"""A concatenation's activation belongs to what comes next: every path may have its own."""

_NO_STRUCTURE = (
    "initializer", "regularizer", "constraint", "seed", "rate", "trainable", "batch_shape",
    "init_values", "momentum", "epsilon", "registered_name", "dtype", "sparse", "ragged",
)  # fmt: skip
"""Settings with these words do not make two blocks different: dropout grows with the depth."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """What is drawn as one box: a layer, with what belongs to it.

    Attributes:
        number: position among the boxes; later boxes depend on earlier ones only.
        main: the layer that it is about.
        before: padding, normalisation, activation that its input passes first.
        after: normalisation and activation of its output.
        inputs: numbers of the boxes whose output it takes.
        is_frozen: whether it has weights and none of them learns.
    """

    number: int
    main: LayerNode
    before: tuple[LayerNode, ...]
    after: tuple[LayerNode, ...]
    inputs: tuple[int, ...]
    is_frozen: bool

    @property
    def layers(self) -> tuple[LayerNode, ...]:
        """All that is on it, in the order of the computation."""
        return (*self.before, self.main, *self.after)

    @property
    def family(self) -> str:
        """Its colour."""
        return family(self.main)

    @property
    def title(self) -> str:
        """What stands on it."""
        return title(self.main)

    @property
    def chips(self) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
        """Family and text of each mark before the title, and of those after it."""
        after = [(family(layer), chip(layer)) for layer in self.after]
        built_in = own_activation(self.main)
        if built_in is not None:
            after.insert(0, ("activation", built_in))
        return tuple((family(each), chip(each)) for each in self.before), tuple(after)

    @property
    def shape(self) -> Shape:
        """Of its output without the batch."""
        return _first_shape(self.layers[-1])[1:]

    @property
    def parameters(self) -> int:
        """Of all its layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def signature(self) -> str:
        """Equal for boxes of the same structure, whatever their names and sizes."""
        told = [[layer.kind, _structure(layer)] for layer in self.layers]
        return json.dumps([told, self.is_frozen], sort_keys=True, default=str)


def make_boxes(graph: ModelGraph, frozen: Collection[str] | None = None) -> tuple[Box, ...]:
    """Gathers the layers of a network into boxes.

    Args:
        graph: the network.
        frozen: names of the layers that don't learn; None for what the layers say themselves.

    Returns:
        The boxes, each after all that it takes its inputs from.

    Example:
        >>> pixels = LayerNode(name="pixels", kind="InputLayer")
        >>> conv = LayerNode(name="conv", kind="Conv2D", inputs=("pixels",))
        >>> relu = LayerNode(name="relu", kind="ReLU", inputs=("conv",))
        >>> graph = ModelGraph(name="tiny", layers=(pixels, conv, relu), outputs=("relu",))
        >>> [(box.title, box.chips[1]) for box in make_boxes(graph)]
        [('Input', ()), ('Conv', (('activation', 'ReLU'),))]
    """
    gathered = _Gathering.of(graph)
    boxes: list[Box] = []
    number_of: dict[str, int] = {}
    for before, main, after in gathered.groups():
        first = (*before, main)[0]
        layers = (*before, main, *after)
        sources = dict.fromkeys(number_of[name] for name in first.inputs)
        boxes.append(
            Box(
                number=len(boxes),
                main=main,
                before=tuple(before),
                after=tuple(after),
                inputs=tuple(sources),
                is_frozen=_is_frozen(layers, frozen),
            )
        )
        number_of.update({layer.name: len(boxes) - 1 for layer in layers})
    return tuple(boxes)


@dataclass(frozen=True, slots=True)
class _Gathering:
    layers: tuple[LayerNode, ...]
    by_name: dict[str, LayerNode]
    consumers: dict[str, list[str]]
    outputs: frozenset[str]

    @staticmethod
    def of(graph: ModelGraph) -> _Gathering:
        consumers: dict[str, list[str]] = {layer.name: [] for layer in graph.layers}
        for layer in graph.layers:
            for name in layer.inputs:
                consumers[name].append(layer.name)
        by_name = {layer.name: layer for layer in graph.layers}
        return _Gathering(graph.layers, by_name, consumers, frozenset(graph.outputs))

    def groups(self) -> list[tuple[list[LayerNode], LayerNode, list[LayerNode]]]:
        """What stands on each box: before the main layer, it, after it."""
        taken: set[str] = set()
        after: dict[str, list[LayerNode]] = {}
        for layer in self.layers:
            if layer.name not in taken and not _is_mark(layer):
                after[layer.name] = self._after(layer)
                taken.update(each.name for each in after[layer.name])
        before: dict[str, list[LayerNode]] = {}
        for layer in self.layers:
            if layer.name in after or layer.name in taken:
                continue
            chain = self._before(layer, taken)
            if chain is None:
                after[layer.name] = self._after(layer) if family(layer) == "normalisation" else []
                taken.update(each.name for each in after[layer.name])
            else:
                before[chain[-1].name] = chain[:-1]
                taken.update(each.name for each in chain[:-1])
        return [
            (before.get(layer.name, []), layer, after[layer.name])
            for layer in self.layers
            if layer.name in after and layer.name not in taken
        ]

    def _after(self, layer: LayerNode) -> list[LayerNode]:
        found: list[LayerNode] = []
        wanted = ["activation"]
        if family(layer) in _CARRIERS:
            wanted.append("normalisation")
        if family(layer) in _WITHOUT_ACTIVATION:
            return found
        if own_activation(layer):
            wanted.remove("activation")
        place = layer
        while (following := self._only_follower(place)) is not None:
            kind = family(following)
            if kind not in wanted:
                break
            wanted.remove(kind)
            found.append(following)
            place = following
        return found

    def _before(self, layer: LayerNode, taken: set[str]) -> list[LayerNode] | None:
        """A chain of marks that ends in a layer that can carry them, or None."""
        chain = [layer]
        while _is_mark(chain[-1]):
            following = self._only_follower(chain[-1])
            if following is None or following.name in taken:
                return None
            if family(following) == family(chain[-1]) and _is_mark(following):
                return None
            chain.append(following)
        return chain if family(chain[-1]) in ("convolution", "dense", "pooling") else None

    def _only_follower(self, layer: LayerNode) -> LayerNode | None:
        names = self.consumers[layer.name]
        if len(names) != 1 or layer.name in self.outputs:
            return None
        following = self.by_name[names[0]]
        return following if len(following.inputs) == 1 else None


def _is_mark(layer: LayerNode) -> bool:
    return family(layer) in ("normalisation", "activation") or layer.kind == "ZeroPadding2D"


def _is_frozen(layers: Sequence[LayerNode], frozen: Collection[str] | None) -> bool:
    owners = [layer for layer in layers if layer.weights]
    if not owners:
        return False
    if frozen is None:
        return not any(layer.trainable for layer in owners)
    return all(layer.name in frozen for layer in owners)


def _first_shape(layer: LayerNode) -> Shape:
    shape = layer.output_shape
    if shape and isinstance(shape[0], tuple):
        return shape[0]
    return shape  # type: ignore[return-value]


def _structure(layer: LayerNode) -> dict[str, object]:
    return {
        name: value
        for name, value in layer.settings.items()
        if not any(word in name for word in _NO_STRUCTURE)
    }
