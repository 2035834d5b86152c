"""The user's own functions: `module:function` or `file.py:function`."""

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from headstart.errors import ArgumentError, near_matches


def is_own_code(place: str) -> bool:
    """Tells whether a text names a function of the user's own, without looking for it.

    Args:
        place: `module:function` or `file.py:function` if it does.

    Example:
        >>> is_own_code("losses.py:focal"), is_own_code("mlp:256"), is_own_code("adam")
        (True, False, False)
    """
    before, _, name = place.rpartition(":")
    return bool(before.strip()) and name.isidentifier()


def load_function(argument: str, place: str) -> tuple[Callable[..., Any], str]:
    """Imports a function of the user's own, and with it the text that it stands in.

    A file is run under a private name, so that it hides no module and no module hides it; it is run
    once a process for as long as its text stays the same. Nothing is written beside it.

    Args:
        argument: what the place was given for, as the error names it: "loss", "head", ...
        place: `module:function`, found as `import module` finds it, or `file.py:function`, with a
            path from the working folder.

    Returns:
        The function (anything that can be called), and the source of its whole module or file; the
        source is empty where a module has none, as compiled ones.

    Raises:
        ArgumentError: when the place is not written like that, the file or module cannot be
            imported, has no such name, or has something there that cannot be called.

    Example:
        >>> load_function("loss", "math:fsum")[0]([0.5, 0.25])
        0.75
    """
    if not is_own_code(place):
        raise ArgumentError(
            f"{argument}={place!r} names no function. Expected module:function or file.py:function."
        )
    before, _, name = place.rpartition(":")
    try:
        module, source = _run_file(before) if before.endswith(".py") else _import_module(before)
    except Exception as error:
        raise ArgumentError(
            f"{argument}={place!r} cannot be imported: {_reason(error)}."
        ) from error
    return _pick(module, name, f"{argument}={place!r} cannot be imported: {before}"), source


def load_file(argument: str, path: str) -> ModuleType:
    """Runs a Python file of the user's own, as `load_function` does.

    Raises:
        ArgumentError: when it is no Python file or cannot be run.
    """
    if not path.endswith(".py"):
        raise ArgumentError(f"{argument}={path!r} is no Python file. Expected file.py.")
    try:
        return _run_file(path)[0]
    except Exception as error:
        raise ArgumentError(f"{argument}={path!r} cannot be run: {_reason(error)}.") from error


def _pick(module: ModuleType, name: str, complaint: str) -> Callable[..., Any]:
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if callable(value)]
        raise ArgumentError(f"{complaint} has no function {name!r}.{near_matches(name, known)}")
    found: Callable[..., Any] = getattr(module, name)
    if not callable(found):
        raise ArgumentError(f"{complaint} has {name} = {found!r}, which is not a function.")
    return found


def _run_file(path: str) -> tuple[ModuleType, str]:
    file = Path(path).resolve()
    source = importlib.util.decode_source(file.read_bytes())
    digest = hashlib.sha256(f"{file}\n{source}".encode()).hexdigest()
    name = f"_headstart_own_{digest[:16]}"
    if name not in sys.modules:
        module = ModuleType(name)
        module.__file__ = str(file)
        sys.modules[name] = module  # dataclasses and pickled functions look themselves up there
        try:
            # Not by a loader, which would write compiled code beside the file and may later run
            # that in place of a text edited within the same second.
            exec(compile(source, file, "exec", dont_inherit=True), vars(module))  # noqa: S102
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name], source


def _import_module(name: str) -> tuple[ModuleType, str]:
    module = importlib.import_module(name)
    try:
        return module, inspect.getsource(module)
    except (OSError, TypeError):
        return module, ""


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no file {error.filename}"
    if isinstance(error, (ImportError, OSError)):
        return str(error)
    return f"{type(error).__name__}: {error}"
