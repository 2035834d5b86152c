"""What selection may look at: the photos of train and validation, and no others."""

from dataclasses import replace

import numpy as np

from headstart.data.index import ImageIndex, take
from headstart.data.split import Split


def without_test(index: ImageIndex, split: Split) -> tuple[ImageIndex, Split]:
    """Returns the photos of train and validation alone, with their split.

    Whatever chooses or tunes is handed these: a test photo has no position in them, so nothing can
    read one by mistake.

    Args:
        index: all photos.
        split: of them.
    """
    seen = np.concatenate([split.train, split.validation])
    assert not np.isin(seen, split.test).any()
    count = len(split.train)
    sides = ("train",) * count + ("validation",) * (len(seen) - count)
    kept = replace(take(index, seen), splits=sides, set_aside=())
    nothing = np.zeros(0, np.int64)
    return kept, Split(np.arange(count), np.arange(count, len(seen)), nothing, nothing)
