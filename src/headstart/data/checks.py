"""What is in a set of photos, and what is wrong with it: an index in, plain data out."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from headstart.data.duplicates import DuplicatePairs, duplicate_pairs
from headstart.data.findings import findings
from headstart.data.index import ImageIndex
from headstart.data.walk import HARMLESS_REASONS, SetAside, suffix
from headstart.errors import PhotosError

SUFFIXES_OF = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "PNG": (".png", ".apng"),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "WEBP": (".webp",),
    "AVIF": (".avif", ".avifs"),
    "TIFF": (".tif", ".tiff"),
}
"""Endings that fit a format; any other ending is a mismatch, none at all is not."""

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Sizes:
    """Smallest, median and largest, in pixels."""

    width: tuple[int, int, int]
    height: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A file whose name says another format than its content."""

    path: str
    format: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files that show the same picture.

    Attributes:
        first: path.
        second: path.
        exact: whether they are equal byte for byte.
        kind: "across splits" (one trains, the other tests), "across classes" (two labels for one
            picture) or "within a class".
    """

    first: str
    second: str
    exact: bool
    kind: str

    @property
    def full_kind(self) -> str:
        """The kind, with `exact` or `near` before it."""
        return f"{'exact' if self.exact else 'near'} {self.kind}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `headstart check` prints.

    Attributes:
        photos: number of usable photos.
        class_counts: photos a class, in the order of names; 0 for an empty class.
        splits: photos a split that folders or a table give; empty when they give none.
        sizes: None without a photo.
        formats: photos a format, by content; the most frequent first.
        modes: photos a colour mode before conversion.
        mismatches: files whose ending says another format; they are read all the same.
        rotated: photos that their EXIF orientation turns or mirrors.
        set_aside: files that are not used.
        set_aside_by_reason: how many for each reason; the most frequent first.
        duplicates: links between copies; N copies give N - 1 links.
        duplicate_counts: links of each kind, "exact within a class" and so on.
        imbalance: photos of the largest class to photos of the smallest that has any.
        findings: what is wrong, one sentence each; empty when nothing is.
    """

    photos: int
    class_counts: dict[str, int]
    splits: dict[str, int]
    sizes: Sizes | None
    formats: dict[str, int]
    modes: dict[str, int]
    mismatches: tuple[Mismatch, ...]
    rotated: int
    set_aside: tuple[SetAside, ...]
    set_aside_by_reason: dict[str, int]
    duplicates: tuple[Pair, ...]
    duplicate_counts: dict[str, int]
    imbalance: float
    findings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns the same as dictionaries, lists, strings and numbers, ready for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Returns what is in the photos, one line a subject, without classes and findings."""
        said = [f"{self.photos:,} photos{_listed('', self.splits)}"]
        if self.sizes is not None:
            for name, (low, middle, high) in asdict(self.sizes).items():
                said.append(f"{name}: {low} to {high} pixels, median {middle}")
        said.append(f"formats{_listed(':', self.formats)}; modes{_listed(':', self.modes)}")
        if self.rotated:
            said.append(f"turned by their EXIF orientation: {self.rotated:,}")
        said += _shown(
            "ending says another format",
            [f"{each.path} is {each.format}" for each in self.mismatches],
        )
        for reason, number in list(self.set_aside_by_reason.items())[:_SHOWN]:
            first = next(item.path for item in self.set_aside if item.reason == reason)
            said.append(f"set aside, {reason}: {number:,} ({first}{', ...' if number > 1 else ''})")
        for kind, number in self.duplicate_counts.items():
            of_kind = [pair for pair in self.duplicates if pair.full_kind == kind]
            said.append(f"copies, {kind}: {number:,}")
            said += _shown("", [f"{pair.first} = {pair.second}" for pair in of_kind])
        return said


def check_photos(index: ImageIndex, *, pairs: DuplicatePairs | None = None) -> CheckReport:
    """Looks for everything that would spoil training or its test, without reading a file.

    Args:
        index: the photos as `scan` found them.
        pairs: their duplicates when they are known already.

    Returns:
        A report; `report.findings` is empty when nothing is wrong.
    """
    if pairs is None:
        pairs = duplicate_pairs(index.fingerprints, index.thumbnails, index.digests)
    links = _pairs(index, pairs)
    classes = count_classes(index)
    filled = [number for number in classes.values() if number]
    by_kind = Counter(pair.full_kind for pair in links)
    wanted = tuple(item for item in index.set_aside if item.reason not in HARMLESS_REASONS)
    imbalance = max(filled) / min(filled) if filled else 1.0
    return CheckReport(
        photos=len(index),
        class_counts=classes,
        splits=dict(Counter(side for side in index.splits if side is not None)),
        sizes=_sizes(index),
        formats=dict(Counter(index.formats).most_common()),
        modes=dict(Counter(index.modes).most_common()),
        mismatches=_mismatches(index),
        rotated=int((index.orientations > 1).sum()),
        set_aside=index.set_aside,
        set_aside_by_reason=dict(Counter(item.reason for item in index.set_aside).most_common()),
        duplicates=links,
        duplicate_counts=dict(by_kind),
        imbalance=imbalance,
        findings=findings(classes, wanted, duplicates=by_kind, imbalance=imbalance),
    )


def count_classes(index: ImageIndex) -> dict[str, int]:
    """Returns how many usable photos each class has; 0 for an empty one."""
    counts = np.bincount(index.labels, minlength=len(index.class_names)).tolist()
    return dict(zip(index.class_names, counts, strict=True))


def require_usable(index: ImageIndex) -> None:
    """Refuses photos from which no classifier can be learnt.

    Raises:
        PhotosError: when there are fewer than two classes, or a class has fewer than two photos; it
            says what to do.
    """
    counts = count_classes(index)
    aside = sum(item.reason not in HARMLESS_REASONS for item in index.set_aside)
    hint = f" {aside:,} files were set aside: `headstart check` says why." if aside else ""
    if len(counts) < 2:
        only = next(iter(counts), None)
        raise PhotosError(
            f"{str(index.root)!r} has "
            + ("no class" if only is None else f"one class only, {only!r}")
            + f"; a classifier needs at least two.{hint} Give the folder that holds one folder "
            "for each class, or --label-from-name REGEX when the names hold the class."
        )
    poor = [f"{name!r} ({number})" for name, number in counts.items() if number < 2]
    if poor:
        shown = ", ".join(poor[:10]) + (f" and {len(poor) - 10:,} more" if len(poor) > 10 else "")
        raise PhotosError(
            f"A class needs at least 2 usable photos, but these have fewer: {shown}.{hint} "
            "Add photos to them, or remove their folders."
        )


def _sizes(index: ImageIndex) -> Sizes | None:
    if not len(index):
        return None
    width, height = (
        (int(side.min()), int(np.median(side)), int(side.max()))
        for side in (index.widths, index.heights)
    )
    return Sizes(width, height)


def _mismatches(index: ImageIndex) -> tuple[Mismatch, ...]:
    return tuple(
        Mismatch(path, name)
        for path, name in zip(index.paths, index.formats, strict=True)
        if (end := suffix(path.rpartition("/")[2])) and end not in SUFFIXES_OF.get(name, (end,))
    )


def _pairs(index: ImageIndex, pairs: DuplicatePairs) -> tuple[Pair, ...]:
    """Names the links, and adds one from each leaked test photo to a photo that teaches it."""
    links = set(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.exact.tolist(), strict=True))
    linked = {(one, other) for one, other, _ in links}
    taught: dict[int, int] = {}
    groups = pairs.groups(len(index)).tolist()
    for at, side in enumerate(index.splits):
        if side != "test":
            taught.setdefault(groups[at], at)
    for at, side in enumerate(index.splits):
        if side == "test" and groups[at] in taught:
            one, other = sorted((at, taught[groups[at]]))
            if (one, other) not in linked:
                links.add((one, other, index.digests[one] == index.digests[other]))
    return tuple(
        Pair(index.paths[one], index.paths[other], exact, _kind(index, one, other))
        for one, other, exact in sorted(links)
    )


def _kind(index: ImageIndex, one: int, other: int) -> str:
    sides = (index.splits[one], index.splits[other])
    if sides[0] != sides[1] and all(sides):
        return "across splits"
    if index.labels[one] != index.labels[other]:
        return "across classes"
    return "within a class"


def _listed(mark: str, counts: dict[str, int]) -> str:
    if not counts:
        return ""
    each = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    return f"{mark} {each}" if mark else f" ({each})"


def _shown(title: str, lines: list[str]) -> list[str]:
    head = [f"{title}: {len(lines):,}"] if title and lines else []
    more = [f"  and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []
    return head + [f"  {line}" for line in lines[:_SHOWN]] + more
