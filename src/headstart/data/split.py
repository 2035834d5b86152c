"""Which photos train, validate and test: stratified, stable, near-duplicates together.

Groups of near-duplicates are ranked by a hash of content and seed (`ranking`). Test is dealt from
the low end of the ranking, validation follows it, and train is dealt from the high end.

- With fractions a group's side depends on its own hash only: adding photos moves no other.
- With exact counts each side keeps its own end: a photo that is added to train pushes one out of
  train into the unused middle, not into test. So k photos added to train or test displace at most k
  others; only where validation is counted too can one added to test push one on into validation,
  and one out of there. (For three exact sides without slack no rule can do better.)

Two exceptions, both of groups: added photos that link groups (near-duplicates) move them as one;
and a class to which the fractions give no train photo lends its highest-ranked group to train.
"""

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.data.counts import Counts, deal_counts
from headstart.data.ranking import Integers, Ranking, rank
from headstart.data.walk import SetAside
from headstart.errors import ArgumentError, PhotosError
from headstart.files import atomic_file

SIDES = ("train", "validation", "test")
_SPLIT_COLUMNS = ("file", "label", "split", "reason")


@dataclass(frozen=True, eq=False)
class Split:
    """Positions in an `ImageIndex`; each photo stands in exactly one of the four.

    Attributes:
        train: int64, sorted.
        validation: int64, sorted; may be empty.
        test: int64, sorted.
        unused: int64, sorted; empty unless exact counts were asked for.
    """

    train: Integers
    validation: Integers
    test: Integers
    unused: Integers

    def side_of(self, count: int) -> list[str]:
        """Returns for each of `count` photos the name of its side."""
        sides = ["unused"] * count
        for side in SIDES:
            for at in getattr(self, side).tolist():
                sides[at] = side
        return sides


def split_photos(
    *,
    digests: Sequence[str],
    labels: NDArray[np.int32],
    groups: NDArray[np.int32],
    splits: Sequence[str | None],
    class_names: Sequence[str],
    seed: int = 0,
    validation: float = 0.15,
    test: float = 0.15,
    train_per_class: int | None = None,
    validation_per_class: int | None = None,
    test_per_class: int | None = None,
) -> Split:
    """Deals N photos to train, validation and test.

    Sides that folders or a table give stay as they are. A side that nobody gives is cut from the
    photos that nobody assigned or, when all are assigned, from train.

    As soon as one exact count is given: train takes its first `train_per_class` photos of each
    class (all others without a count), test `test_per_class` (its fraction without a count),
    validation only what `validation_per_class` says; the rest is unused. A group that a count cuts
    through leaves its rest unused. Of a group with contradictory labels only the photos of one
    class, that of its smallest digest, are dealt.

    Args:
        digests: N digests of the files.
        labels: int32 (N,), positions in `class_names`.
        groups: int32 (N,), near-duplicates share a number (`group_duplicates`).
        splits: N times "train", "validation", "test" or None.
        class_names: for messages.
        seed: at least 0; another seed deals anew.
        validation: fraction in [0, 1), approximately met.
        test: fraction in [0, 1), likewise.
        train_per_class: exact number of photos a class.
        validation_per_class: likewise.
        test_per_class: likewise.

    Raises:
        ArgumentError: when an argument does not fit the others, or a class has too few photos.
        PhotosError: when there is no photo to train on.

    Example:
        >>> split = split_photos(
        ...     digests=[f"{n:04x}" for n in range(1000)], labels=np.zeros(1000, np.int32),
        ...     groups=np.arange(1000, dtype=np.int32), splits=[None] * 1000, class_names=["cat"])
        >>> len(split.train), len(split.validation), len(split.test), len(split.unused)
        (701, 143, 156, 0)
    """
    counts = Counts(train_per_class, validation_per_class, test_per_class)
    _check_arrays(digests, labels, groups=groups, splits=splits, class_names=class_names)
    _check_wishes(seed, counts, validation=validation, test=test)
    given = {side: _where(splits, side) for side in SIDES}
    undecided = _where(splits, None)
    pool = undecided if len(undecided) else given.pop("train")
    if not len(pool):
        raise PhotosError("No photo is left to train on: all lie in validation or test folders.")
    given = {side: positions for side, positions in given.items() if len(positions)}
    ranked, *others = (
        rank(positions, digests=digests, labels=labels, groups=groups, seed=seed)
        for positions in (pool, *given.values())
    )
    if counts.any():
        ranked_given = dict(zip(given, others, strict=True))
        sides = deal_counts(ranked, ranked_given, counts=counts, test=test, class_names=class_names)
    else:
        test = 0.0 if "test" in given else test
        edge = test if "validation" in given else test + validation
        taught = labels[given["train"]] if "train" in given else labels[:0]
        sides = _by_fractions(ranked, test=test, edge=edge, taught=taught)
        for side, positions in given.items():
            sides[side] = np.concatenate([sides[side], positions])
    return _to_split(sides, len(digests))


def _where(splits: Sequence[str | None], wanted: str | None) -> Integers:
    return np.array([at for at, side in enumerate(splits) if side == wanted], np.int64)


def _to_split(sides: dict[str, Integers], count: int) -> Split:
    train, validation, test = (np.sort(sides[side]) for side in SIDES)
    unused = np.setdiff1d(np.arange(count), np.concatenate([train, validation, test]))
    return Split(train, validation, test, unused)


def _by_fractions(
    ranked: Ranking, *, test: float, edge: float, taught: NDArray[np.int32]
) -> dict[str, Integers]:
    """Cuts at `test` and `edge`; `taught` are classes that have train photos anyway."""
    in_train = ranked.chances >= edge
    for label in np.setdiff1d(ranked.labels, [*ranked.labels[in_train], *taught]):
        of_class = ranked.labels == label
        highest = ranked.order[of_class[ranked.order]][-1]
        in_train |= ranked.groups == ranked.groups[highest]
    in_test = ~in_train & (ranked.chances < test)
    return {
        "train": ranked.positions[in_train],
        "validation": ranked.positions[~in_train & ~in_test],
        "test": ranked.positions[in_test],
    }


def _check_arrays(
    digests: Sequence[str],
    labels: NDArray[np.int32],
    *,
    groups: NDArray[np.int32],
    splits: Sequence[str | None],
    class_names: Sequence[str],
) -> None:
    count = len(digests)
    for name, size in (("labels", len(labels)), ("groups", len(groups)), ("splits", len(splits))):
        if size != count:
            raise ArgumentError(f"{name} has {size} entries, expected {count}, one a digest.")
    if count and not (labels.min() >= 0 and labels.max() < len(class_names)):
        raise ArgumentError(
            f"labels lie in {labels.min()}..{labels.max()}, expected 0..{len(class_names) - 1}: "
            "positions in class_names."
        )
    odd = sorted({str(side) for side in splits if side is not None} - set(SIDES))
    if odd:
        raise ArgumentError(
            f"splits has {odd[0]!r}, expected 'train', 'validation', 'test' or None."
        )


def _check_wishes(seed: int, counts: Counts, *, validation: float, test: float) -> None:
    if seed < 0:
        raise ArgumentError(f"seed={seed}, expected a whole number of at least 0.")
    for name, fraction in (("validation", validation), ("test", test)):
        if not (math.isfinite(fraction) and 0 <= fraction < 1):
            raise ArgumentError(f"{name}={fraction}, expected a fraction from 0 to below 1.")
    if validation + test >= 1:
        raise ArgumentError(
            f"validation={validation} and test={test} leave nothing for train; expected a sum "
            "below 1."
        )
    lowest = {"train": 1, "validation": 0, "test": 0}
    for side in SIDES:
        count = getattr(counts, side)
        if count is not None and count < lowest[side]:
            raise ArgumentError(
                f"{side}_per_class={count}, expected a whole number of at least {lowest[side]}."
            )


@dataclass(frozen=True, slots=True)
class SplitRow:
    """One line of `split.csv`.

    Attributes:
        file: relative to the root of the photos.
        label: class name; empty for a file that was set aside.
        split: `train`, `validation`, `test`, `unused` or `set aside`.
        reason: why a file is unused or set aside; else empty.
    """

    file: str
    label: str
    split: str
    reason: str


def write_split_csv(
    path: Path,
    split: Split,
    *,
    files: Sequence[str],
    labels: NDArray[np.int32],
    class_names: Sequence[str],
    set_aside: Iterable[SetAside] = (),
) -> None:
    """Writes what became of every file, sorted by name, whole or not at all.

    Args:
        path: the CSV file to write, UTF-8.
        split: as `split_photos` returns it.
        files: N names.
        labels: int32 (N,), positions in `class_names`.
        class_names: names of the classes.
        set_aside: files that are not among the N.
    """
    rows = [
        SplitRow(file, class_names[label], side, "more than asked for" if side == "unused" else "")
        for file, label, side in zip(files, labels.tolist(), split.side_of(len(files)), strict=True)
    ]
    rows += [SplitRow(item.path, "", "set aside", item.reason) for item in set_aside]
    rows.sort(key=lambda row: row.file)
    with (
        atomic_file(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as text,
    ):
        # The csv module's own line ends: it quotes a name only for the line ends that it writes.
        writer = csv.writer(text)
        writer.writerow(_SPLIT_COLUMNS)
        writer.writerows((row.file, row.label, row.split, row.reason) for row in rows)


def read_split_csv(path: Path) -> tuple[SplitRow, ...]:
    """Reads what `write_split_csv` wrote.

    Raises:
        PhotosError: when the file is missing or is no such table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            header, *rows = list(csv.reader(text)) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PhotosError(f"{path} cannot be read as a table of splits: {error}.") from error
    if tuple(header) != _SPLIT_COLUMNS:
        raise PhotosError(
            f"{path}, line 1: got the columns {header}, expected {','.join(_SPLIT_COLUMNS)}."
        )
    for number, row in enumerate(rows, 2):
        if len(row) != len(_SPLIT_COLUMNS):
            raise PhotosError(f"{path}, row {number}: got {len(row)} columns, expected 4.")
    return tuple(SplitRow(*row) for row in rows)
