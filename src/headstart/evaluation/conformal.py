"""When a classifier may say "not sure": sets of classes that hold the truth as often as asked."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import ArgumentError

COVERAGE = 0.95
MAX_SCORES = 20_000


def check_coverage(coverage: float) -> float:
    """Returns a coverage that makes sense.

    Raises:
        ArgumentError: when it is no share between 0 and 1.
    """
    if not 0 < coverage < 1:
        raise ArgumentError(
            f"coverage={coverage} does not fit: expected a share between 0 and 1, such as 0.95."
        )
    return coverage


@dataclass(frozen=True, slots=True, eq=False)
class Conformal:
    """What held-out photos taught about how far a classifier can be trusted.

    A photo's score says how far down its true class stood: 0 where it was the likeliest, else 1
    minus its probability.

    Attributes:
        scores: float64, sorted: the scores above 0; at most `MAX_SCORES`, evenly thinned.
        wrong: how many scores were above 0.
        total: held-out photos.
    """

    scores: NDArray[np.float64]
    wrong: int
    total: int

    @staticmethod
    def fit(
        probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
    ) -> "Conformal":
        """Learns from held-out photos: probabilities (N, K) and labels (N,)."""
        p = np.asarray(probabilities, np.float64)
        true = p[np.arange(len(labels)), labels]
        scores = np.sort(1 - true[p.argmax(axis=1) != labels])
        kept = scores
        if len(scores) > MAX_SCORES:
            kept = scores[np.linspace(0, len(scores) - 1, MAX_SCORES).round().astype(int)]
        return Conformal(kept, len(scores), len(labels))

    def limit(self, coverage: float) -> float:
        """Returns the score up to which a class belongs to the set; 1 takes in all classes.

        Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005; the split
        form of Papadopoulos et al., ECML 2002. Of new photos like the held-out ones at least
        `coverage` have their true class in the set.

        Raises:
            ArgumentError: when the coverage is no share below 1.
        """
        rank = math.ceil((self.total + 1) * check_coverage(coverage))
        if rank > self.total:
            return 1.0
        above = rank - (self.total - self.wrong)
        if above <= 0:
            return 0.0
        place = (above - 1) * (len(self.scores) - 1) / max(self.wrong - 1, 1)
        return float(self.scores[math.ceil(place)])

    def sets(
        self, probabilities: NDArray[np.floating[Any]], coverage: float = COVERAGE
    ) -> NDArray[np.bool_]:
        """Tells which classes may be meant; the likeliest always is.

        Args:
            probabilities: (N, K).
            coverage: wanted probability that the set holds the true class, below 1.

        Returns:
            (N, K); more than one class means "not sure".

        Example:
            >>> held_out = np.array([[0.9, 0.1]] * 90 + [[0.6, 0.4]] * 10)
            >>> learnt = Conformal.fit(held_out, np.repeat([0, 1], [90, 10]))
            >>> learnt.sets(np.array([[0.95, 0.05], [0.55, 0.45]]), 0.95).tolist()
            [[True, False], [True, True]]
        """
        p = np.asarray(probabilities, np.float64)
        chosen = 1 - p <= self.limit(coverage)
        chosen[np.arange(len(p)), p.argmax(axis=1)] = True
        return chosen


@dataclass(frozen=True, slots=True)
class Answered:
    """Sets of classes on labelled photos that nothing was learnt from.

    Attributes:
        coverage: asked for.
        covered: share of the photos whose set holds the true class.
        answered: share of the photos whose set is a single class.
        top_1_of_answered: share of those that was right; None where none was answered.
        mean_size: classes a set.
    """

    coverage: float
    covered: float
    answered: float
    top_1_of_answered: float | None
    mean_size: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)


def check_sets(
    sets: NDArray[np.bool_], labels: NDArray[np.integer[Any]], *, coverage: float
) -> Answered:
    """Measures sets (N, K) against the truth (N,).

    Example:
        >>> sets = np.array([[True, False], [True, True]])
        >>> found = check_sets(sets, np.array([0, 1]), coverage=0.95)
        >>> found.covered, found.answered, found.top_1_of_answered
        (1.0, 0.5, 1.0)
    """
    inside = sets[np.arange(len(labels)), labels]
    sizes = sets.sum(axis=1)
    alone = sizes == 1
    return Answered(
        coverage=coverage,
        covered=float(inside.mean()),
        answered=float(alone.mean()),
        top_1_of_answered=float(inside[alone].mean()) if alone.any() else None,
        mean_size=float(sizes.mean()),
    )
