"""Settings of layers as files hold them, checked one by one: nothing is passed on as it is."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from headstart.errors import ModelFileError

MAX_SIDE = 2**24
"""No kernel, stride, unit count or size of a real network is larger."""

ACTIVATIONS = frozenset({
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "squareplus", "tanh", "tanh_shrink",
})  # fmt: skip

_OLD_ACTIVATIONS = {"swish": "silu", "hard_swish": "hard_silu"}

Check = Callable[[Any], Any]


class Unfit(Exception):  # noqa: N818 - caught where the layer's name is known
    """A setting that does not fit; holds what was expected."""


def whole(value: Any) -> int:
    """A positive whole number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise Unfit("a whole number")
    if not 1 <= value <= MAX_SIDE:
        raise Unfit(f"a whole number from 1 to {MAX_SIDE}")
    return int(value)


def number(value: Any) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unfit("a number")
    return float(value)


def fraction(value: Any) -> float:
    """A number from 0 to 1."""
    if not 0.0 <= number(value) <= 1.0:
        raise Unfit("a number from 0 to 1")
    return float(value)


def flag(value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | int):
        raise Unfit("true or false")
    return bool(value)


def pair(value: Any) -> tuple[int, int]:
    """Two positive whole numbers, or one that stands for both."""
    values = value if isinstance(value, list | tuple) else (value, value)
    if len(values) != 2:
        raise Unfit("two whole numbers")
    return whole(values[0]), whole(values[1])


def margins(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """What is added or cut on each side: ((top, bottom), (left, right)), or shorter."""
    sides = value if isinstance(value, list | tuple) else (value, value)
    if len(sides) != 2:
        raise Unfit("margins such as [[1, 1], [1, 1]]")
    pairs = [side if isinstance(side, list | tuple) else (side, side) for side in sides]
    if any(len(side) != 2 for side in pairs):
        raise Unfit("margins such as [[1, 1], [1, 1]]")
    found = [tuple(0 if part == 0 else whole(part) for part in side) for side in pairs]
    return (found[0][0], found[0][1]), (found[1][0], found[1][1])


def axis(value: Any) -> int:
    """One axis; old files write it as a list of one."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, int) or not -8 <= value <= 8:
        raise Unfit("an axis")
    return value


def axes(value: Any) -> tuple[int, ...]:
    """Some axes, or one."""
    values = value if isinstance(value, list | tuple) else (value,)
    if len(values) > 8:
        raise Unfit("a few axes")
    return tuple(axis(each) for each in values)


def sizes(value: Any) -> tuple[int | None, ...]:
    """A shape without its batch axis; None and -1 where a size is open."""
    if not isinstance(value, list | tuple) or len(value) > 8:
        raise Unfit("a shape")
    return tuple(None if each is None else -1 if each == -1 else whole(each) for each in value)


def numbers(value: Any) -> float | tuple[Any, ...]:
    """A number, or nested lists of such, as Rescaling and Normalization keep them."""
    if isinstance(value, dict):  # an array as Keras writes it
        value = (value.get("config") or {}).get("value")
    if isinstance(value, list | tuple):
        if len(value) > 65_536:
            raise Unfit("fewer numbers")
        return tuple(numbers(each) for each in value)
    return number(value)


def optional(check: Check) -> Check:
    """The same, or None."""
    return lambda value: None if value is None else check(value)


def choice(*words: str) -> Check:
    """One of some words."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or value.lower() not in words:
            raise Unfit(" or ".join(words))
        return value.lower()

    return check


def only(*values: Any) -> Check:
    """What is understood at one value alone."""

    def check(value: Any) -> Any:
        if value not in values:
            raise Unfit(" or ".join(map(str, values)))
        return values[0]

    return check


def activation(value: Any) -> str:
    """Name of an activation out of a closed list, however the file wraps it."""
    for _ in range(3):
        if not isinstance(value, dict):
            break
        inner = value.get("config")
        value = inner if isinstance(inner, str | dict) and inner else value.get("class_name")
    if value is None:
        return "linear"
    name = _OLD_ACTIVATIONS.get(value, value) if isinstance(value, str) else None
    if name not in ACTIVATIONS:
        raise Unfit("one of Keras' activations")
    return str(name)


def penalty(value: Any) -> dict[str, float] | None:
    """A regulariser as its factors; L1, L2 and both are known."""
    if not isinstance(value, dict):
        if value is None:
            return None
        raise Unfit("an L1 or L2 regulariser")
    config = value.get("config")
    config = config if isinstance(config, dict) else value
    found = {key: number(config[key]) for key in ("l1", "l2") if config.get(key)}
    if not found and value.get("class_name") not in ("L1", "L2", "L1L2", "WeightRegularizer", None):
        raise Unfit("an L1 or L2 regulariser")
    return found or None


def check_settings(
    config: Mapping[str, Any], known: Mapping[str, tuple[Check, Any]], *, layer: str, kind: str
) -> dict[str, Any]:
    """Takes the settings that a kind of layer has out of a config.

    Args:
        config: of a layer, from a file.
        known: check and default of every setting; a default of `...` means that it must be there.
        layer: name, for messages.
        kind: the same.

    Raises:
        ModelFileError: naming the setting that does not fit.

    Example:
        >>> check_settings({"units": 10.0}, {"units": (whole, ...)}, layer="d", kind="Dense")
        {'units': 10}
    """
    found = {}
    for name, (check, default) in known.items():
        value = config.get(name, default)
        if value is ... or (value is None and default is ...):
            raise ModelFileError(f"Layer {layer!r} ({kind}) lacks its setting {name!r}.")
        try:
            found[name] = check(value)
        except Unfit as error:
            shown = repr(value)
            shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
            raise ModelFileError(
                f"Layer {layer!r} ({kind}) has {name}={shown}; expected {error}."
            ) from None
    return found
