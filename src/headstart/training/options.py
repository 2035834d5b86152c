"""Names and options that people write, held against what there is."""

import inspect
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from headstart.errors import ArgumentError, near_matches


def find_name(argument: str, name: str, known: Iterable[str], *, own_code: bool = False) -> str:
    """Returns the known name that a person means, whatever its case, underscores and hyphens.

    Args:
        argument: what the name was given for, as the error names it.
        name: as written.
        known: every name there is.
        own_code: whether one's own function could stand there instead, for the error to say.

    Raises:
        ArgumentError: when there is none, with near matches and all that are.

    Example:
        >>> find_name("optimizer", "rms_prop", ["Adam", "RMSprop"])
        'RMSprop'
    """
    known = sorted(known)
    by_letters = {_letters(each): each for each in known}
    if _letters(name) not in by_letters:
        own = "; or your own as module:function or file.py:function" if own_code else ""
        raise ArgumentError(
            f"{argument}={name!r} is unknown.{near_matches(name, known)} "
            f"Expected one of: {', '.join(known)}{own}."
        )
    return by_letters[_letters(name)]


def options_of(function: Callable[..., Any], *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Returns the named arguments of a function or class, with their defaults.

    Args:
        function: its catch-alls (`*args`, `**kwargs`) are left out.
        without: arguments that are given in another way.

    Returns:
        name -> default; `inspect.Parameter.empty` where there is none.

    Example:
        >>> options_of(lambda rate, *, momentum=0.9: None, without=["rate"])
        {'momentum': 0.9}
    """
    parameters = inspect.signature(function).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        each.name: each.default
        for each in parameters
        if each.kind in named and each.name not in without
    }


def check_options(
    subject: str,
    options: Mapping[str, Any],
    *,
    defaults: Mapping[str, Any],
    lists: Collection[str] = (),
) -> None:
    """Checks that options exist and are of the kind of their defaults.

    Args:
        subject: whose options they are, as the error names it: "optimizer='adam'".
        options: as given.
        defaults: every option there is, and its default.
        lists: those where a list of numbers does as well as a number.

    Raises:
        ArgumentError: naming the first that does not fit, with near matches or what was expected.

    Example:
        >>> check_options("optimizer='sgd'", {"momentun": 0.9}, defaults={"momentum": 0.0})
        Traceback (most recent call last):
        headstart.errors.ArgumentError: optimizer='sgd' has no option momentun. Did you mean ...
    """
    for name, value in options.items():
        if name not in defaults:
            possible = ", ".join(defaults) or "none"
            raise ArgumentError(
                f"{subject} has no option {name}.{near_matches(name, defaults)} "
                f"Its options: {possible}."
            )
        many = name in lists and isinstance(value, (list, tuple))
        misfits = [_misfit(each, defaults[name]) for each in (value if many else [value])]
        for expected in filter(None, misfits):
            raise ArgumentError(f"{subject}: {name}={value!r} does not fit; expected {expected}.")


def check_call(
    subject: str,
    function: Callable[..., Any],
    *,
    positional: tuple[str, ...] = (),
    named: Iterable[str] = (),
) -> None:
    """Checks that a function of the user's own takes what it will be called with.

    Args:
        subject: the function as the user gave it, as the error names it: "loss='x.py:focal'".
        function: not called.
        positional: what to call its arguments that come by position; only their number counts.
        named: those that come by name.

    Raises:
        ArgumentError: saying how it would be called.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # compiled functions have none
        return
    try:
        signature.bind(*positional, **dict.fromkeys(named))
    except TypeError as error:
        call = ", ".join([*positional, *(f"{name}=..." for name in named)])
        raise ArgumentError(
            f"{subject} cannot be called with ({call}): {error}. It takes {signature}."
        ) from None


def is_number(value: object) -> bool:
    """Tells whether a value is a finite number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _misfit(value: Any, default: Any) -> str:
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if is_number(default):
        return "" if is_number(value) else f"a number; {default} when left out"
    if isinstance(default, str) != isinstance(value, str):
        return f"text, as {default!r}" if isinstance(default, str) else "a number, not text"
    return ""


def _letters(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").strip()
