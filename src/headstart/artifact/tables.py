"""The tables of a run folder: predictions and history as CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    many = len(class_names) > MAX_COLUMNS
    columns = ["likeliest"] if many else [f"p({name})" for name in class_names]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "true", "predicted", *columns])
        for name, label, guess, row in zip(files, labels, predicted, probabilities, strict=True):
            shown = _likeliest(row, class_names) if many else [f"{p:.6g}" for p in row]
            writer.writerow([name, class_names[label], class_names[guess], *shown])


def write_history(path: Path, *, columns: Sequence[str], rows: Sequence[Sequence[float]]) -> None:
    """Writes one row an epoch, or one a regularisation strength tried for a linear head."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([f"{value:.8g}" for value in row] for row in rows)


def _likeliest(row: NDArray[Any], class_names: Sequence[str]) -> list[str]:
    order = np.argsort(-row, kind="stable")[:5]
    return [" ".join(f"{class_names[i]}={row[i]:.6g}" for i in order)]
