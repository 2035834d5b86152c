"""Batches hold what `decode` gives, from the cache or from the files, in any view."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.data.augment import STANDARD, View
from headstart.data.batches import photo_batches
from headstart.data.decode import decode
from headstart.data.index import ImageIndex
from headstart.data.listing import list_photos
from headstart.data.scan import scan
from headstart.data.store import CachePlace

SIZE = 32


@pytest.fixture
def index(make_photos: Callable[..., Path]) -> ImageIndex:
    """Twenty photos; those of the first half are decoded into the cache."""
    return scan(list_photos(make_photos(count=10)), place=CachePlace.default(), image_size=SIZE)


def all_photos(index: ImageIndex, place: CachePlace, view: View | None) -> np.ndarray:
    batches = photo_batches(
        index, range(len(index)), image_size=SIZE, batch_size=8, place=place, view=view
    )
    return np.concatenate(list(batches))


def decoded(index: ImageIndex) -> np.ndarray:
    files = index.files(range(len(index)))
    return np.stack([decode(file.read_bytes(), image_size=SIZE) for file in files])


@pytest.mark.parametrize("view", [None, View(STANDARD, 0, 1)], ids=["none", "first"])
def test_photos_come_as_they_are(index: ImageIndex, tmp_path: Path, view: View | None) -> None:
    for place in (CachePlace.default(), CachePlace(tmp_path / "empty")):
        np.testing.assert_array_equal(all_photos(index, place, view), decoded(index))


def test_a_view_is_the_same_from_the_cache_and_from_the_files(
    index: ImageIndex, tmp_path: Path
) -> None:
    view = View(STANDARD, 3, 1)
    expected = [
        view.apply(photo, digest)
        for photo, digest in zip(decoded(index), index.digests, strict=True)
    ]
    for place in (CachePlace.default(), CachePlace(tmp_path / "empty")):
        np.testing.assert_array_equal(all_photos(index, place, view), expected)
