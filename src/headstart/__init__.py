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
    from headstart.workflow.choose import choose
    from headstart.workflow.classify import classify
    from headstart.workflow.compare import compare
    from headstart.workflow.drawing import draw, summary
    from headstart.workflow.export import export
    from headstart.workflow.find_lr import find_lr
    from headstart.workflow.learning_curve import learning_curve
    from headstart.workflow.predict_csv import predict_to_csv
    from headstart.workflow.report import make_report
    from headstart.workflow.suspects import suspects
    from headstart.workflow.train import train
    from headstart.workflow.tune import tune
    from headstart.workflow.use import evaluate, predict

__all__ = [
    "Run",
    "adopt",
    "check",
    "choose",
    "classify",
    "clone",
    "compare",
    "cut",
    "draw",
    "evaluate",
    "export",
    "find_lr",
    "freeze",
    "inspect_model",
    "learning_curve",
    "load_model",
    "load_run",
    "make_report",
    "predict",
    "predict_to_csv",
    "summary",
    "suspects",
    "train",
    "tune",
    "unfreeze",
]

_PLACES = {
    "Run": "headstart.artifact.run",
    "adopt": "headstart.workflow.adopt",
    "check": "headstart.workflow.check",
    "choose": "headstart.workflow.choose",
    "classify": "headstart.workflow.classify",
    "clone": "headstart.backbones.reuse",
    "compare": "headstart.workflow.compare",
    "cut": "headstart.backbones.reuse",
    "draw": "headstart.workflow.drawing",
    "evaluate": "headstart.workflow.use",
    "export": "headstart.workflow.export",
    "find_lr": "headstart.workflow.find_lr",
    "freeze": "headstart.backbones.reuse",
    "inspect_model": "headstart.modelfile.inspection",
    "learning_curve": "headstart.workflow.learning_curve",
    "load_model": "headstart.modelfile.loading",
    "load_run": "headstart.artifact.run",
    "make_report": "headstart.workflow.report",
    "predict": "headstart.workflow.use",
    "predict_to_csv": "headstart.workflow.predict_csv",
    "summary": "headstart.workflow.drawing",
    "suspects": "headstart.workflow.suspects",
    "train": "headstart.workflow.train",
    "tune": "headstart.workflow.tune",
    "unfreeze": "headstart.backbones.reuse",
}


def __getattr__(name: str) -> Any:
    # Looked up when used: importing the package loads nothing, so that `--help` answers at once.
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'headstart' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
