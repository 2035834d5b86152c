"""Which photos come first, and on how many candidates are measured before all are."""

import numpy as np
from numpy.typing import NDArray

FIRST_PHOTOS = 200
PHOTOS_PER_CLASS = 10
FIRST_SHARE = 8
GROWTH = 3


def even_order(labels: NDArray[np.int32], *, seed: int) -> NDArray[np.int64]:
    """Shuffles photos so that every beginning has each class in its share.

    Args:
        labels: int32 (N,).
        seed: of the shuffle.

    Returns:
        int64 (N,), positions in `labels`.

    Example:
        >>> order = even_order(np.repeat([0, 1], [40, 20]).astype(np.int32), seed=0)
        >>> np.repeat([0, 1], [40, 20])[order[:6]].tolist().count(1)
        2
    """
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    rank = np.arange(len(labels)) - np.repeat(starts, counts)
    # The middle of each photo's place in its class: no class is drawn before the others.
    share = (rank + 0.5) / np.repeat(counts, counts)
    return np.asarray(order[np.argsort(share, kind="stable")], np.int64)


def sample_sizes(count: int, class_count: int) -> tuple[int, ...]:
    """Returns how many photos each round takes, three times as many as the one before, up to all.

    The first takes an eighth, at least 10 a class and 200 in all.

    Example:
        >>> sample_sizes(2000, 2), sample_sizes(150, 2)
        ((250, 750, 2000), (150,))
    """
    size = max(count // FIRST_SHARE, FIRST_PHOTOS, PHOTOS_PER_CLASS * class_count)
    sizes = []
    while size < count:
        sizes.append(size)
        size *= GROWTH
    return (*sizes, count)
