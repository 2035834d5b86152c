"""The tables of a run folder: predictions and history as CSV."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import RunError

MAX_COLUMNS = 1000
"""Past so many classes a row holds the five likeliest; a column each would fill the disk."""


def write_predictions(
    path: Path,
    *,
    files: Sequence[str],
    labels: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    class_names: Sequence[str],
) -> None:
    """Writes one row a photo: file, true class, predicted class, probabilities.

    Args:
        path: the CSV file.
        files: N names.
        labels: int32 (N,).
        probabilities: float32 (N, K).
        class_names: K of them; they head the columns, up to `MAX_COLUMNS`.
    """
    predicted = probabilities.argmax(axis=1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "true", "predicted", *probability_columns(class_names)])
        for name, label, guess, row in zip(files, labels, predicted, probabilities, strict=True):
            shown = probability_cells(row, class_names)
            writer.writerow([name, class_names[label], class_names[guess], *shown])


def probability_columns(class_names: Sequence[str]) -> list[str]:
    """Heads the columns of `probability_cells`.

    Example:
        >>> probability_columns(["cats", "dogs"])
        ['p(cats)', 'p(dogs)']
    """
    many = len(class_names) > MAX_COLUMNS
    return ["likeliest"] if many else [f"p({name})" for name in class_names]


def probability_cells(row: NDArray[np.floating[Any]], class_names: Sequence[str]) -> list[str]:
    """Writes probabilities (K,) as one cell a class, or as one in all past `MAX_COLUMNS`.

    Example:
        >>> probability_cells(np.float32([0.25, 0.75]), ["cats", "dogs"])
        ['0.25', '0.75']
    """
    if len(class_names) <= MAX_COLUMNS:
        return [f"{p:.6g}" for p in row]
    order = np.argsort(-row, kind="stable")[:5]
    return [" ".join(f"{class_names[i]}={row[i]:.6g}" for i in order)]


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """`predictions.csv`, read: N test photos.

    Attributes:
        files: N names.
        true: N class names.
        predicted: N class names.
        probabilities: float64 (N, K); None past `MAX_COLUMNS` classes.
    """

    files: tuple[str, ...]
    true: tuple[str, ...]
    predicted: tuple[str, ...]
    probabilities: NDArray[np.float64] | None


def read_predictions(path: Path) -> PredictionTable:
    """Reads what `write_predictions` wrote.

    Raises:
        RunError: when the file is missing or no such table.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        if header[:3] != ["file", "true", "predicted"]:
            raise ValueError(f"its columns are {', '.join(header[:3])}")
        numbers = None
        if header[3:] != ["likeliest"]:
            numbers = np.array([row[3:] for row in rows], np.float64).reshape(len(rows), -1)
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{path} cannot be read as a table of predictions: {error}.") from error
    names = [tuple(row[column] for row in rows) for column in range(3)]
    return PredictionTable(names[0], names[1], names[2], numbers)


def write_history(path: Path, *, columns: Sequence[str], rows: Sequence[Sequence[float]]) -> None:
    """Writes one row an epoch, or one a regularisation strength tried for a linear head."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([f"{value:.8g}" for value in row] for row in rows)
