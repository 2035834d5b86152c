"""Reads every listed photo once, before anything is trained on it.

One read gives all: the digest, whether the file decodes, what it says, how it looks in small, and
(when the backbone's size is known) the pixels, which go straight into the cache.
"""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray

from headstart.data.bounded import bounded_map
from headstart.data.decode import (
    DECODE_VERSION,
    PhotoFacts,
    decode,
    examine,
    pillow_warnings_ignored,
)
from headstart.data.index import ImageIndex
from headstart.data.listing import Listing, SetAside
from headstart.data.store import CachePlace, Store
from headstart.data.stream import read_file
from headstart.errors import PhotoError
from headstart.progress import Progress, Silent, processors

_FACTS = np.dtype(
    [
        ("format", "S8"),
        ("mode", "S8"),
        ("width", "<i4"),
        ("height", "<i4"),
        ("orientation", "u1"),
        ("fingerprint", "u1", (16,)),
        ("thumbnail", "u1", (16, 16)),
        ("reason", "S240"),
    ]
)


@dataclass(frozen=True, slots=True)
class _Reading:
    digest: str
    facts: NDArray[np.void]
    is_new: bool
    pixels: NDArray[np.uint8] | None


def pixel_store(place: CachePlace, image_size: int) -> Store:
    """Opens the store of decoded photos, uint8 (image_size, image_size, 3) a row."""
    return place.store(
        "pixels",
        f"{_decoder()}-{image_size}px",
        row_shape=(image_size, image_size, 3),
        dtype=np.uint8,
    )


def scan(
    listing: Listing,
    *,
    place: CachePlace,
    image_size: int | None = None,
    progress: Progress | None = None,
) -> ImageIndex:
    """Reads and decodes each photo of a listing once.

    Args:
        listing: the files' names and labels.
        place: where facts and pixels are kept; a photo known there is hashed, not decoded again.
        image_size: side in pixels at which to keep decoded photos, or None to keep none.
        progress: told about every photo.

    Returns:
        The usable photos; all others are in `set_aside` with their reasons.

    Raises:
        DiskFullError: when the cache finds no room.
    """
    facts_store = place.store("facts", _decoder(), row_shape=(), dtype=_FACTS)
    pixels = None if image_size is None else pixel_store(place, image_size)
    read = partial(_read, facts_store=facts_store, pixels=pixels, image_size=image_size)
    files = [listing.root / path for path in listing.paths]
    readings: list[_Reading] = []
    reporter = progress or Silent()
    threads = processors()
    with pillow_warnings_ignored(), facts_store.writer() as facts_writer:
        pixel_writer = None if pixels is None else pixels.writer()
        try:
            for reading in bounded_map(read, files, threads=threads, ahead=4 * threads):
                if reading.is_new:
                    facts_writer.add(reading.digest, reading.facts)
                if pixel_writer is not None and reading.pixels is not None:
                    pixel_writer.add(reading.digest, reading.pixels)
                readings.append(_Reading(reading.digest, reading.facts, is_new=False, pixels=None))
                reporter.step("photos checked", len(readings), len(files))
        finally:
            if pixel_writer is not None:
                pixel_writer.flush()
    return _index(listing, readings)


def _read(
    file: Path, *, facts_store: Store, pixels: Store | None, image_size: int | None
) -> _Reading:
    try:
        data = read_file(file)
    except PhotoError as error:
        return _Reading("0" * 64, _as_record(str(error)), is_new=False, pixels=None)
    digest = hashlib.sha256(data).hexdigest()
    known = facts_store.row(digest)
    if known is not None:
        facts = np.array(known)
        if pixels is None or image_size is None or facts["reason"].item() or digest in pixels:
            return _Reading(digest, facts, is_new=False, pixels=None)
        return _Reading(digest, facts, is_new=False, pixels=decode(data, image_size=image_size))
    try:
        found, decoded = examine(data, image_size=image_size)
    except PhotoError as error:
        return _Reading(digest, _as_record(str(error)), is_new=True, pixels=None)
    return _Reading(digest, _as_record(found), is_new=True, pixels=decoded)


def _as_record(found: PhotoFacts | str) -> NDArray[np.void]:
    record = np.zeros((), _FACTS)
    if isinstance(found, str):
        # Cut between characters, not inside one.
        record["reason"] = found.encode()[:240].decode(errors="ignore").encode()
        return record
    record["format"], record["mode"] = found.format.encode(), found.mode.encode()
    record["width"], record["height"] = found.width, found.height
    record["orientation"] = found.orientation
    record["fingerprint"] = np.frombuffer(found.fingerprint, np.uint8)
    record["thumbnail"] = np.frombuffer(found.thumbnail, np.uint8).reshape(16, 16)
    return record


def _index(listing: Listing, readings: list[_Reading]) -> ImageIndex:
    facts = np.array([reading.facts for reading in readings], _FACTS)
    good = np.flatnonzero(facts["reason"] == b"")
    bad = np.flatnonzero(facts["reason"] != b"")
    set_aside = tuple(SetAside(listing.paths[i], facts["reason"][i].decode()) for i in bad)
    kept = facts[good]
    return ImageIndex(
        root=listing.root,
        paths=tuple(listing.paths[i] for i in good),
        labels=np.asarray(listing.labels[good], np.int32),
        class_names=listing.class_names,
        splits=tuple(listing.splits[i] for i in good),
        digests=tuple(readings[i].digest for i in good),
        widths=kept["width"].astype(np.int32),
        heights=kept["height"].astype(np.int32),
        formats=tuple(name.decode() for name in kept["format"]),
        modes=tuple(name.decode() for name in kept["mode"]),
        orientations=kept["orientation"].copy(),
        fingerprints=kept["fingerprint"].copy(),
        thumbnails=kept["thumbnail"].copy(),
        set_aside=tuple(sorted((*listing.set_aside, *set_aside), key=lambda item: item.path)),
        weights=None if listing.weights is None else listing.weights[good],
    )


def _decoder() -> str:
    return f"v{DECODE_VERSION}-pillow{PIL.__version__}"
