"""Two classifiers on the same photos: is one better, or was it luck?"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.bootstrap import bootstrap
from headstart.evaluation.intervals import Interval

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """A photo that one classifier names right and the other wrong.

    Attributes:
        file: its name.
        true: its class.
        first: what the first classifier says.
        second: what the second says.
    """

    file: str
    true: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A second classifier against a first, photo by photo.

    Attributes:
        first: name of the first.
        second: name of the second.
        count: photos.
        first_top_1: share that the first names right.
        second_top_1: share that the second names right.
        difference: second minus first.
        difference_interval: its 95 % interval, by a stratified bootstrap of the photos.
        only_first: photos that only the first names right.
        only_second: photos that only the second names right.
        p_value: McNemar's exact test: how often so uneven a count would come by luck.
        changed: the photos of those two counts.
    """

    first: str
    second: str
    count: int
    first_top_1: float
    second_top_1: float
    difference: float
    difference_interval: Interval
    only_first: int
    only_second: int
    p_value: float
    changed: tuple[Change, ...]

    @property
    def is_significant(self) -> bool:
        """Tells whether luck would do this less than once in twenty times."""
        return self.p_value < SIGNIFICANT

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self) | {"is_significant": self.is_significant}

    def __str__(self) -> str:
        if not self.is_significant:
            return (
                f"{self.second} and {self.first}: no difference that {self.count} photos could "
                f"prove (p = {self.p_value:.2g})."
            )
        better, worse = (self.second, self.first)[:: 1 if self.difference > 0 else -1]
        points = abs(self.difference) * 100
        return f"{better} is better than {worse} by {points:.1f} points (p = {self.p_value:.2g})."


def mcnemar(only_first: int, only_second: int) -> float:
    """Returns the p-value of McNemar's exact two-sided test.

    Photos that both or neither name right say nothing. Of the others each would fall to either side
    like a coin if the classifiers were equally good.
    Source: Q. McNemar, Psychometrika 12 (1947); exact form by the binomial distribution.

    Args:
        only_first: photos that only the first names right.
        only_second: photos that only the second names right.

    Example:
        >>> round(mcnemar(1, 9), 4), mcnemar(5, 5)
        (0.0215, 1.0)
    """
    total, fewer = only_first + only_second, min(only_first, only_second)
    if only_first == only_second:
        return 1.0
    logs = [
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
        for k in range(fewer + 1)
    ]
    tail = math.fsum(math.exp(each - total * math.log(2)) for each in logs)
    return min(1.0, 2 * tail)


def compare(
    labels: NDArray[np.integer[Any]],
    first: NDArray[np.integer[Any]],
    second: NDArray[np.integer[Any]],
    *,
    names: tuple[str, str],
    class_names: Sequence[str],
    files: Sequence[str],
    seed: int = 0,
) -> Comparison:
    """Compares two classifiers on the same photos.

    Args:
        labels: (N,), positions in `class_names`.
        first: (N,), what the first says.
        second: (N,), what the second says.
        names: what to call them.
        class_names: K of them.
        files: N names.
        seed: of the bootstrap.

    Example:
        >>> found = compare(
        ...     np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0, 1, 1]),
        ...     names=("a", "b"), class_names=["cat", "dog"], files=["1", "2", "3"])
        >>> found.only_second, found.changed[0].file
        (1, '2')
    """
    hits_first, hits_second = first == labels, second == labels
    gain = hits_second.astype(np.float64) - hits_first
    interval = bootstrap(labels, lambda counts: {"gain": counts @ gain / len(labels)}, seed=seed)
    changed = np.flatnonzero(hits_first != hits_second)
    only_first, only_second = int((gain < 0).sum()), int((gain > 0).sum())
    return Comparison(
        first=names[0],
        second=names[1],
        count=len(labels),
        first_top_1=float(hits_first.mean()),
        second_top_1=float(hits_second.mean()),
        difference=float(gain.mean()),
        difference_interval=interval["gain"],
        only_first=only_first,
        only_second=only_second,
        p_value=mcnemar(only_first, only_second),
        changed=tuple(
            Change(
                files[at],
                class_names[int(labels[at])],
                class_names[int(first[at])],
                class_names[int(second[at])],
            )
            for at in changed.tolist()
        ),
    )
