"""Which photos there are and how they are labelled, by names alone; no photo is opened."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.data.archive import archive_kind, extract_archive
from headstart.data.layout import Labelled, label_by_folders, label_by_names
from headstart.data.table import read_table
from headstart.data.walk import SetAside, walk
from headstart.errors import ArgumentError, PhotosError, near_matches

__all__ = ["Listing", "SetAside", "list_photos", "with_test_folder"]


@dataclass(frozen=True, eq=False)
class Listing:
    """The photos of a problem by name, N in all.

    Attributes:
        root: `root / path` opens a photo.
        paths: N names relative to `root`, with `/`, sorted; absolute where a photo lies elsewhere.
        labels: int32 (N,), positions in `class_names`.
        class_names: sorted; a class whose folder is empty is in it.
        splits: N times "train", "validation", "test", or None where nothing says it.
        set_aside: files that are not photos, each with its reason.
        weights: float64 (N,), how much each counts in training; None for all alike.
    """

    root: Path
    paths: tuple[str, ...]
    labels: NDArray[np.int32]
    class_names: tuple[str, ...]
    splits: tuple[str | None, ...]
    set_aside: tuple[SetAside, ...]
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.paths)


def list_photos(
    source: str | Path, *, label_from_name: str | None = None, extract_to: Path | None = None
) -> Listing:
    r"""Lists the photos of a folder, an archive or a CSV file.

    Understood are: class folders (`cats/1.jpg`), with or without train, val and test folders above
    them, in any wrapping folder; a zip or tar of such; a CSV `path,label[,split][,weight]`; and,
    with `label_from_name`, photos whose names hold the class.

    Args:
        source: the folder or file.
        label_from_name: a regular expression whose group `label`, or else first group, is the
            class, such as `^(cat|dog)\.`.
        extract_to: the folder in which an archive is unpacked, used again when it is there. Name it
            after the archive's digest, so that a changed archive gets another one.

    Raises:
        ArgumentError: when an argument does not fit the source.
        ArchiveError: when the archive is damaged or unsafe.
        PhotosError: when no labelled photo is found; it says what was found instead.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("cats/1.jpg", "dogs/1.jpg", "dogs/Thumbs.db"):
        ...         file = Path(folder, name)
        ...         file.parent.mkdir(exist_ok=True)
        ...         file.touch()
        ...     found = list_photos(folder)
        >>> found.paths, found.class_names, found.set_aside[0].path
        (('cats/1.jpg', 'dogs/1.jpg'), ('cats', 'dogs'), 'dogs/Thumbs.db')
    """
    place = Path(source)
    if not place.exists():
        raise PhotosError(f"{str(place)!r} does not exist. {_beside(place)}".rstrip())
    if place.is_dir():
        return _list_folder(place, label_from_name)
    if place.suffix.lower() == ".csv":
        if label_from_name is not None:
            raise ArgumentError(
                f"label_from_name={label_from_name!r} does not go with a CSV file: "
                "its column 'label' holds the classes. Leave one of them out."
            )
        return _to_listing(place.parent, read_table(place), [], source=place)
    if not place.is_file() or archive_kind(place) is None:
        raise PhotosError(
            f"{str(place)!r} is not a source of photos. Expected a folder of class folders, "
            "a zip or tar (gz, bz2, xz) of one, or a .csv file with the columns path,label."
        )
    if extract_to is None:
        raise ArgumentError(
            f"extract_to=None, but {str(place)!r} is an archive: say where to unpack it."
        )
    return _list_folder(extract_archive(place, extract_to), label_from_name)


def with_test_folder(listing: Listing, test: Listing) -> Listing:
    """Adds the photos of another listing as the test split.

    The new root is the folder that holds both; where there is none (two drives, or only `/`), the
    root stays and the test photos have absolute paths. Either way `root / path` opens the photo.

    Args:
        listing: the photos to learn from; must have no other test photos of its own.
        test: the photos to test on, whatever splits it says; its classes must be known.

    Raises:
        ArgumentError: when `test` has a class that `listing` lacks, or `listing` has its own test.
    """
    _check_test_classes(listing, test)
    root, test_root = listing.root.resolve(), test.root.resolve()
    common = _common_folder(root, test_root)
    ours = [_moved(path, root, common or root) for path in listing.paths]
    theirs = [_moved(path, test_root, common) for path in test.paths]
    tested = set(theirs)
    own = [path for path, side in zip(ours, listing.splits, strict=True) if side == "test"]
    if any(path not in tested for path in own):
        raise ArgumentError(
            f"test={str(test.root)!r}, but {str(listing.root)!r} has {len(own):,} test photos of "
            "its own. Leave --test out, or give only the training folder as PHOTOS."
        )
    names = listing.class_names
    labelled = Labelled(class_names=set(names))
    for path, label, side in zip(ours, listing.labels, listing.splits, strict=True):
        if path not in tested:
            labelled.photos.append((path, names[label], side))
    if listing.weights is not None:
        labelled.weights.update(zip(ours, listing.weights.tolist(), strict=True))
    for path, label in zip(theirs, test.labels, strict=True):
        labelled.photos.append((path, test.class_names[label], "test"))
    set_aside = {
        SetAside(_moved(item.path, old, new), item.reason)
        for items, old, new in (
            (listing.set_aside, root, common or root),
            (test.set_aside, test_root, common),
        )
        for item in items
    }
    return _to_listing(common or root, labelled, set_aside, source=listing.root)


def _list_folder(root: Path, label_from_name: str | None) -> Listing:
    top, set_aside = walk(root)
    if label_from_name is None:
        labelled = label_by_folders(top)
    else:
        labelled = label_by_names(top, label_from_name)
    return _to_listing(root, labelled, set_aside, source=root)


def _to_listing(
    root: Path, labelled: Labelled, set_aside: Iterable[SetAside], *, source: Path
) -> Listing:
    aside = sorted((*set_aside, *labelled.set_aside), key=lambda item: (item.path, item.reason))
    if not labelled.photos:
        reasons = Counter(item.reason.split(" (line")[0] for item in aside).most_common(3)
        said = "; ".join(f"{number:,}: {reason}" for reason, number in reasons)
        raise PhotosError(
            f"No photo found in {str(source)!r}. "
            + (f"What is there was set aside ({said}). " if said else "It is empty. ")
            + "Expected a folder for each class with its photos in it."
        )
    photos = sorted(labelled.photos)
    class_names = tuple(sorted(labelled.class_names))
    number_of = {name: number for number, name in enumerate(class_names)}
    listing = Listing(
        root=root,
        paths=tuple(path for path, _, _ in photos),
        labels=np.array([number_of[label] for _, label, _ in photos], np.int32),
        class_names=class_names,
        splits=tuple(side for _, _, side in photos),
        set_aside=tuple(aside),
        weights=_weights(labelled, photos),
    )
    _check_learnable(listing)
    return listing


def _weights(
    labelled: Labelled, photos: list[tuple[str, str, str | None]]
) -> NDArray[np.float64] | None:
    if not labelled.weights:
        return None
    weights = np.array([labelled.weights.get(path, 1.0) for path, _, _ in photos])
    counted = {label for (_, label, _), weight in zip(photos, weights, strict=True) if weight}
    lost = sorted({label for _, label, _ in photos} - counted)
    if lost:
        raise PhotosError(
            f"Every photo of class {lost[0]!r} has weight 0, so nothing could be learnt of it. "
            "Give some of them a weight, or leave the class out."
        )
    return weights


def _check_learnable(listing: Listing) -> None:
    """Refuses a class that the test folder has and the train folder lacks: nobody can learn it."""
    sides = set(listing.splits)
    if "train" not in sides:
        return
    learnt = {n for n, side in zip(listing.labels.tolist(), listing.splits, strict=True)
              if side in ("train", None)}  # fmt: skip
    lost = sorted({*listing.labels.tolist()} - learnt)
    if lost:
        names = listing.class_names
        known = [names[number] for number in sorted(learnt)]
        raise PhotosError(
            f"{_naming([names[number] for number in lost])} only outside train, where it cannot be "
            f"learnt.{near_matches(names[lost[0]], known)} Name the class folders alike in every "
            "split, or remove them."
        )


def _check_test_classes(listing: Listing, test: Listing) -> None:
    used = {test.class_names[number] for number in set(test.labels.tolist())}
    unknown = sorted(used - set(listing.class_names))
    if unknown:
        raise ArgumentError(
            f"test={str(test.root)!r}: {_naming(unknown)} there but not in {str(listing.root)!r}."
            f"{near_matches(unknown[0], listing.class_names)} Name the class folders alike."
        )


def _naming(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"class {shown} is" if len(names) == 1 else f"classes {shown}{more} are"


def _common_folder(one: Path, other: Path) -> Path | None:
    try:
        common = Path(os.path.commonpath([one, other]))
    except ValueError:
        return None
    return None if common == Path(common.anchor) else common


def _moved(path: str, old_root: Path, new_root: Path | None) -> str:
    if Path(path).is_absolute():
        return path
    if new_root is None:
        return (old_root / path).as_posix()
    return (old_root.relative_to(new_root) / path).as_posix()


def _beside(place: Path) -> str:
    if not place.parent.is_dir():
        return f"Its folder {str(place.parent)!r} does not exist either."
    return near_matches(place.name, [each.name for each in place.parent.iterdir()]).strip()
