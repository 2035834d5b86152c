"""A CSV file as the list of photos: `path,label[,split][,weight]`."""

import csv
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from headstart.data.layout import Labelled, class_name, split_of
from headstart.data.walk import SetAside, printable
from headstart.errors import PhotosError, near_matches

_COLUMNS = ("path", "label", "split", "weight")


@dataclass(slots=True)
class _Reader:
    """What has been seen so far, for errors that name both lines."""

    file: Path
    found: Labelled = field(default_factory=Labelled)
    first_line: dict[str, tuple[int, str]] = field(default_factory=dict)

    def take(self, line: int, row: dict[str, str]) -> None:
        path = row["path"].strip()
        label = class_name(row["label"].strip())
        if not path or not label:
            column = "label" if path else "path"
            raise PhotosError(f"{self.file}, line {line}, column '{column}': the value is empty.")
        side = self._side(line, row.get("split", "").strip())
        weight = self._weight(line, row.get("weight", "").strip())
        if path in self.first_line:
            self._again(path, label, line)
            return
        self.first_line[path] = (line, label)
        self.found.class_names.add(label)
        reason = _unusable(self.file.parent, path)
        if reason is None:
            self.found.photos.append((Path(path).as_posix(), label, side))
            if weight != 1:
                self.found.weights[Path(path).as_posix()] = weight
        else:
            self.found.set_aside.append(SetAside(printable(path), f"{reason} (line {line})"))

    def _side(self, line: int, text: str) -> str | None:
        if not text:
            return None
        side = split_of(text)
        if side is None:
            raise PhotosError(
                f"{self.file}, line {line}, column 'split': got {text!r}, expected train, "
                "validation, test or nothing." + near_matches(text, ("train", "validation", "test"))
            )
        return side

    def _weight(self, line: int, text: str) -> float:
        try:
            weight = float(text or 1)
        except ValueError:
            weight = math.nan
        if not 0 <= weight < math.inf:
            raise PhotosError(
                f"{self.file}, line {line}, column 'weight': got {text!r}, expected a number that "
                "is 0 or more (how much the photo counts in training), or nothing for 1."
            )
        return weight

    def _again(self, path: str, label: str, line: int) -> None:
        before, label_before = self.first_line[path]
        if label != label_before:
            raise PhotosError(
                f"{self.file}, line {line}, column 'label': {path!r} is {label!r} here and "
                f"{label_before!r} in line {before}. Keep one of them."
            )
        self.found.set_aside.append(
            SetAside(printable(path), f"listed twice (lines {before} and {line}); used once")
        )


def read_table(file: Path) -> Labelled:
    """Reads the photos that a CSV file lists.

    Args:
        file: UTF-8 (a byte order mark is fine), with a header naming the columns `path`, `label`
            and perhaps `split` (train, validation, test or empty) and `weight` (a number, 0 or
            more; empty for 1); other columns are passed over. Paths are relative to the file's
            folder.

    Returns:
        The photos; a row whose file is missing is set aside.

    Raises:
        PhotosError: naming line and column of what cannot be understood.
    """
    reader = _Reader(file)
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.reader(text)
            columns = _header(file, next(rows, []))
            for row in rows:
                if not row:
                    continue
                if len(row) <= max(columns.values()):
                    raise PhotosError(
                        f"{file}, line {rows.line_num}: got {len(row)} columns, expected at least "
                        f"{max(columns.values()) + 1}. Quote values that hold a comma."
                    )
                reader.take(rows.line_num, {name: row[at] for name, at in columns.items()})
    except UnicodeDecodeError as error:
        raise PhotosError(f"{file} is not UTF-8 text ({error}). Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise PhotosError(f"{file}, line {rows.line_num}: {error}.") from error
    except OSError as error:
        raise PhotosError(f"{file} cannot be read: {error.strerror}.") from error
    return reader.found


def _header(file: Path, header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in _COLUMNS[:2] if name not in names]
    if missing:
        joined = ",".join(header)
        hint = ""
        for mark, word in ((";", "semicolons"), ("\t", "tabs")):
            if mark in joined:
                hint = f" The columns are parted by {word}; save the file with commas."
        raise PhotosError(
            f"{file}, line 1: got the columns {joined[:200]!r}, expected a header "
            f"'path,label' or 'path,label,split,weight'; column {missing[0]!r} is missing.{hint}"
        )
    doubled = [name for name in _COLUMNS if names.count(name) > 1]
    if doubled:
        raise PhotosError(f"{file}, line 1: the column {doubled[0]!r} is there twice.")
    return {name: names.index(name) for name in _COLUMNS if name in names}


def _unusable(folder: Path, path: str) -> str | None:
    try:
        file = os.path.join(folder, path)  # noqa: PTH118 - a million rows: strings are 5x faster
        if os.path.isfile(file):  # noqa: PTH113
            return None
        return "not a regular file" if os.path.exists(file) else "no such file"  # noqa: PTH110
    except ValueError:
        return "not a possible file name"
