"""Photos as parts: what one worker takes at a time, and what one shard is made of."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headstart.data.layout import label_by_folders, label_by_names
from headstart.data.listing import Listing
from headstart.data.walk import Folder, SetAside, foreign_reason, join
from headstart.errors import ArgumentError, PhotosError
from headstart.scale.place import Place, is_uri

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")
MIN_PART, MAX_PART, PARTS = 256, 4096, 256
"""Photos a part: few enough that a lost one costs seconds, many enough that a shard is no crumb."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A file of a part.

    Attributes:
        path: below the part's base, or absolute.
        label: class name; None where nobody says.
        split: "train", "validation", "test" or None.
        stamp: size and time of change: another file under the same name is another photo.
    """

    path: str
    label: str | None = None
    split: str | None = None
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Some photos, or one file that holds photos.

    Attributes:
        base: folder or URI that the paths are below.
        kind: "files", "tar" or "parquet".
        photos: the files; a single one for "tar" and "parquet".
        only: which of the photos in a "tar" or "parquet", by path; None for all.
    """

    base: str
    kind: str
    photos: tuple[Photo, ...]
    only: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        """32 hexadecimal digits of everything that decides what is in it."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:32]

    def as_json(self) -> str:
        """Returns it as a line, as it travels to a worker."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(line: str) -> "Part":
        """Reads what `as_json` wrote."""
        values = json.loads(line)
        photos = tuple(Photo(**photo) for photo in values["photos"])
        only = None if values["only"] is None else tuple(values["only"])
        return Part(values["base"], values["kind"], photos, only)


@dataclass(frozen=True, slots=True)
class Source:
    """All photos of a problem.

    Attributes:
        parts: of it.
        class_names: sorted; None when only the parts' content says.
        set_aside: files that are no photos by their names.
    """

    parts: tuple[Part, ...]
    class_names: tuple[str, ...] | None = None
    set_aside: tuple[SetAside, ...] = ()

    @property
    def file_count(self) -> int:
        """Photos, or files of photos."""
        return sum(len(part.photos) for part in self.parts)

    @property
    def digest(self) -> str:
        """Names it by all of its parts."""
        keys = ",".join(part.key for part in self.parts)
        return hashlib.sha256(keys.encode()).hexdigest()[:32]


def source_of_listing(listing: Listing, *, part_size: int | None = None) -> Source:
    """Cuts listed photos into parts, in their order."""
    names = listing.class_names
    photos = [
        Photo(path, names[label], split, _stamp(listing.root / path))
        for path, label, split in zip(
            listing.paths, listing.labels.tolist(), listing.splits, strict=True
        )
    ]
    parts = cut(str(listing.root.resolve()), photos, part_size)
    return Source(parts, names, listing.set_aside)


def source_of_files(files: Sequence[str | Path], *, part_size: int | None = None) -> Source:
    """Cuts photos of which nobody says what they show into parts, in their order."""
    photos = [Photo(str(file), None, None, _stamp(Path(file))) for file in files]
    return Source(cut(str(Path.cwd()), photos, part_size))


def source_of(
    name: str,
    *,
    label_from_name: str | None = None,
    labelled: bool = True,
    part_size: int | None = None,
) -> Source:
    """Lists a folder or URI: class folders, or shards (WebDataset tars, Parquet files of photos).

    Args:
        name: path or URI of a folder, or of one tar or Parquet file.
        label_from_name: finds the class in a file's name.
        labelled: that folders are classes.
        part_size: photos a part; None chooses by their number.

    Raises:
        ArgumentError: for a URI that cannot be opened.
        PhotosError: when there is nothing, or nothing labelled.
    """
    base, found = _list(name)
    shards = [photo for photo in found if kind_of(photo.path) != "files"]
    if shards:
        parts = tuple(Part(base, kind_of(photo.path), (photo,)) for photo in shards)
        return Source(parts)
    top, set_aside = _tree([photo.path for photo in found])
    if not labelled:
        kept = set(top.photos())
        loose = [photo for photo in found if photo.path in kept]
        return Source(cut(base, loose, part_size), None, tuple(set_aside))
    sorted_in = (
        label_by_folders(top) if label_from_name is None else label_by_names(top, label_from_name)
    )
    stamps = {photo.path: photo.stamp for photo in found}
    photos = [Photo(path, label, split, stamps[path])
              for path, label, split in sorted(sorted_in.photos)]  # fmt: skip
    if not photos:
        raise PhotosError(
            f"No photo found in {name!r}. Expected a folder for each class with its photos in it, "
            "or .tar or .parquet files of photos."
        )
    aside = (*set_aside, *sorted_in.set_aside)
    return Source(cut(base, photos, part_size), tuple(sorted(sorted_in.class_names)), aside)


def kind_of(name: str) -> str:
    """Says what a file is by its name: "tar", "parquet", or else "files"."""
    lower = name.lower()
    return (
        "tar" if lower.endswith(TAR_SUFFIXES) else "parquet" if lower.endswith(".parquet")
        else "files"
    )  # fmt: skip


def is_sharded(name: str) -> bool:
    """Tells whether photos can only be listed here: a URI, or files that hold photos."""
    if is_uri(name):
        return True
    path = Path(name)
    if path.is_dir():
        # A folder of class folders has no such file at its top.
        return any(kind_of(each.name) != "files" for each in path.iterdir() if each.is_file())
    return kind_of(name) == "parquet"


def _list(name: str) -> tuple[str, list[Photo]]:
    from pyarrow.fs import FileSelector, FileType

    system, path = Place(name).opened()
    info = system.get_file_info(path)
    if info.type == FileType.NotFound:
        raise PhotosError(f"photos={name!r} does not exist.")
    if info.type == FileType.File:
        base, _, own = name.rpartition("/")
        return base or ".", [Photo(own, stamp=_arrow_stamp(info))]
    found = system.get_file_info(FileSelector(path, recursive=True))
    files = [each for each in found if each.type == FileType.File]
    start = len(path.rstrip("/")) + 1
    photos = [Photo(each.path[start:], stamp=_arrow_stamp(each)) for each in files]
    return name, sorted(photos, key=lambda photo: photo.path)


def _tree(paths: Sequence[str]) -> tuple[Folder, list[SetAside]]:
    """Makes of sorted paths what `headstart.data.walk.walk` makes of a disk."""
    top, set_aside = Folder(""), []
    folders = {"": top}
    for path in paths:
        *above, name = path.split("/")
        reason = "a hidden or system folder" if any(n.startswith(".") for n in above) else None
        reason = reason or foreign_reason(name)
        if reason is not None:
            set_aside.append(SetAside(path, reason))
            continue
        at = ""
        for part in above:
            inner = join(at, part)
            if inner not in folders:
                folders[inner] = Folder(inner)
                folders[at].folders.append(folders[inner])
            at = inner
        folders[at].files.append(name)
    return top, set_aside


def cut(base: str, photos: list[Photo], part_size: int | None) -> tuple[Part, ...]:
    """Cuts photos below one base into parts, in their order.

    Raises:
        ArgumentError: for a size below 1.
    """
    if part_size is not None and part_size < 1:
        raise ArgumentError(f"part_size={part_size} is too small. Expected at least 1 photo.")
    size = part_size or min(max(MIN_PART, len(photos) // PARTS), MAX_PART)
    return tuple(
        Part(base, "files", tuple(photos[at : at + size])) for at in range(0, len(photos), size)
    )


def _stamp(file: Path) -> str:
    try:
        status = os.stat(file)  # noqa: PTH116 - a million of them
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"


def _arrow_stamp(info: Any) -> str:
    return f"{info.size}-{info.mtime_ns}"
