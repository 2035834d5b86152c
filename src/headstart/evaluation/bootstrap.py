"""Intervals of measures that are no plain shares: the test is drawn again, many times."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import Interval

RESAMPLES = 500
FEWER_RESAMPLES = 200
MANY_PHOTOS = 5000
"""From here on fewer resamples are drawn: the ends of the interval then move by little anyway."""

_BLOCK = 2 * 10**6  # numbers at once: memory stays flat

Counts = NDArray[np.float64]


def resamples(labels: NDArray[np.integer[Any]], *, seed: int = 0) -> Iterator[Counts]:
    """Draws the photos of each class again, with replacement: how often each photo is in.

    Stratified: every resample has as many photos of each class as there are, so that a rare class
    never vanishes. Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993.

    Args:
        labels: int (N,).
        seed: same seed, same resamples.

    Yields:
        Blocks float64 (B, N); `RESAMPLES` rows in all, or `FEWER_RESAMPLES` for many photos.

    Example:
        >>> blocks = list(resamples(np.array([0, 0, 0, 1])))
        >>> sum(len(block) for block in blocks), blocks[0][:, 3].tolist() == [1.0] * 500
        (500, True)
    """
    random = np.random.default_rng(seed)
    count, total = len(labels), RESAMPLES if len(labels) <= MANY_PHOTOS else FEWER_RESAMPLES
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    start, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    rows = max(1, _BLOCK // max(count, 1))
    for begin in range(0, total, rows):
        drawn = random.random((min(rows, total - begin), count))
        photos = order[(start + drawn * size).astype(np.int64)]
        photos += np.arange(len(drawn))[:, None] * count
        counts = np.bincount(photos.ravel(), minlength=drawn.size)
        yield counts.reshape(drawn.shape).astype(np.float64)


def bootstrap(
    labels: NDArray[np.integer[Any]],
    measures: Callable[[Counts], dict[str, NDArray[np.float64]]],
    *,
    seed: int = 0,
) -> dict[str, Interval]:
    """Returns the 95 % percentile interval of each measure.

    Args:
        labels: int (N,).
        measures: given counts (B, N), returns by name B values each.
        seed: of the resamples.

    Example:
        >>> right = np.array([1.0, 1.0, 0.0, 1.0])
        >>> found = bootstrap(np.zeros(4, int), lambda counts: {"top_1": counts @ right / 4})
        >>> found["top_1"]
        Interval(low=0.25, high=1.0)
    """
    blocks = [measures(counts) for counts in resamples(labels, seed=seed)]
    found = {}
    for name in blocks[0]:
        values = np.concatenate([block[name] for block in blocks])
        low, high = np.quantile(values, (0.025, 0.975))
        found[name] = Interval(float(low), float(high))
    return found
