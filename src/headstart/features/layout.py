"""Removes the layout changes that a Keras graph carries into OpenVINO.

Keras computes channels-last, OpenVINO's convolutions channels-first. Keras' OpenVINO backend
therefore wraps every convolution and normalisation in two `Transpose` nodes: 260 of them in
MobileNetV2, two thirds of its running time, and they keep OpenVINO from folding BatchNorm into the
convolutions. Here each transpose is pushed down through the nodes that don't care about the order
of the axes, until it meets its inverse and both vanish. (OpenVINO does this itself only when it
converts a TensorFlow graph, which would cost an import of TensorFlow.)

Nothing here is trusted: the engine compares the result with the untouched graph on real photos.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import openvino

_ONE_INPUT = frozenset(
    {
        "Abs", "Clamp", "Convert", "Elu", "Erf", "Exp", "Gelu", "HSigmoid", "HSwish", "HardSigmoid",
        "Mish", "Negative", "PRelu", "Relu", "Sigmoid", "SoftPlus", "Sqrt", "Swish", "Tanh",
    }
)  # fmt: skip
_TWO_INPUTS = frozenset(
    {"Add", "Divide", "Maximum", "Minimum", "Multiply", "Power", "SquaredDifference", "Subtract"}
)
_REDUCTIONS = frozenset({"ReduceMax", "ReduceMean", "ReduceSum"})

Order = tuple[int, ...]
"""How a transpose reorders axes: axis i of its output is axis order[i] of its input."""


def remove_transposes(model: "openvino.Model") -> int:
    """Pushes transposes down an OpenVINO graph, in place, until they cancel.

    Args:
        model: any graph; nodes of kinds not known here keep the layout they have.

    Returns:
        How many transposes of activations are left.
    """
    for node in model.get_ordered_ops():
        handler = _handler(node.get_type_name())
        if handler is not None:
            handler(node)
    model.validate_nodes_and_infer_types()
    return sum(_transposed(node.output(0)) is not None for node in model.get_ordered_ops())


def _handler(kind: str) -> Callable[[Any], None] | None:
    if kind in _ONE_INPUT:
        return _through_one_input
    if kind in _TWO_INPUTS:
        return _through_two_inputs
    if kind in _REDUCTIONS:
        return _through_reduction
    return {
        "BatchNormInference": _through_batch_norm,
        "Concat": _through_concat,
        "Pad": _through_pad,
        "Transpose": _merge,
    }.get(kind)


def _transposed(output: Any) -> tuple[Any, Order] | None:
    """Returns the source and the order when an activation comes out of a transpose."""
    node = output.get_node()
    if node.get_type_name() != "Transpose" or _is_constant(output):
        return None
    order = _value(node.input_value(1))
    return None if order is None else (node.input_value(0), tuple(int(axis) for axis in order))


def _value(output: Any) -> "np.ndarray[Any, Any] | None":
    node = output.get_node()
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return np.asarray(node.data) if node.get_type_name() == "Constant" else None


def _is_constant(output: Any, depth: int = 4) -> bool:
    """Tells weights from activations: a weight is a constant, converted or reshaped a few times."""
    node = output.get_node()
    if node.get_type_name() == "Constant":
        return True
    values = node.input_values()
    return depth > 0 and bool(values) and all(_is_constant(value, depth - 1) for value in values)


def _inverse(order: Order) -> Order:
    return tuple(int(axis) for axis in np.argsort(order))


def _transpose(output: Any, order: Order) -> Any:
    from openvino import opset13

    if order == tuple(range(len(order))):
        return output
    return opset13.transpose(output, np.array(order, np.int64)).output(0)


def _move_consumers(consumers: Any, output: Any) -> None:
    for consumer in consumers:
        consumer.replace_source_output(output)


def _merge(node: Any) -> None:
    upper, lower = _transposed(node.input_value(0)), _transposed(node.output(0))
    if upper is None or lower is None:
        return
    source, order = upper
    consumers = node.output(0).get_target_inputs()
    _move_consumers(consumers, _transpose(source, tuple(order[axis] for axis in lower[1])))


def _through_one_input(node: Any) -> None:
    found = _transposed(node.input_value(0))
    parameters = [_value(value) for value in node.input_values()[1:]]
    if found is None or any(value is None or value.size != 1 for value in parameters):
        return
    source, order = found
    _rewire(node, {0: source}, order)


def _through_two_inputs(node: Any) -> None:
    found = [_transposed(value) for value in node.input_values()]
    orders = {order for _, order in filter(None, found)}
    if len(orders) != 1:
        return
    order = orders.pop()
    sources = {}
    for position, (value, item) in enumerate(zip(node.input_values(), found, strict=True)):
        source = item[0] if item else _in_source_layout(value, order)
        if source is None:
            return
        sources[position] = source
    _rewire(node, sources, order)


def _in_source_layout(output: Any, order: Order) -> Any | None:
    """Brings the other operand into the layout above the transpose; None where that is unsafe."""
    from openvino import opset13

    shape = output.get_partial_shape()
    if shape.rank.is_dynamic:
        return None
    missing = len(order) - len(shape)
    if missing == len(order):
        return output
    if missing > 0:
        output = opset13.unsqueeze(output, np.arange(missing, dtype=np.int64)).output(0)
    return _transpose(output, _inverse(order))


def _through_pad(node: Any) -> None:
    found = _transposed(node.input_value(0))
    begin, end = _value(node.input_value(1)), _value(node.input_value(2))
    if found is None or begin is None or end is None:
        return
    source, order = found
    back = list(_inverse(order))
    sources = {0: source, 1: _constant(begin[back]), 2: _constant(end[back])}
    _rewire(node, sources, order)


def _through_batch_norm(node: Any) -> None:
    found = _transposed(node.input_value(0))
    # Its channels are axis 1, above and below; Keras reaches that by swapping axes 1 and 3, which
    # leaves height and width exchanged.
    if found is not None and found[1][1] == 1:
        _rewire(node, {0: found[0]}, found[1])


def _through_concat(node: Any) -> None:
    from openvino import opset13

    found = [_transposed(value) for value in node.input_values()]
    if any(item is None for item in found) or len({item[1] for item in found if item}) != 1:
        return
    order = found[0][1] if found[0] else ()
    axis = int(node.get_attributes()["axis"]) % len(order)
    consumers = node.output(0).get_target_inputs()
    merged = opset13.concat([item[0] for item in found if item], order[axis])
    merged.set_friendly_name(node.get_friendly_name())
    _move_consumers(consumers, _transpose(merged.output(0), order))


def _through_reduction(node: Any) -> None:
    found, axes = _transposed(node.input_value(0)), _value(node.input_value(1))
    if found is None or axes is None:
        return
    source, order = found
    gone = {int(axis) % len(order) for axis in axes.ravel()}
    reduced = _constant(np.array(sorted(order[axis] for axis in gone), np.int64))
    if node.get_attributes()["keep_dims"]:
        _rewire(node, {0: source, 1: reduced}, order)
        return
    kept = [order[axis] for axis in range(len(order)) if axis not in gone]
    _rewire(node, {0: source, 1: reduced}, tuple(sorted(kept).index(axis) for axis in kept))


def _constant(values: "np.ndarray[Any, Any]") -> Any:
    from openvino import opset13

    return opset13.constant(np.asarray(values, np.int64)).output(0)


def _rewire(node: Any, sources: dict[int, Any], order: Order) -> None:
    """Lets a node work on the layout above a transpose, and transposes what it gives instead."""
    consumers = node.output(0).get_target_inputs()
    for position, source in sources.items():
        node.input(position).replace_source_output(source)
    node.validate_and_infer_types()
    _move_consumers(consumers, _transpose(node.output(0), order))
