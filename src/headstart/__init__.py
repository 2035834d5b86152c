"""Headstart: transfer learning for Keras.

From a folder of photos to a classifier that you can trust, in seconds instead of hours, on the
machine that you have.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.artifact.run import Run, load_run
    from headstart.workflow.check import check
    from headstart.workflow.classify import classify
    from headstart.workflow.train import train
    from headstart.workflow.use import evaluate, predict

__all__ = ["Run", "check", "classify", "evaluate", "load_run", "predict", "train"]

_PLACES = {
    "Run": "headstart.artifact.run",
    "check": "headstart.workflow.check",
    "classify": "headstart.workflow.classify",
    "evaluate": "headstart.workflow.use",
    "load_run": "headstart.artifact.run",
    "predict": "headstart.workflow.use",
    "train": "headstart.workflow.train",
}


def __getattr__(name: str) -> Any:
    # Looked up when used: importing the package loads nothing, so that `--help` answers at once.
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'headstart' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
