"""Finds copies of a photo, exact or slightly changed, so that no split has them on both sides.

A pair is a copy when the files are equal; or when the fingerprints are near (`MAX_BITS`) and the
thumbnails agree on a closer look (`looks`), so that empty or simple pictures are not taken for each
other because their fingerprints say little.

Measured with the 3,000 photos of `cats_dogs` (Kaggle's Dogs-vs-Cats), each against a changed copy
of itself among all others:

| change | copies found |
|---|---|
| JPEG again at quality 60, 75 or 95; made grey; 10 % darker | 100.0 % |
| resized to 70 %; 1 % of width and height cropped | 100.0 % |
| resized to 30 %; 10 % brighter (white parts clipped) | 99.9 % |
| 2 % cropped | 99.8 % |
| 3 % cropped | 96.1 % |
| 3 % cropped from one side only | 67.8 % |
| mirrored | 0 % |

Of the 4.5 million pairs of different files one is linked, and rightly (`dog.74`, `dog.180`: the
same four puppies with the same four names, seen by eye). The next nearest differ in 18 bits and
have thumbnails 16 grey levels apart. Of scikit-learn's 1,797 digits of 8 x 8 pixels, the simplest
pictures at hand, no two are linked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from headstart.data.looks import Looks
from headstart.data.neighbours import Forest, Integers, link_neighbours
from headstart.errors import ArgumentError

MAX_BITS = 12
"""Of the 128 bits of a fingerprint; different photos differ in 18 and more."""

MIN_CONTRAST = 4.0
"""Standard deviation in grey levels below which a picture is too empty to be recognised.

Blank pages look alike without being copies: only their bytes tell. Photos have 12 and more.
"""


@dataclass(frozen=True, eq=False)
class DuplicatePairs:
    """Links between photos that are copies; M links that hold every group together, no more.

    Attributes:
        first: int64 (M,), the lower position.
        second: int64 (M,), the higher one.
        exact: bool (M,), whether the two files are equal byte for byte.
    """

    first: Integers
    second: Integers
    exact: NDArray[np.bool_]

    def groups(self, count: int) -> NDArray[np.int32]:
        """Numbers the groups that the links make.

        Args:
            count: number of photos.

        Returns:
            int32 (count,): the group of each photo, numbered in the order of first members.
        """
        forest = Forest(count)
        for one, other in zip(self.first.tolist(), self.second.tolist(), strict=True):
            forest.unite(one, other)
        # The root is a group's first member, so sorted roots are groups in the order wanted.
        return np.unique(forest.flatten(), return_inverse=True)[1].astype(np.int32)


def group_duplicates(
    fingerprints: NDArray[np.uint8], thumbnails: NDArray[np.uint8], digests: Sequence[str]
) -> NDArray[np.int32]:
    """Groups photos that are the same or nearly the same picture.

    Args:
        fingerprints: uint8 (N, 16), brightness differences (`decode.fingerprint`).
        thumbnails: uint8 (N, 16, 16), grey levels.
        digests: N digests of the files.

    Returns:
        int32 (N,): the group of each photo, numbered in the order of first members.

    Raises:
        ArgumentError: when the lengths or shapes do not fit.

    Example:
        >>> random = np.random.default_rng(0)
        >>> prints = random.integers(0, 256, (3, 16), np.uint8)
        >>> small = random.integers(0, 256, (3, 16, 16), np.uint8)
        >>> group_duplicates(prints, small, ["a", "b", "a"]).tolist()
        [0, 1, 0]
    """
    return duplicate_pairs(fingerprints, thumbnails, digests).groups(len(digests))


def duplicate_pairs(
    fingerprints: NDArray[np.uint8], thumbnails: NDArray[np.uint8], digests: Sequence[str]
) -> DuplicatePairs:
    """Finds the links that make the groups of `group_duplicates`.

    Args:
        fingerprints: uint8 (N, 16).
        thumbnails: uint8 (N, 16, 16).
        digests: N digests of the files.

    Returns:
        At most N - 1 links, sorted: a thousand copies of one photo give 999, not half a million.

    Raises:
        ArgumentError: when the lengths or shapes do not fit.
    """
    count = len(digests)
    if fingerprints.shape != (count, 16) or thumbnails.shape != (count, 16, 16):
        raise ArgumentError(
            f"fingerprints={fingerprints.shape} and thumbnails={thumbnails.shape} do not fit "
            f"{count} digests; expected shapes ({count}, 16) and ({count}, 16, 16)."
        )
    same_file = _first_with_equal(digests)
    copies = np.flatnonzero(same_file != np.arange(count))
    links = [(one, other, True) for one, other in _paired(same_file[copies], copies)]
    kept = np.flatnonzero(same_file == np.arange(count))
    looks = Looks.of(thumbnails[kept].reshape(len(kept), 256))
    kept = kept[looks.contrast >= MIN_CONTRAST]
    same_view = kept[_first_with_equal([_view(fingerprints[at], thumbnails[at]) for at in kept])]
    again, distinct = kept[same_view != kept], kept[same_view == kept]
    alike = _paired(same_view[same_view != kept], again)
    alike += _near_links(fingerprints[distinct], thumbnails[distinct], distinct)
    links += [(one, other, False) for one, other in alike]
    table = np.array(sorted(links), np.int64).reshape(-1, 3)
    return DuplicatePairs(table[:, 0], table[:, 1], table[:, 2].astype(np.bool_))


def _first_with_equal(values: Sequence[object]) -> Integers:
    """Returns int64 (N,): for each value the first position that holds an equal one."""
    first: dict[object, int] = {}
    positions = (first.setdefault(value, at) for at, value in enumerate(values))
    return np.fromiter(positions, np.int64, count=len(values))


def _view(fingerprint: NDArray[np.uint8], thumbnail: NDArray[np.uint8]) -> bytes:
    return blake2b(fingerprint.tobytes() + thumbnail.tobytes(), digest_size=16).digest()


def _paired(one: Integers, other: Integers) -> list[tuple[int, int]]:
    return list(zip(one.tolist(), other.tolist(), strict=True))


def _near_links(
    fingerprints: NDArray[np.uint8], thumbnails: NDArray[np.uint8], positions: Integers
) -> list[tuple[int, int]]:
    if len(positions) < 2:
        return []
    looks = Looks.of(thumbnails.reshape(len(positions), 256))
    links = link_neighbours(
        fingerprints,
        looks.mean,
        max_bits=MAX_BITS,
        verify=looks.alike,
        forest=Forest(len(positions)),
    )
    return [(int(positions[one]), int(positions[other])) for one, other in links]
