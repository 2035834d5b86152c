"""Headstart: transfer learning for Keras.

From a folder of photos to a classifier that you can trust, in seconds instead of hours, on the
machine that you have.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.artifact.run import Run, load_run
    from headstart.backbones.reuse import clone, cut, freeze, unfreeze
    from headstart.modelfile.inspection import inspect_model
    from headstart.modelfile.loading import load_model
    from headstart.workflow.adopt import adopt
    from headstart.workflow.check import check
    from headstart.workflow.drawing import draw, summary
    from headstart.workflow.train import train
    from headstart.workflow.use import evaluate, predict

__all__ = [
    "Run",
    "adopt",
    "check",
    "clone",
    "cut",
    "draw",
    "evaluate",
    "freeze",
    "inspect_model",
    "load_model",
    "load_run",
    "predict",
    "summary",
    "train",
    "unfreeze",
]

_PLACES = {
    "Run": "headstart.artifact.run",
    "adopt": "headstart.workflow.adopt",
    "check": "headstart.workflow.check",
    "clone": "headstart.backbones.reuse",
    "cut": "headstart.backbones.reuse",
    "draw": "headstart.workflow.drawing",
    "evaluate": "headstart.workflow.use",
    "freeze": "headstart.backbones.reuse",
    "inspect_model": "headstart.modelfile.inspection",
    "load_model": "headstart.modelfile.loading",
    "load_run": "headstart.artifact.run",
    "predict": "headstart.workflow.use",
    "summary": "headstart.workflow.drawing",
    "train": "headstart.workflow.train",
    "unfreeze": "headstart.backbones.reuse",
}


def __getattr__(name: str) -> Any:
    # Looked up when used: importing the package loads nothing, so that `--help` answers at once.
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'headstart' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
