"""The photos of a part as bytes, on the worker that reads them."""

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from headstart.data.stream import MAX_FILE_BYTES
from headstart.data.tarstream import BoundedStream, StrictHeader
from headstart.data.walk import IMAGE_SUFFIXES
from headstart.errors import ArchiveError, PhotosError
from headstart.scale.place import Place
from headstart.scale.source import Part

BYTES_COLUMNS = ("image", "bytes", "jpg", "jpeg", "png", "content")
LABEL_COLUMNS = ("label", "cls", "class", "class_name")
NAME_COLUMNS = ("path", "__key__", "key", "file", "id")
ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Found:
    """A photo that a part names or holds.

    Attributes:
        path: its name in tables.
        label: class name or None.
        split: or None.
        read: gives its bytes; raises OSError when it cannot.
    """

    path: str
    label: str | None
    split: str | None
    read: Callable[[], bytes]


def contents(part: Part) -> Iterator[Found]:
    """Yields the photos of a part in order; files are read only by `Found.read`.

    Raises:
        PhotosError: when a tar or Parquet file is damaged or has no column of photos.
    """
    if part.kind == "files":
        place = Place(part.base)
        for photo in part.photos:
            yield Found(photo.path, photo.label, photo.split, partial(place.read, photo.path))
        return
    wanted = None if part.only is None else frozenset(part.only)
    for found in _tar(part) if part.kind == "tar" else _parquet(part):
        if wanted is None or found.path in wanted:
            yield found


def _tar(part: Part) -> Iterator[Found]:
    """Reads a WebDataset: members `key.jpg` and `key.cls` (or `.txt`, `.json`) side by side."""
    system, folder = Place(part.base).opened()
    name = part.photos[0].path
    with system.open_input_stream(f"{folder}/{name}", compression="detect") as file:
        stream = BoundedStream(file, Path(name))
        try:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=StrictHeader) as archive:
                for key, sample in _samples(archive, stream):
                    for ending, data in sample.items():
                        if f".{ending}" in IMAGE_SUFFIXES:
                            path, label = f"{name}/{key}.{ending}", _label(key, sample)
                            yield Found(path, label, part.photos[0].split, partial(bytes, data))
        except (tarfile.TarError, ArchiveError, EOFError) as error:
            raise PhotosError(f"{part.base}/{name} is a damaged tar: {error}") from error


def _samples(
    archive: tarfile.TarFile, stream: BoundedStream
) -> Iterator[tuple[str, dict[str, bytes]]]:
    key, sample = "", dict[str, bytes]()
    while True:
        stream.allow(0)
        member = archive.next()
        if member is None:
            break
        archive.members.clear()  # type: ignore[attr-defined] # else all headers stay in memory
        if not member.isfile() or member.size > MAX_FILE_BYTES:
            continue
        folder, _, base = member.name.rpartition("/")
        stem, _, ending = base.partition(".")
        own = f"{folder}/{stem}" if folder else stem
        if own != key and sample:
            yield key, sample
            sample = {}
        stream.allow(member.size)
        source = archive.extractfile(member)
        key = own
        sample[ending.lower()] = source.read() if source is not None else b""
    if sample:
        yield key, sample


def _label(key: str, sample: dict[str, bytes]) -> str | None:
    for ending in ("cls", "txt"):
        if ending in sample:
            return sample[ending].decode("utf-8", "replace").strip()
    if "json" in sample:
        try:
            found = json.loads(sample["json"]).get("label")
        except (ValueError, AttributeError):
            found = None
        if found is not None:
            return str(found)
    folder = key.rpartition("/")[0]
    return folder.rpartition("/")[2] or None


def _parquet(part: Part) -> Iterator[Found]:
    """Reads rows of photos: bytes as they are, or the struct that Hugging Face writes."""
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    system, folder = Place(part.base).opened()
    name = part.photos[0].path
    try:
        with pq.ParquetFile(f"{folder}/{name}", filesystem=system) as file:
            known = file.schema_arrow.names
            image = _column(known, BYTES_COLUMNS)
            if image is None:
                raise PhotosError(
                    f"{part.base}/{name} has no column of photos: found {', '.join(known)}; "
                    f"expected one of {', '.join(BYTES_COLUMNS)}."
                )
            label, key = _column(known, LABEL_COLUMNS), _column(known, NAME_COLUMNS)
            wanted = [column for column in (image, label, key) if column is not None]
            number = 0
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=wanted):
                for row in batch.to_pylist():
                    own = str(row[key]) if key is not None else f"{number:08d}"
                    said = None if label is None or row[label] is None else str(row[label])
                    data = _bytes(row[image])
                    yield Found(f"{name}/{own}", said, part.photos[0].split, partial(bytes, data))
                    number += 1
    except (ArrowException, OSError) as error:
        raise PhotosError(f"{part.base}/{name} is a damaged Parquet file: {error}") from error


def _column(known: list[str], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in known), None)


def _bytes(value: Any) -> bytes:
    found = value.get("bytes") if isinstance(value, dict) else value
    return found if isinstance(found, bytes) else b""
