"""What a network costs: multiply-adds and memory, counted from its graph alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headstart.modelfile.graph import LayerNode, ModelGraph, Shape

_BYTES = 4
"""Of a float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCost:
    """What one layer is and costs.

    Attributes:
        name: of the layer; those of a nested model are named `outer/inner`.
        kind: Keras' name of its class.
        output_shape: of its output, batch first; of the first where it has several.
        parameters: numbers in its weights; 0 for a later call of a layer that was counted already.
        trainable: whether its weights learn.
        multiply_adds: for one photo; None where a size is open.
        activation_bytes: its output for one photo in float32; None where a size is open.
    """

    name: str
    kind: str
    output_shape: Shape
    parameters: int
    trainable: bool
    multiply_adds: int | None
    activation_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A network, layer by layer and in all.

    Attributes:
        name: of the network.
        layers: each layer where it is called, inputs first.
        parameters: of all layers.
        trainable_parameters: those that gradients move.
        multiply_adds: of convolutions, dense and attention layers for one photo, as papers count;
            None where a size is open.
        activation_bytes: all outputs for one photo in float32, which training keeps until the
            gradients are there; None where a size is open.
        peak_activation_bytes: the most that is needed at once to predict one photo, a layer at a
            time; None where a size is open.
    """

    name: str
    layers: tuple[LayerCost, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int | None
    activation_bytes: int | None
    peak_activation_bytes: int | None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return asdict(self)


def count_costs(graph: ModelGraph) -> Summary:
    """Counts what a network costs at the input size that it is described for.

    Args:
        graph: the network.

    Returns:
        Per layer and in all.

    Example:
        >>> image = LayerNode(name="image", kind="InputLayer", output_shape=(None, 8, 8, 3))
        >>> kernel = {"kernel": (3, 3, 3, 4), "bias": (4,)}
        >>> conv = LayerNode(
        ...     name="conv", kind="Conv2D", inputs=("image",), output_shape=(None, 8, 8, 4),
        ...     weights=kernel,
        ... )
        >>> found = count_costs(ModelGraph(name="tiny", layers=(image, conv), outputs=("conv",)))
        >>> found.parameters, found.multiply_adds, found.activation_bytes
        (112, 6912, 1792)
    """
    by_name = {layer.name: layer for layer in graph.layers}
    layers = tuple(_cost(layer, by_name) for layer in graph.layers)
    return Summary(
        name=graph.name,
        layers=layers,
        parameters=graph.parameters,
        trainable_parameters=graph.trainable_parameters,
        multiply_adds=_sum([layer.multiply_adds for layer in layers]),
        activation_bytes=_sum([layer.activation_bytes for layer in layers]),
        peak_activation_bytes=_peak(graph, layers),
    )


def _cost(layer: LayerNode, by_name: Mapping[str, LayerNode]) -> LayerCost:
    shapes = _shapes(layer)
    sizes = [_size(shape) for shape in shapes]
    total = _sum(sizes)
    return LayerCost(
        name=layer.name,
        kind=layer.kind,
        output_shape=shapes[0] if shapes else (),
        parameters=layer.parameters,
        trainable=layer.trainable,
        multiply_adds=_multiply_adds(layer, by_name),
        activation_bytes=None if total is None else total * _BYTES,
    )


def _multiply_adds(layer: LayerNode, by_name: Mapping[str, LayerNode]) -> int | None:
    """One multiplication for each weight of a kernel at each place where it is used."""
    weights = layer.weights
    if not any(len(shape) > 1 for shape in weights.values()):
        return 0
    before, after = _input_shape(layer, by_name), _shapes(layer)[0]
    if "Transpose" in layer.kind:
        return _times(_positions(before), _kernels(weights))
    if "Conv" in layer.kind:
        # The pointwise kernel of a separable convolution is used at the same places.
        return _times(_positions(after), _kernels(weights))
    if layer.kind in ("MultiHeadAttention", "GroupedQueryAttention"):
        return _attention(weights, before)
    if layer.kind in ("Dense", "EinsumDense"):
        return _dense(layer, _size(before))
    return 0  # rows of an embedding are looked up, scale and offset are not counted


def _dense(layer: LayerNode, inputs: int | None) -> int | None:
    kernel = next(shape for shape in layer.weights.values() if len(shape) > 1)
    contracted = _contracted(layer, kernel) if layer.kind == "EinsumDense" else kernel[0]
    return None if inputs is None else inputs // max(contracted, 1) * math.prod(kernel)


def _contracted(layer: LayerNode, kernel: Sequence[int]) -> int:
    """Product of the axes of a kernel that are summed over, as its equation says."""
    equation = str(layer.settings.get("equation", ""))
    sources, _, result = equation.partition("->")
    _, _, letters = sources.partition(",")
    letters = letters.replace(".", "")
    summed = [size for letter, size in zip(letters, kernel, strict=False) if letter not in result]
    return math.prod(summed) if letters else kernel[0]


def _attention(weights: Mapping[str, tuple[int, ...]], before: Shape) -> int | None:
    """Projections at each position, and each position's scores and sums over all others."""
    positions = _size(before[:-1])
    if positions is None:
        return None
    query = next((shape for name, shape in weights.items() if "query" in name and len(shape) > 1),
                 ())  # fmt: skip
    inner = math.prod(query[1:])
    return positions * _kernels(weights) + 2 * positions * positions * inner


def _kernels(weights: Mapping[str, tuple[int, ...]]) -> int:
    return sum(
        math.prod(shape) for name, shape in weights.items() if len(shape) > 1 and "bias" not in name
    )


def _positions(shape: Shape) -> int | None:
    return _size(shape[:-1])


def _times(count: int | None, factor: int) -> int | None:
    return None if count is None else count * factor


def _input_shape(layer: LayerNode, by_name: Mapping[str, LayerNode]) -> Shape:
    if not layer.inputs:
        return ()
    shapes = _shapes(by_name[layer.inputs[0]])
    return shapes[0] if shapes else ()


def _shapes(layer: LayerNode) -> tuple[Shape, ...]:
    shape = layer.output_shape
    if not shape:
        return ((),)
    if isinstance(shape[0], tuple):
        return tuple(each for each in shape if isinstance(each, tuple))
    return (shape,)


def _size(shape: Shape) -> int | None:
    """Numbers in a tensor for one photo."""
    sides = shape[1:]
    if any(side is None for side in sides):
        return None
    return math.prod(side for side in sides if side is not None)


def _sum(values: Sequence[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _peak(graph: ModelGraph, layers: Sequence[LayerCost]) -> int | None:
    """The largest sum of outputs that are still needed, over all layers in order."""
    last_use = {node.name: at for at, node in enumerate(graph.layers)}
    for at, node in enumerate(graph.layers):
        last_use.update(dict.fromkeys(node.inputs, at))
    last_use.update(dict.fromkeys(graph.outputs, len(layers)))
    ends: dict[int, list[int]] = {}
    alive = peak = 0
    for at, layer in enumerate(layers):
        if layer.activation_bytes is None:
            return None
        alive += layer.activation_bytes
        peak = max(peak, alive)
        ends.setdefault(last_use[layer.name], []).append(layer.activation_bytes)
        alive -= sum(ends.pop(at, []))
    return peak
