"""Everything a training needs to go on after it was killed, in one file, whole at any moment."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from headstart.files import atomic_file
from headstart.training.score import Score

Arrays = list[NDArray[Any]]


@dataclass
class TrainingState:
    """A training after some epochs.

    Attributes:
        epoch: how many are done.
        rows: of the history, one an epoch.
        variables: of the model: weights, statistics, random generators.
        optimizer: its variables.
        best: weights of the best epoch; empty before there is one.
        best_epoch: counted from 1; 0 before there is one.
        best_score: of that epoch on the validation photos; None without them.
        ended: why the stage is over, in a word or a sentence; empty while it goes on.
        moved: weights that the first step changed.
        unmoved: weights that it did not change.
    """

    epoch: int = 0
    rows: list[list[float]] = field(default_factory=list)
    variables: Arrays = field(default_factory=list)
    optimizer: Arrays = field(default_factory=list)
    best: Arrays = field(default_factory=list)
    best_epoch: int = 0
    best_score: Score | None = None
    ended: str = ""
    moved: list[str] = field(default_factory=list)
    unmoved: list[str] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """Writes it, whole or not at all.

        Raises:
            DiskFullError: when the disk has no room.
        """
        facts = {
            "epoch": self.epoch,
            "rows": self.rows,
            "best_epoch": self.best_epoch,
            "best_score": None
            if self.best_score is None
            else [self.best_score.top_1, self.best_score.log_loss],
            "ended": self.ended,
            "moved": self.moved,
            "unmoved": self.unmoved,
        }
        arrays = {
            f"{kind}{number}": array
            for kind in ("variables", "optimizer", "best")
            for number, array in enumerate(getattr(self, kind))
        }
        with atomic_file(file) as temporary, temporary.open("wb") as opened:
            np.savez(opened, allow_pickle=False, facts=np.array(json.dumps(facts)), **arrays)


def read_state(file: Path) -> TrainingState | None:
    """Reads a state; None where there is none, or one that cannot be read."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays["facts"]))
            if facts["best_score"] is not None:
                facts["best_score"] = Score(*facts["best_score"])
            state = TrainingState(**facts)
            state.variables = _list(arrays, "variables")
            state.optimizer = _list(arrays, "optimizer")
            state.best = _list(arrays, "best")
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None
    return state


def _list(arrays: Any, kind: str) -> Arrays:
    count = sum(1 for name in arrays.files if name.startswith(kind))
    return [arrays[f"{kind}{number}"] for number in range(count)]
