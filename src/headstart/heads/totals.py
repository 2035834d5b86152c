"""Sums over features that lie in shards, wherever these are: the one thing that large heads need.

A head whose features don't fit into memory is fitted from sums over shards: their order doesn't
matter, and neither does whether one machine adds them up or many.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import add
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Shard = tuple[Features, Labels]
"""Features (N, D) and labels (N,) that fit into memory."""

BLOCK_ROWS = 2048
"""Rows that are made float64 at once: 20 MB of 1280 features."""


class Addable(Protocol):
    """Anything of which two make one."""

    def __add__(self, other: Self, /) -> Self:
        """Returns both as one."""


Sum = TypeVar("Sum", bound=Addable)


class Total(Protocol):
    """Applies a function to every shard and adds up what it returns."""

    def __call__(self, function: Callable[[Features, Labels], Sum], /) -> Sum:
        """Returns the sum over all shards."""


def total_of(shards: Callable[[], Iterable[Shard]]) -> Total:
    """Returns what adds up over shards on this machine, one at a time in memory.

    Args:
        shards: opens them anew for every pass.

    Example:
        >>> total = total_of(lambda: [(np.ones((2, 3)), np.array([0, 1]))] * 4)
        >>> total(lambda features, labels: len(labels))
        8
    """

    def total(function: Callable[[Features, Labels], Sum]) -> Sum:
        return reduce(add, (function(features, labels) for features, labels in shards()))

    return total


def blocks_of(features: Features, labels: Labels) -> Iterable[tuple[NDArray[np.float64], Labels]]:
    """Yields the rows of a shard as float64, few at a time."""
    flat = features.reshape(len(features), -1)
    for start in range(0, len(flat), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        yield flat[rows].astype(np.float64), labels[rows]
