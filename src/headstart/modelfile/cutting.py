"""Where to cut a network that somebody else trained: its output layer, its head, its blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headstart.errors import ArgumentError
from headstart.modelfile.graph import LayerNode, ModelGraph
from headstart.modelfile.naming import find_node

_ANSWERS = frozenset({
    "Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "Flatten", "GaussianDropout",
    "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Identity", "Mean", "Relu", "Reshape",
    "Sigmoid", "Softmax",
})  # fmt: skip
"""What may stand between the output layer, which has weights, and the output."""

_SPATIAL = 4


@dataclass(frozen=True, slots=True)
class CutPlace:
    """A place to cut.

    Attributes:
        node: the layer after which the network is cut; its output is what is kept.
        removed: names of the layers that go, in order.
        shape: of what comes out there, without the batch axis.
    """

    node: str
    removed: tuple[str, ...]
    shape: tuple[int | None, ...]


def output_layer(graph: ModelGraph) -> LayerNode | None:
    """Returns the layer that gives the classes: the last one with weights below the output.

    Returns:
        The layer, or None where the graph has several outputs or none of its layers fits.

    Example:
        >>> layers = (
        ...     LayerNode(name="photo", kind="InputLayer", output_shape=(None, 8)),
        ...     LayerNode(name="classes", kind="Dense", inputs=("photo",), output_shape=(None, 3),
        ...               weights={"kernel": (8, 3), "bias": (3,)}),
        ...     LayerNode(name="softmax", kind="Softmax", inputs=("classes",)),
        ... )
        >>> output_layer(ModelGraph(name="m", layers=layers, outputs=("softmax",))).name
        'classes'
    """
    if len(graph.outputs) != 1:
        return None
    nodes = {layer.name: layer for layer in graph.layers}
    node = nodes[graph.outputs[0]]
    while node.kind in _ANSWERS and not node.weights and len(node.inputs) == 1:
        node = nodes[node.inputs[0]]
    return node if node.weights and len(node.inputs) == 1 else None


def find_place(graph: ModelGraph, cut: str) -> CutPlace:
    """Finds where to cut.

    Args:
        graph: of a classifier.
        cut: `auto` cuts off the whole head: all dense layers behind the last map. `-1` cuts off the
            output layer alone, `-2` the last two layers with weights. Anything else names the layer
            after which to cut.

    Raises:
        ArgumentError: when there is no such layer, or nothing would be left.
    """
    if cut == "auto":
        node = _below_head(graph)
    elif re.fullmatch(r"-[1-9]\d*", cut):
        node = _below_last(graph, -int(cut))
    else:
        node = find_node(graph, cut, argument="cut")
    kept = ancestors(graph, node)
    nodes = {layer.name: layer for layer in graph.layers}
    if not any(nodes[name].weights for name in kept):
        raise ArgumentError(
            f"cut={cut!r} leaves nothing that was learnt: below {node!r} no layer has weights. "
            "This model has nothing to give; train a new one."
        )
    removed = tuple(layer.name for layer in graph.layers if layer.name not in kept)
    return CutPlace(node, removed, _single(nodes[node])[1:])


def ancestors(graph: ModelGraph, node: str) -> set[str]:
    """Returns a node and all that it depends on."""
    found = {node}
    for layer in reversed(graph.layers):
        if layer.name in found:
            found.update(layer.inputs)
    return found


def block_ends(graph: ModelGraph, last: str) -> tuple[str, ...]:
    """Returns the ends of blocks below a cut: where one tensor alone goes on, before it shrinks.

    Args:
        graph: of a model.
        last: the node after which it is cut, which is always the last end.
    """
    kept = ancestors(graph, last)
    layers = [layer for layer in graph.layers if layer.name in kept]
    last_use = {name: at for at, layer in enumerate(layers) for name in layer.inputs}
    open_until, ends = 0, []
    for at, layer in enumerate(layers[:-1]):
        open_until = max(open_until, last_use.get(layer.name, at))
        after = layers[at + 1]
        # One tensor goes on when nothing made before it is used behind the next layer.
        goes_on_alone = open_until == at + 1 and after.inputs == (layer.name,)
        if goes_on_alone and _area(after) < _area(layer) and _has_weights(layers[: at + 1]):
            ends.append(layer.name)
    return (*ends, last)


def _below_head(graph: ModelGraph) -> str:
    nodes = {layer.name: layer for layer in graph.layers}
    node = _require_output(graph)
    below = nodes[node.inputs[0]]
    while len(below.output_shape) != _SPATIAL and len(below.inputs) == 1:
        if below.weights or (below.kind in _ANSWERS - {"Flatten"} and not _is_pooling(below)):
            below = nodes[below.inputs[0]]
            continue
        break
    has_map = any(
        len(nodes[name].output_shape) == _SPATIAL for name in ancestors(graph, below.name)
    )
    is_head = _has_weights([nodes[name] for name in ancestors(graph, below.name)])
    if not has_map or not is_head:
        return node.inputs[0]  # dense layers all the way down: the output layer alone is cut off
    if below.kind == "Flatten":
        return below.inputs[0]  # the map itself, which is pooled into far fewer features
    return below.name


def _is_pooling(layer: LayerNode) -> bool:
    return layer.kind.startswith("Global") or layer.kind == "Mean"


def _below_last(graph: ModelGraph, count: int) -> str:
    nodes = {layer.name: layer for layer in graph.layers}
    node = _require_output(graph)
    for _ in range(count - 1):
        below = nodes[node.inputs[0]]
        while not below.weights and len(below.inputs) == 1:
            below = nodes[below.inputs[0]]
        if not below.weights or len(below.inputs) != 1:
            raise ArgumentError(
                f"cut='-{count}' goes past {below.name!r}, where branches meet or the input is "
                "reached. Name the layer after which to cut."
            )
        node = below
    return node.inputs[0]


def _require_output(graph: ModelGraph) -> LayerNode:
    node = output_layer(graph)
    if node is None:
        raise ArgumentError(
            f"cut: this model has {len(graph.outputs)} outputs, and no single output layer to cut "
            "off. Name the layer after which to cut: --cut LAYER."
        )
    return node


def _single(layer: LayerNode) -> tuple[int | None, ...]:
    return tuple(side for side in layer.output_shape if not isinstance(side, tuple))


def _area(layer: LayerNode) -> int:
    shape = _single(layer)
    return (shape[1] or 1) * (shape[2] or 1) if len(shape) == _SPATIAL else 1


def _has_weights(layers: list[LayerNode]) -> bool:
    return any(layer.weights for layer in layers)
