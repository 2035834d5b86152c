"""Keras in a process of its own, so that it works while this one decodes photos.

Importing Keras and converting a network takes seconds, and a process has one Keras backend only. A
child with Keras' OpenVINO backend (no TensorFlow, JAX or PyTorch loaded) therefore builds,
converts and saves models; this process sends it calls and waits only when it needs an answer.
Calls travel as JSON lines, arrays as files that the arguments name.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Container, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from queue import SimpleQueue
from typing import IO, Any, Protocol

from headstart import errors

_NEVER_NEEDED = ("jax", "matplotlib", "tensorflow", "torch")
"""Keras imports these where they are installed, whatever its backend: TensorFlow when it writes a
config, JAX for a callback, matplotlib for a gallery. 3.9 s, of which nothing is used here."""


class KerasCaller(Protocol):
    """Whoever runs a function of this package that needs Keras."""

    def call(self, function: str, **arguments: Any) -> "Future[Any]":
        """Begins `package.module:function(**arguments)`; arguments and answer are JSON values."""


class KerasHere:
    """Runs the calls in this process, on the backend that Keras has here."""

    def call(self, function: str, **arguments: Any) -> "Future[Any]":
        """Runs the function at once."""
        future: Future[Any] = Future()
        try:
            future.set_result(_resolve(function)(**arguments))
        except Exception as error:
            future.set_exception(error)
        return future


class KerasProcess:
    """Runs the calls in a child, one after the other, in the order given.

    Example:
        >>> with keras_process("openvino") as keras_caller:
        ...     keras_caller.call("os.path:basename", p="photos/cats").result()
        'cats'
    """

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting: SimpleQueue[Future[Any]] = SimpleQueue()
        self._reader = threading.Thread(target=self._read_answers, daemon=True)

    def start(self) -> None:
        """Starts the child, which begins to import Keras; the first call does it otherwise."""
        if self._child is not None:
            return
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._child = subprocess.Popen(
            [sys.executable, "-m", "headstart.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "KERAS_BACKEND": self._backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self._reader.start()

    def call(self, function: str, **arguments: Any) -> "Future[Any]":
        """Sends a call; the child works on it when those before it are done."""
        self.start()
        future: Future[Any] = Future()
        self._waiting.put(future)
        line = json.dumps({"function": function, "arguments": arguments})
        try:
            _pipe(self._child, "stdin").write(line.encode() + b"\n")
            _pipe(self._child, "stdin").flush()
        except OSError:
            # The reader meets the end of the child's answers and fails every call that waits, save
            # one that came after it had left.
            self._reader.join()
            if not future.done():
                future.set_exception(errors.EngineError(self._last_words()))
        return future

    def close(self) -> None:
        """Ends the child; calls not yet answered fail."""
        if self._child is None:
            return
        with suppress(OSError):
            _pipe(self._child, "stdin").close()
        if self._child.poll() is None:
            self._child.terminate()
        self._child.wait()
        self._reader.join()
        _pipe(self._child, "stdout").close()
        self._log.close()

    def _read_answers(self) -> None:
        for line in _pipe(self._child, "stdout"):
            if not line.startswith(b"{"):
                continue  # printed by a library before the answers had their own pipe
            answer = json.loads(line)
            future = self._waiting.get()
            if "error" in answer:
                future.set_exception(error_of(answer["error"], answer["message"]))
            else:
                future.set_result(answer["result"])
        while not self._waiting.empty():
            self._waiting.get().set_exception(errors.EngineError(self._last_words()))

    def _last_words(self) -> str:
        code = None if self._child is None else self._child.wait()
        self._log.seek(0)
        text = self._log.read().decode(errors="replace").strip().splitlines()
        return f"The Keras process ended early (exit {code}). Its last lines: " + " | ".join(
            text[-3:]
        )


@contextmanager
def keras_process(backend: str) -> Iterator[KerasProcess]:
    """Starts a child with the given Keras backend and ends it with the block."""
    child = KerasProcess(backend)
    try:
        yield child
    finally:
        child.close()


def _pipe(child: "subprocess.Popen[bytes] | None", name: str) -> IO[bytes]:
    pipe: IO[bytes] | None = getattr(child, name)
    if pipe is None:
        raise errors.EngineError("The Keras process is not running.")
    return pipe


def _resolve(function: str) -> Any:
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)


def error_of(kind: str, message: str) -> Exception:
    """Returns an error of this package that another process met, by its name and message."""
    known = getattr(errors, kind, None)
    if isinstance(known, type) and issubclass(known, errors.HeadstartError):
        return known(message)
    return errors.EngineError(f"Another process met {kind}: {message}")


class _NotInstalled(MetaPathFinder):
    """Lets imports of some packages fail, as if they were not installed."""

    def __init__(self, packages: Container[str]) -> None:
        self._packages = packages

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuses the packages, and leaves all others to the finders behind this one."""
        if fullname in self._packages:
            raise ModuleNotFoundError(f"{fullname} is kept out of this process", name=fullname)


def _serve() -> None:
    # Libraries print to standard output; answers go through a copy of it that only this loop knows.
    answers = os.fdopen(os.dup(1), "w")
    # Ctrl-C reaches both processes of a terminal; the other one decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(2, 1)
    if os.environ.get("KERAS_BACKEND") == "openvino":
        sys.meta_path.insert(0, _NotInstalled(_NEVER_NEEDED))
        # Begun before the first call comes: the import takes longer than anything else here.
        importlib.import_module("keras")
    for line in sys.stdin:
        call = json.loads(line)
        try:
            answer = {"result": _resolve(call["function"])(**call["arguments"])}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": type(error).__name__, "message": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
