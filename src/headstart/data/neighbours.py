"""Finds which of many 128-bit fingerprints are near each other, without comparing all pairs.

Two fingerprints that differ in at most 7 of 128 bits agree in at least one of eight bands of 16
bits (pigeonhole); at 10 bits, spread at random, 97 % of pairs still do. So only photos that share a
band are compared (multi-index hashing: Norouzi, Punjani and Fleet, CVPR 2012).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Verify = Callable[[Integers, Integers], NDArray[np.bool_]]

BANDS = 8
MAX_LAG = 512
"""How far apart, in the order of a band, two photos may stand to be compared.

Only bands shared by more photos than this (a million alike drawings) notice; it keeps the time
proportional to the number of photos.
"""

_STRIDE = 37
"""Coprime to 128: a band takes bits from all over the picture, so that a white border, which
empties the same bits of many pictures, does not fill one band."""


class Forest:
    """Sets that grow together (union-find); each is known by its smallest member.

    Args:
        count: number of members, each in a set of its own at first.
    """

    def __init__(self, count: int) -> None:
        self.parent: Integers = np.arange(count, dtype=np.int64)

    def root(self, member: int) -> int:
        """Returns the smallest member of a member's set, shortening the way to it."""
        parent = self.parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = int(parent[member])
        return member

    def unite(self, one: int, other: int) -> bool:
        """Makes two sets one; False when they were one already."""
        low, high = sorted((self.root(one), self.root(other)))
        self.parent[high] = low
        return low != high

    def flatten(self) -> Integers:
        """Returns int64 (count,): the smallest member of each member's set."""
        while True:
            shorter = self.parent[self.parent]
            if np.array_equal(shorter, self.parent):
                return self.parent
            self.parent = shorter


def link_neighbours(
    fingerprints: NDArray[np.uint8],
    order_by: NDArray[np.float32],
    *,
    max_bits: int,
    verify: Verify,
    forest: Forest,
) -> list[tuple[int, int]]:
    """Unites photos whose fingerprints are near and that pass a closer look.

    Args:
        fingerprints: uint8 (N, 16).
        order_by: float32 (N,), settles the order of equal fingerprints by content.
        max_bits: two fingerprints are near when at most so many bits differ.
        verify: gets two int64 (M,) arrays of positions and tells which pairs are indeed alike.
        forest: N members; pairs that it already holds together are skipped.

    Returns:
        The pairs that united two sets: at most N - 1 however many pairs are alike.
    """
    words = np.ascontiguousarray(fingerprints).view(np.uint64)
    bands = _bands(fingerprints)
    edges: list[tuple[int, int]] = []
    for number in range(BANDS):
        # The other word first in every second band: what one order parts, the other may join.
        first, second = (words.T if number % 2 else words.T[::-1])[:2]
        order = np.lexsort((order_by, first, second, bands[number]))
        for one, other in _near_in_order(order, bands[number][order], forest):
            bits = np.bitwise_count(words[one] ^ words[other]).sum(axis=1)
            near = bits <= max_bits
            for earlier in bands[:number]:
                near &= earlier[one] != earlier[other]
            one, other = one[near], other[near]  # noqa: PLW2901
            alike = verify(one, other)
            pairs = zip(one[alike].tolist(), other[alike].tolist(), strict=True)
            united = [pair for pair in pairs if forest.unite(*pair)]
            edges.extend((min(pair), max(pair)) for pair in united)
            if united:
                forest.flatten()
    return edges


def _bands(fingerprints: NDArray[np.uint8]) -> list[NDArray[np.uint16]]:
    """Returns BANDS arrays uint16 (N,), each made of 16 bits from all over the fingerprint."""
    bits = np.unpackbits(fingerprints, axis=1)
    per_band = bits.shape[1] // BANDS
    chosen = (np.arange(bits.shape[1]) * _STRIDE % bits.shape[1]).reshape(BANDS, per_band)
    packed = (np.packbits(bits[:, band], axis=1) for band in chosen)
    return [np.ascontiguousarray(each).view(np.uint16)[:, 0] for each in packed]


def _near_in_order(
    order: Integers, keys: NDArray[np.uint16], forest: Forest
) -> Iterator[tuple[Integers, Integers]]:
    """Yields the pairs of equal keys that are not united yet, one lag of the order at a time."""
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    lengths = np.diff(np.r_[starts, len(keys)])
    run = np.repeat(np.arange(len(starts)), lengths)
    end = np.repeat(starts + lengths, lengths)
    active = np.arange(len(keys))
    for lag in range(1, MAX_LAG + 1):
        active = active[active + lag < end[active]]
        if lag & (lag - 1) == 0 and len(active):
            # A run that has become one set has nothing more to give: a film of one scene ends here.
            sets = forest.parent[order]
            several = np.minimum.reduceat(sets, starts) != np.maximum.reduceat(sets, starts)
            active = active[several[run[active]]]
        if not len(active):
            return
        one, other = order[active], order[active + lag]
        apart = forest.parent[one] != forest.parent[other]
        yield one[apart], other[apart]
