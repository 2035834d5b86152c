"""Between shards and the `ImageIndex` that every journey goes on with."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.index import ImageIndex
from headstart.errors import PhotosError
from headstart.scale.shard import FACTS
from headstart.scale.shards import FeatureShards
from headstart.scale.source import Part, Photo, Source, cut, kind_of


def index_of(source: Source, shards: FeatureShards) -> ImageIndex:
    """Gathers what the photos' files say, in the order of the source.

    Raises:
        PhotosError: when no photo could be read.
    """
    columns: dict[str, list[Any]] = {name: [] for name in FACTS}
    for table in shards.tables(*FACTS):
        for name in FACTS:
            columns[name].extend(table[name].to_pylist())
    if not columns["path"]:
        raise PhotosError("No photo of the source can be read; `headstart check` says why.")
    number_of = {name: number for number, name in enumerate(shards.class_names)}
    labels = [number_of.get(label, 0) for label in columns["label"]]
    count = len(labels)
    return ImageIndex(
        root=Path(source.parts[0].base),
        paths=tuple(columns["path"]),
        labels=np.array(labels, np.int32),
        class_names=shards.class_names or ("",),
        splits=tuple(columns["split"]),
        digests=tuple(digest.hex() for digest in columns["digest"]),
        widths=np.array(columns["width"], np.int32),
        heights=np.array(columns["height"], np.int32),
        formats=tuple(columns["format"]),
        modes=tuple(columns["mode"]),
        orientations=np.array(columns["orientation"], np.uint8),
        fingerprints=_bytes(columns["fingerprint"]).reshape(count, 16),
        thumbnails=_bytes(columns["thumbnail"]).reshape(count, 16, 16),
        set_aside=tuple(sorted(shards.set_aside, key=lambda item: item.path)),
    )


def with_weights(index: ImageIndex, weights: dict[str, float]) -> ImageIndex:
    """Says how much each photo counts, by path."""
    return replace(index, weights=np.array([weights[path] for path in index.paths]))


def source_of_index(index: ImageIndex, positions: Sequence[int]) -> Source:
    """Cuts some photos of an index into parts; those inside a tar or Parquet stay in its file."""
    base = _base(index.root)
    loose, inside = [], dict[str, list[str]]()
    for position in positions:
        path = index.paths[position]
        holder = _holder(path)
        if holder is None:
            loose.append(Photo(path, stamp=index.digests[position]))
        else:
            inside.setdefault(holder, []).append(path)
    parts = cut(base, loose, None)
    held = (Part(base, kind_of(holder), (Photo(holder),), tuple(paths))
            for holder, paths in sorted(inside.items()))  # fmt: skip
    return Source((*parts, *held), class_names=())


def _holder(path: str) -> str | None:
    folders = path.split("/")[:-1]
    for count, name in enumerate(folders, 1):
        if kind_of(name) != "files":
            return "/".join(folders[:count])
    return None


def _base(root: Path) -> str:
    """Gives a URI back the slash that `Path` took from it."""
    text = root.as_posix()
    scheme, colon, rest = text.partition(":/")
    if not colon or len(scheme) < 2:
        return text
    return f"{scheme}:///{rest}" if scheme == "file" else f"{scheme}://{rest}"


def _bytes(values: list[bytes]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(b"".join(values), np.uint8)
