"""Corrected labels from a table: the photos themselves are never touched."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.data.index import ImageIndex, take
from headstart.data.listing import SetAside
from headstart.errors import ArgumentError, near_matches

LEFT_OUT = "left out by the table of fixes"


def read_fixes(file: str | Path) -> dict[str, str]:
    """Reads a table of corrected labels.

    Args:
        file: CSV with the columns `file` and `label`; others are ignored. An empty label leaves the
            photo out.

    Returns:
        The right label by file.

    Raises:
        ArgumentError: when it is no such table, or names a file twice with different labels.
    """
    try:
        with Path(file).open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            columns, rows = reader.fieldnames or [], list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArgumentError(f"fixes={str(file)!r} cannot be read: {error}") from error
    missing = [name for name in ("file", "label") if name not in columns]
    if missing:
        raise ArgumentError(
            f"fixes={str(file)!r} has the columns {', '.join(columns) or 'none'}; expected file "
            "and label, as `headstart suspects RUN --csv FILE` writes them."
        )
    fixes: dict[str, str] = {}
    for row in rows:
        name, label = row["file"] or "", (row["label"] or "").strip()
        if fixes.setdefault(name, label) != label:
            raise ArgumentError(
                f"fixes={str(file)!r} gives {name!r} the labels {fixes[name]!r} and {label!r}. "
                "Keep one of the two lines."
            )
    return fixes


def apply_fixes(index: ImageIndex, fixes: Mapping[str, str]) -> ImageIndex:
    """Returns the same photos with corrected labels.

    Args:
        index: the photos as they are labelled.
        fixes: the right label by file; "" leaves a photo out.

    Raises:
        ArgumentError: for a file or a class that is not there.
    """
    places = {path: at for at, path in enumerate(index.paths)}
    numbers = {name: at for at, name in enumerate(index.class_names)}
    labels, left_out = index.labels.copy(), []
    for file, label in fixes.items():
        if file not in places:
            raise ArgumentError(
                f"fixes names {file!r}, which is not among the photos."
                f"{near_matches(file, index.paths)}"
            )
        if label and label not in numbers:
            raise ArgumentError(
                f"fixes gives {file!r} the class {label!r}, which no photo has."
                f"{near_matches(label, numbers)} Expected one of {', '.join(list(numbers)[:10])}, "
                "or nothing to leave the photo out."
            )
        if label:
            labels[places[file]] = numbers[label]
        else:
            left_out.append(places[file])
    kept = np.setdiff1d(np.arange(len(index)), np.array(left_out, np.int64))
    aside = tuple(SetAside(index.paths[at], LEFT_OUT) for at in sorted(left_out))
    fixed = replace(index, labels=labels, set_aside=(*index.set_aside, *aside))
    return take(fixed, kept) if left_out else fixed
