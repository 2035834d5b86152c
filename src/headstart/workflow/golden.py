"""Photos to prove an export on, and photos to calibrate it with, as files for other processes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run
from headstart.data.batches import photo_batches
from headstart.data.index import ImageIndex
from headstart.data.store import CachePlace
from headstart.errors import PhotosError
from headstart.progress import Progress
from headstart.workflow.intake import read_photos, test_or_all
from headstart.workflow.labels import labels_in_run
from headstart.workflow.own_photos import read_own_photos

CALIBRATION = 200
"""Training photos that show int8 the range of each activation."""


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """Labelled photos that an export must answer as `model.keras` does.

    Attributes:
        file: `.npy`, uint8 (N, S, S, 3).
        labels: int32 (N,), positions in the run's class names.
    """

    file: Path
    labels: NDArray[np.int32]


def golden_photos(
    run: Run,
    photos: str | Path | None,
    *,
    count: int,
    folder: Path,
    place: CachePlace,
    progress: Progress,
) -> Golden:
    """Takes photos evenly from the test split.

    Args:
        run: whose test split.
        photos: labelled photos instead (their test split where they have one), or None.
        count: photos at most.
        folder: where to write them.
        place: the cache.
        progress: told about every photo.

    Raises:
        PhotosError: when there is none.
    """
    size = run.manifest.image_size
    if photos is None:
        own = read_own_photos(run, image_size=size, place=place, progress=progress)
        index, positions, labels = own.index, own.split.test, own.index.labels
    else:
        index = read_photos(photos, image_size=size, place=place, progress=progress)
        positions = test_or_all(index)
        labels = labels_in_run(index, run.manifest.class_names)
    if not len(positions):
        raise PhotosError(
            "This run has no test photos to prove an export on. Give labelled photos: "
            "--photos FOLDER."
        )
    chosen = _evenly(positions, count)
    file = folder / "golden.npy"
    _write(index, chosen, file, size=size, place=place)
    return Golden(file, labels[chosen])


def calibration_photos(run: Run, *, folder: Path, place: CachePlace, progress: Progress) -> Path:
    """Writes some of the photos that a run learnt from, evenly from all of them.

    Returns:
        `.npy` file, uint8 (N, S, S, 3).

    Raises:
        PhotosError: when they are gone, or the run learnt from none.
    """
    file, size = folder / "calibration.npy", run.manifest.image_size
    if file.exists():
        return file
    own = read_own_photos(run, image_size=size, place=place, progress=progress)
    if not len(own.split.train):
        raise PhotosError(
            "precision='int8' is calibrated on the photos that a run learnt from, and this one "
            "has none. Take --precision float32."
        )
    _write(own.index, _evenly(own.split.train, CALIBRATION), file, size=size, place=place)
    return file


def _evenly(positions: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    rows = np.linspace(0, len(positions) - 1, min(count, len(positions))).round().astype(np.int64)
    return positions[rows]


def _write(
    index: ImageIndex, positions: NDArray[np.int64], file: Path, *, size: int, place: CachePlace
) -> None:
    shape = (len(positions), size, size, 3)
    pixels = np.lib.format.open_memmap(file, "w+", np.uint8, shape)
    done = 0
    for batch in photo_batches(index, positions, image_size=size, batch_size=16, place=place):
        pixels[done : done + len(batch)] = batch
        done += len(batch)
    pixels.flush()
