"""From whatever a person calls their photos to an `ImageIndex`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.arrays import write_arrays
from headstart.data.index import ImageIndex
from headstart.data.listing import Listing, list_photos, with_test_folder
from headstart.data.scan import scan
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError, PhotosError
from headstart.files import sha256
from headstart.progress import Progress

Photos = str | Path | ImageIndex | tuple[Any, Any] | tuple[Any, Any, Any]
"""A folder, archive or CSV, an `ImageIndex`, or arrays: `(X, y)` of uint8 RGB and labels, or
`(X, y, sample_weight)`."""


def photos_name(photos: Photos) -> str:
    """Returns how a recipe and a run's folder call the photos."""
    if isinstance(photos, ImageIndex):
        return str(photos.root)
    return "arrays" if isinstance(photos, tuple) else str(photos)


def require_source(photos: Photos, *, listed_here: bool = True) -> None:
    """Refuses a folder or file that is not there, before anything else is looked for.

    Args:
        photos: where they are.
        listed_here: that they lie on a disk of this machine; a cluster takes URIs as well.

    Raises:
        PhotosError: naming it.
    """
    if isinstance(photos, str) and "://" in photos:
        if listed_here:
            raise PhotosError(
                f"photos={photos!r} is a URI, which only a cluster reads: add --ray local to "
                "start one on this machine."
            )
        return
    if isinstance(photos, str | Path) and not Path(photos).exists():
        raise PhotosError(
            f"photos={str(photos)!r} does not exist. Give a folder of class folders, an archive or "
            "a CSV."
        )


def read_photos(
    photos: Photos,
    *,
    test: str | None = None,
    label_from_name: str | None = None,
    image_size: int | None,
    place: CachePlace,
    progress: Progress,
) -> ImageIndex:
    """Lists and reads photos; see `headstart.data.scan.scan`.

    Args:
        photos: where they are.
        test: another folder, archive or CSV whose photos are the test split.
        label_from_name: finds the class in a file's name.
        image_size: side in pixels at which decoded photos are kept, or None.
        place: the cache.
        progress: told about every photo.
    """
    if isinstance(photos, ImageIndex):
        if test is not None:
            raise ArgumentError("test: an ImageIndex brings its own splits; give folders instead.")
        return photos
    listing = list_any(photos, label_from_name, place)
    if test is not None:
        listing = with_test_folder(listing, list_any(test, label_from_name, place))
    return scan(listing, place=place, image_size=image_size, progress=progress)


def list_any(
    photos: str | Path | tuple[Any, ...], label_from_name: str | None, place: CachePlace
) -> Listing:
    """Lists a folder, archive, CSV or arrays; an archive is unpacked into the cache."""
    if isinstance(photos, tuple):
        if len(photos) not in (2, 3):
            raise ArgumentError(
                f"photos: got a tuple of {len(photos)}; expected arrays (X, y) or "
                "(X, y, sample_weight)."
            )
        return list_photos(write_arrays(*photos, into=place.folder / "arrays"))
    source = Path(photos)
    extract_to = None
    if source.is_file() and source.suffix.lower() != ".csv":
        extract_to = place.folder / "archives" / sha256(source)
    return list_photos(source, label_from_name=label_from_name, extract_to=extract_to)


def test_or_all(index: ImageIndex) -> NDArray[np.int64]:
    """Returns the photos to measure on: those marked as test, or all where none is."""
    test = np.flatnonzero([side == "test" for side in index.splits])
    return test if len(test) else np.arange(len(index))
