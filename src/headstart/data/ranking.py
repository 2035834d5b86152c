"""The order in which groups of photos are dealt to the splits: by content and seed alone.

A group's rank never depends on file names, on the order of files or on other photos, so photos that
are added later find the others where they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Photos with their place in the order.

    Attributes:
        positions: int64 (M,), the photos that are ranked.
        groups: int64 (M,), their groups of near-duplicates.
        chances: float64 (M,), in [0, 1), uniform; one value a group.
        homes: int64 (M,), one class a group: that of its photo with the smallest digest.
        labels: int64 (M,), the photos' own classes.
        order: int64 (M,), places in the arrays above, by chance, then group, then digest.
    """

    positions: Integers
    groups: Integers
    chances: NDArray[np.float64]
    homes: Integers
    labels: Integers
    order: Integers


def rank(
    positions: Integers,
    *,
    digests: Sequence[str],
    labels: NDArray[np.int32],
    groups: NDArray[np.int32],
    seed: int,
) -> Ranking:
    """Ranks some of the photos.

    Args:
        positions: int64 (M,), the photos to rank.
        digests: N digests.
        labels: int32 (N,), classes.
        groups: int32 (N,), groups of near-duplicates.
        seed: another seed gives another order.

    Example:
        >>> some = rank(np.arange(3), digests=["a", "b", "a"], labels=np.zeros(3, np.int32),
        ...             groups=np.array([0, 1, 0], np.int32), seed=0)
        >>> bool(some.chances[0] == some.chances[2] != some.chances[1])
        True
    """
    own = np.array([digests[at] for at in positions.tolist()], np.str_)
    chosen_labels = labels[positions].astype(np.int64)
    chosen_groups = groups[positions].astype(np.int64)
    by_digest = np.lexsort((chosen_labels, own))
    # `unique` gives the first of each group in that order: the photo with the smallest digest.
    _, firsts, number = np.unique(chosen_groups[by_digest], return_index=True, return_inverse=True)
    heads = by_digest[firsts]
    chance_of_group = np.array([chance(str(own[at]), seed) for at in heads.tolist()], np.float64)
    chances, homes = np.empty(len(own), np.float64), np.empty(len(own), np.int64)
    chances[by_digest] = chance_of_group[number]
    homes[by_digest] = chosen_labels[heads][number]
    # Equal chances only meet when contents are equal; the group number then keeps groups together.
    order = np.lexsort((chosen_labels, own, chosen_groups, chances))
    return Ranking(positions, chosen_groups, chances, homes, chosen_labels, order)


def chance(digest: str, seed: int) -> float:
    """Returns a number in [0, 1) that only content and seed decide.

    Example:
        >>> 0 <= chance("00ff", 1) < 1, chance("00ff", 1) == chance("00ff", 2)
        (True, False)
    """
    hashed = blake2b(f"{seed}:{digest}".encode(), digest_size=8).digest()
    # 53 bits are what a float holds: never rounded up to 1.
    return (int.from_bytes(hashed, "big") >> 11) / 2.0**53
