"""Runs against each other, on the same test photos."""

from pathlib import Path

import numpy as np

from headstart.artifact.run import Run, load_run
from headstart.artifact.tables import PredictionTable, read_predictions
from headstart.errors import ArgumentError, PhotosError
from headstart.evaluation.comparison import Comparison
from headstart.evaluation.comparison import compare as compare_answers

_NAMED = 3


def compare(*runs: Run | str | Path, seed: int = 0) -> tuple[Comparison, ...]:
    """Compares the first run with each of the others, photo by photo.

    "97 against 98 per cent" on a thousand photos may be luck. Two classifiers that answered the
    same photos are told apart by those on which they differ: McNemar's exact test.

    Args:
        *runs: two or more run folders, or what `load_run` returned.
        seed: of the bootstrap.

    Returns:
        A comparison for each run after the first.

    Raises:
        ArgumentError: when there are fewer than two.
        PhotosError: when they were not tested on the same photos, saying which differ.
        RunError: when a folder is no run or was damaged.

    Example:
        >>> import headstart
        >>> (found,) = headstart.compare(RUN, RUN)
        >>> found.difference, found.p_value
        (0.0, 1.0)
    """
    if len(runs) < 2:
        raise ArgumentError(f"runs: got {len(runs)}; expected two or more run folders to compare.")
    opened = [run if isinstance(run, Run) else load_run(run) for run in runs]
    names = _short_names(opened)
    tables = [_table(run) for run in opened]
    for run, name, table in zip(opened[1:], names[1:], tables[1:], strict=True):
        _require_same(opened[0], tables[0], run, table, (names[0], name))
    return tuple(
        _compare(tables[0], table, (names[0], name), seed)
        for name, table in zip(names[1:], tables[1:], strict=True)
    )


def _compare(
    first: PredictionTable, second: PredictionTable, names: tuple[str, str], seed: int
) -> Comparison:
    classes = sorted({*first.true, *first.predicted, *second.predicted})
    numbers = {name: at for at, name in enumerate(classes)}
    place = {file: at for at, file in enumerate(second.files)}
    other = [second.predicted[place[file]] for file in first.files]
    return compare_answers(
        np.array([numbers[name] for name in first.true]),
        np.array([numbers[name] for name in first.predicted]),
        np.array([numbers[name] for name in other]),
        names=names,
        class_names=classes,
        files=first.files,
        seed=seed,
    )


def _table(run: Run) -> PredictionTable:
    if run.manifest.metrics is None:
        raise PhotosError(f"{run.folder} has no test photos. Train with some: --test FOLDER.")
    run.check("predictions.csv")
    return read_predictions(run.folder / "predictions.csv")


def _require_same(
    first_run: Run,
    first: PredictionTable,
    second_run: Run,
    second: PredictionTable,
    names: tuple[str, str],
) -> None:
    """Refuses runs whose test photos differ, and says which."""
    ours, theirs = (dict(zip(t.files, t.true, strict=True)) for t in (first, second))
    faults = []
    for name, missing in (
        (names[0], [file for file in ours if file not in theirs]),
        (names[1], [file for file in theirs if file not in ours]),
    ):
        if missing:
            faults.append(f"{len(missing)} only in {name} ({_some(missing)})")
    relabelled = [file for file in ours if file in theirs and ours[file] != theirs[file]]
    if relabelled:
        faults.append(f"{len(relabelled)} with another class ({_some(relabelled)})")
    if faults:
        raise PhotosError(
            f"{names[0]} and {names[1]} were not tested on the same photos: {'; '.join(faults)}. "
            "Train both with the same --test FOLDER, or the same photos and --seed."
        )
    digests = [run.manifest.photos.get("test_sha256") for run in (first_run, second_run)]
    if digests[0] != digests[1]:
        raise PhotosError(
            f"{names[0]} and {names[1]} were tested on photos of the same names but not of the "
            "same content. Train both on the same files."
        )


def _some(files: list[str]) -> str:
    more = len(files) - _NAMED
    return ", ".join(sorted(files)[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _short_names(runs: list[Run]) -> list[str]:
    """The folders' names; with what stands before them where they would be the same."""
    paths = [run.folder.resolve() for run in runs]
    for parts in range(1, 20):
        names = ["/".join(path.parts[-parts:]) for path in paths]
        if len(set(names)) == len(set(paths)):
            break
    return names
