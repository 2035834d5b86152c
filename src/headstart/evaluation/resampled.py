"""What is measured anew on every resample of a test, as sums over photos."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.bootstrap import Counts
from headstart.evaluation.calibration import BINS
from headstart.evaluation.ranking import mean_rank_measures

MAX_RANKED = 10**7
"""Numbers in a block of resamples, for all classes, that are ranked. Past that the two measures
that need a ranking have no interval: it would take longer than the training."""

MAX_CLASSES_F1 = 100
"""Past so many classes F1 has no interval of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Probabilities and labels of N photos, ready to be counted more than once or not at all.

    Attributes:
        p: float64 (N, K).
        labels: (N,).
        predicted: (N,), the likeliest class.
        losses: (N,), negative logarithm of the true class' probability.
        errors: (N,), squared distance of the probabilities from the truth.
    """

    p: NDArray[np.float64]
    labels: NDArray[np.integer[Any]]
    predicted: NDArray[np.integer[Any]]
    losses: NDArray[np.float64]
    errors: NDArray[np.float64]

    @staticmethod
    def of(p: NDArray[np.float64], labels: NDArray[np.integer[Any]]) -> "Resampled":
        """Prepares probabilities (N, K) and labels (N,)."""
        true = p[np.arange(len(labels)), labels]
        errors = (p**2).sum(axis=1) - 2 * true + 1
        losses = -np.log(np.maximum(true, 1e-12))
        return Resampled(p, labels, p.argmax(axis=1), losses, errors)

    @property
    def classes_present(self) -> int:
        """How many classes have photos."""
        return len(np.unique(self.labels))

    def sums(self, counts: Counts) -> dict[str, NDArray[np.float64]]:
        """Measures that are quick: by name, a value for each row of `counts` (B, N)."""
        hits, total = self.predicted == self.labels, len(self.labels)
        # Every class keeps its number of photos, so recall's mean is a weighted sum of hits.
        present = np.bincount(self.labels)[self.labels] * self.classes_present
        return {
            "balanced_accuracy": counts @ (hits / present),
            "log_loss": counts @ self.losses / total,
            "brier": counts @ self.errors / total,
            "expected_calibration_error": self._calibration_errors(counts, hits),
        }

    def measures(self, counts: Counts) -> dict[str, NDArray[np.float64]]:
        """All measures that get an interval by drawing again; `f1 N` is that of class N."""
        found = self.sums(counts)
        if self.classes_present > 1 and counts.size * self.classes_present <= MAX_RANKED:
            found |= mean_rank_measures(self.p, self.labels, counts)
        if self.p.shape[1] <= MAX_CLASSES_F1:
            found |= self._f1(counts)
        return found

    def _f1(self, counts: Counts) -> dict[str, NDArray[np.float64]]:
        found = {}
        for number, present in zip(*np.unique(self.labels, return_counts=True), strict=True):
            claims = self.predicted == number
            claimed = counts @ claims.astype(np.float64)
            both = counts @ (claims & (self.labels == number)).astype(np.float64)
            found[f"f1 {number}"] = 2 * both / (present + claimed)
        return found

    def _calibration_errors(self, counts: Counts, hits: NDArray[np.bool_]) -> NDArray[np.float64]:
        confidence = self.p.max(axis=1)
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        gaps = np.zeros((len(hits), BINS))
        gaps[np.arange(len(hits)), bins] = confidence - hits
        return np.asarray(np.abs(counts @ gaps).sum(axis=1) / len(hits))
