"""`trust.npz`: what lets a run say "not sure" and "never seen anything like it"."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart.errors import RunError
from headstart.evaluation.conformal import Conformal
from headstart.evaluation.familiarity import Familiarity

FILE = "trust.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """What held-out photos taught about a classifier.

    Attributes:
        conformal: how far down the truth stood; None where no photo was held out.
        familiarity: what its training photos look like to it; None where it has no features.
    """

    conformal: Conformal | None = None
    familiarity: Familiarity | None = None

    def write(self, file: Path) -> None:
        """Writes numbers only; nothing in it can be executed."""
        arrays: dict[str, Any] = {}
        if self.familiarity is not None:
            arrays["references"] = self.familiarity.references
            arrays["limit"] = np.float64(self.familiarity.limit)
        if self.conformal is not None:
            arrays["scores"] = self.conformal.scores
            arrays["counts"] = np.array([self.conformal.wrong, self.conformal.total], np.int64)
        with file.open("wb") as opened:
            np.savez(opened, allow_pickle=False, **arrays)


def read_trust(file: Path) -> Trust:
    """Reads what `Trust.write` wrote.

    Raises:
        RunError: when the file is damaged.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            familiarity, conformal = None, None
            if "references" in arrays.files:
                familiarity = Familiarity(arrays["references"], float(arrays["limit"]))
            if "scores" in arrays.files:
                wrong, total = map(int, arrays["counts"])
                conformal = Conformal(arrays["scores"], wrong, total)
    except (OSError, ValueError, KeyError) as error:
        raise RunError(f"{file} cannot be read: {error}. Train again.") from error
    return Trust(conformal, familiarity)
