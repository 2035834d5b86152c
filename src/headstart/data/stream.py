"""Files as batches of pixels, decoded on the way and kept nowhere: for photos seen once."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.data.bounded import bounded_map
from headstart.data.decode import decode, pillow_warnings_ignored
from headstart.data.walk import SetAside, printable
from headstart.errors import PhotoError, PhotosError
from headstart.progress import processors

MAX_FILE_BYTES = 512 * 2**20
"""No photo is larger; such a file is set aside without being read into memory."""


@dataclass(frozen=True, slots=True, eq=False)
class FileBatch:
    """What became of a few files.

    Attributes:
        files: names of the B that could be read, in the order given; always printable.
        photos: uint8 (B, S, S, 3), RGB, 0..255.
        set_aside: the others, with their reasons.
    """

    files: tuple[str, ...]
    photos: NDArray[np.uint8]
    set_aside: tuple[SetAside, ...]

    def __len__(self) -> int:
        return len(self.files) + len(self.set_aside)


def photo_files(photos: Sequence[str | Path]) -> tuple[str, ...]:
    """Lists the files of images and folders, sorted in each folder.

    A folder stands for everything below it, save what is hidden; links to folders are not followed.

    Raises:
        PhotosError: when a name does not exist or there is no file at all.
    """
    files: list[str] = []
    for name in map(str, photos):
        if Path(name).is_dir():
            files.extend(_below(name))
        elif Path(name).is_file():
            files.append(name)
        else:
            raise PhotosError(f"photos={name!r} does not exist. Give a photo or a folder.")
    if not files:
        raise PhotosError(f"photos: no file in {', '.join(map(str, photos))}.")
    return tuple(files)


def file_batches(
    files: Sequence[str | Path], *, image_size: int, batch_size: int
) -> Iterator[FileBatch]:
    """Yields files in batches, decoded by threads that run a little ahead of the consumer.

    Which files share a batch depends on their places alone, not on which of them can be read.

    Args:
        files: photos, in any format that `check` accepts.
        image_size: side of the square in pixels.
        batch_size: files a batch; the last one may be shorter.

    Example:
        >>> found = list(file_batches(["no such file"], image_size=8, batch_size=4))
        >>> found[0].photos.shape, found[0].set_aside[0].reason
        ((0, 8, 8, 3), 'cannot be read: No such file or directory')
    """
    parts = (files[start : start + batch_size] for start in range(0, len(files), batch_size))
    read = partial(_read_batch, image_size=image_size)
    threads = processors()
    with pillow_warnings_ignored():
        yield from bounded_map(read, parts, threads=threads, ahead=4 * threads)


def first_photos(files: Iterable[str | Path], *, image_size: int, count: int) -> NDArray[np.uint8]:
    """Returns the first photos that can be read, at most `count`: uint8 (N, S, S, 3)."""
    found: list[NDArray[np.uint8]] = []
    with pillow_warnings_ignored():
        for file in files:
            try:
                found.append(decode(read_file(file), image_size=image_size))
            except PhotoError:
                continue
            if len(found) == count:
                break
    return np.stack(found) if found else np.empty((0, image_size, image_size, 3), np.uint8)


def read_file(file: str | Path) -> bytes:
    """Reads a photo's file.

    Raises:
        PhotoError: with the reason in words when it cannot be read or is too large for a photo.
    """
    path = Path(file)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PhotoError(f"giant file: {size:,} bytes, over {MAX_FILE_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise PhotoError(f"cannot be read: {error.strerror}") from None


def _read_batch(files: Sequence[str | Path], *, image_size: int) -> FileBatch:
    good: list[str] = []
    set_aside: list[SetAside] = []
    photos = np.empty((len(files), image_size, image_size, 3), np.uint8)
    for file in files:
        name = printable(str(file))
        try:
            photos[len(good)] = decode(read_file(file), image_size=image_size)
            good.append(name)
        except PhotoError as error:
            set_aside.append(SetAside(name, str(error)))
    return FileBatch(tuple(good), photos[: len(good)], tuple(set_aside))


def _below(folder: str) -> Iterator[str]:
    # Plain text: a hundred thousand `Path`s would take as much memory as all the rest.
    try:
        with os.scandir(folder) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
    except OSError as error:
        raise PhotosError(f"The folder {folder!r} cannot be read: {error.strerror}.") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)
        elif entry.is_file():
            yield entry.path
