"""Operations between layers, as `x * 2` or `keras.ops.flip(x)` leave them in a file.

Their arguments are kept in a layer's settings under `arguments`: plain values, where
`{"input": 0}` stands for the first input and `{"slice": [start, stop, step]}` for a slice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headstart.modelfile.graph import Shape
from headstart.modelfile.kinds import Misfit, Settings
from headstart.modelfile.kinds_merging import broadcast
from headstart.modelfile.settings import Unfit, number

MAX_CONSTANTS = 4096

BINARY = frozenset(
    {"Add", "Divide", "Maximum", "Minimum", "Multiply", "Power", "Subtract", "TrueDivide"}
)
UNARY = frozenset({
    "Abs", "Elu", "Exp", "Gelu", "HardSigmoid", "HardSilu", "LeakyRelu", "Negative", "Relu",
    "Relu6", "Sigmoid", "Silu", "Softmax", "Softplus", "Sqrt", "Square", "Tanh",
})  # fmt: skip
REDUCING = frozenset({"Max", "Mean", "Sum"})
OPERATIONS = BINARY | UNARY | REDUCING | {"Flip", "GetItem"}
"""The closed list; anything else is refused."""

_TENSORFLOW = {
    "__operators__.add": "Add",
    "math.add": "Add",
    "math.divide": "Divide",
    "math.multiply": "Multiply",
    "math.subtract": "Subtract",
    "math.truediv": "Divide",
    "nn.bias_add": "Add",
    "nn.relu": "Relu",
    "nn.relu6": "Relu6",
    "nn.sigmoid": "Sigmoid",
    "nn.softmax": "Softmax",
    "math.sigmoid": "Sigmoid",
}


def from_tensorflow(function: str) -> str | None:
    """Returns Keras' name of a TensorFlow function that tf.keras left in a file.

    Example:
        >>> from_tensorflow("math.truediv")
        'Divide'
    """
    return _TENSORFLOW.get(function)


def encode(value: Any, inputs: list[Any], is_reference: Callable[[Any], Any]) -> Any:
    """Turns an argument from a file into plain values.

    Args:
        value: from JSON.
        inputs: what the operation takes from other layers; grows.
        is_reference: returns what a value refers to, or None.

    Raises:
        Unfit: for anything that is neither a number, a word, a slice nor a list of such.
    """
    found = is_reference(value)
    if found is not None:
        inputs.append(found)
        return {"input": len(inputs) - 1}
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        number(value)
        return value
    if isinstance(value, list):
        if len(value) > MAX_CONSTANTS:
            raise Unfit("fewer constants")
        return [encode(each, inputs, is_reference) for each in value]
    if isinstance(value, dict):
        return _encode_dict(value)
    raise Unfit("plain values")


def _encode_dict(value: Mapping[str, Any]) -> Any:
    kind = value.get("class_name")
    config = value.get("config")
    if kind == "__ellipsis__":
        return {"slice": "..."}
    if kind == "__slice__" and isinstance(config, dict):
        value = config
    if kind == "__numpy__" or (kind == "__tensor__" and isinstance(config, dict)):
        constant = (config or {}).get("value")
        return encode(constant, [], lambda _: None)
    if {"start", "stop", "step"} <= set(value):
        parts = [value[name] for name in ("start", "stop", "step")]
        if all(part is None or (isinstance(part, int) and abs(part) < 2**31) for part in parts):
            return {"slice": parts}
    raise Unfit("plain values")


def operation_shape(kind: str, settings: Settings, shapes: Sequence[Shape]) -> Shape:
    """Returns the shape of an operation's output.

    Raises:
        Misfit: when its inputs do not go together.
    """
    if kind in BINARY:
        constants = [_constant_shape(each) for each in settings["arguments"]]
        found = shapes[0]
        for shape in (*shapes[1:], *(each for each in constants if each)):
            found = broadcast(found, shape)
        return found
    if kind in REDUCING:
        return _reduced(settings, shapes[0])
    if kind == "GetItem":
        return _indexed(settings["arguments"][1:], shapes[0])
    return shapes[0]


def _constant_shape(value: Any) -> Shape:
    shape: list[int] = []
    while isinstance(value, list) and value:
        shape.append(len(value))
        value = value[0]
    return tuple(shape)


def _reduced(settings: Settings, shape: Shape) -> Shape:
    chosen = settings.get("axis")
    if chosen is None:
        raise Misfit("would mix the photos of a batch")
    chosen = chosen if isinstance(chosen, tuple) else (chosen,)
    if any(not -len(shape) <= each < len(shape) for each in chosen):
        raise Misfit(f"has axis {chosen}, but gets shape {tuple(shape)}")
    gone = {each % len(shape) for each in chosen}
    if 0 in gone:
        raise Misfit("would mix the photos of a batch")
    if settings.get("keepdims"):
        return tuple(1 if at in gone else side for at, side in enumerate(shape))
    return tuple(side for at, side in enumerate(shape) if at not in gone)


def _indexed(arguments: Sequence[Any], shape: Shape) -> Shape:
    spec = arguments[0] if arguments else []
    spec = spec if isinstance(spec, list) else [spec]
    if {"slice": "..."} in spec:
        at = spec.index({"slice": "..."})
        taken = sum(each is not None for each in spec) - 1
        spec = [*spec[:at], *[{"slice": [None] * 3}] * (len(shape) - taken), *spec[at + 1 :]]
    if len([each for each in spec if each is not None]) > len(shape):
        raise Misfit(f"takes more axes than shape {tuple(shape)} has")
    sides: list[int | None] = []
    left = list(shape)
    for each in spec:
        if each is None:
            sides.append(1)
        elif isinstance(each, dict) and isinstance(each.get("slice"), list):
            side = left.pop(0)
            if each["slice"][2] == 0:
                raise Misfit("has a slice of step 0")
            sides.append(None if side is None else len(range(side)[slice(*each["slice"])]))
        elif isinstance(each, int):
            side = left.pop(0)
            if side is not None and not -side <= each < side:
                raise Misfit(f"takes number {each} of an axis of {side}")
        else:
            raise Misfit("takes a part in a way that is not known here")
    return (*sides, *left)
