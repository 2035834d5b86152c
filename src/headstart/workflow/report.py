"""The full report of a run: photos, heat maps, suspects, learning curve beside the numbers."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run, load_run
from headstart.artifact.tables import PredictionTable, read_predictions
from headstart.data.batches import photo_batches
from headstart.errors import PhotosError
from headstart.explanation.overlay import overlay
from headstart.progress import Progress
from headstart.report.content import Content, Explained, Group, Thumb
from headstart.report.page import REPORT, write_report
from headstart.report.pictures import SHOWN, THUMB, data_uri
from headstart.workflow.explain import Explainer
from headstart.workflow.learning_curve import measure_curve
from headstart.workflow.network_picture import draw_network
from headstart.workflow.own_photos import OwnPhotos, is_adopted, read_own_photos
from headstart.workflow.predictor import make_predictor
from headstart.workflow.suspects import Suspects, find_suspects
from headstart.workflow.tools import Tools, tools

EXPLAINED = 8
"""Worst mistakes, and photos of a random sample, that get a heat map."""

SUSPECTS = 24
CLASS_THUMBS, MAX_CLASS_ROWS = 8, 20
CELL_THUMBS = 120
MAX_THUMBS = 1500
"""Of all cells together, so that the page stays small; mistakes come first."""


def make_report(
    run: Run | str | Path, *, engine: str = "auto", progress: Progress | None = None
) -> Path:
    """Writes the full report of a run into its folder.

    `train` writes one with the numbers alone, since it must be quick. This one adds the photos
    behind each number, heat maps, likely label errors and whether more photos would help; features
    come from the cache.

    Args:
        run: a run folder, or what `load_run` returned. Where its photos are gone, the report says
            so and holds the numbers alone.
        engine: "auto" takes the run's own.
        progress: told how far it is.

    Returns:
        The page, `report.html`. The model card, `model_card.md`, lies beside it.

    Raises:
        RunError: when the folder is no run or was damaged.

    Example:
        >>> import headstart
        >>> headstart.make_report(RUN).name
        'report.html'
    """
    opened = run if isinstance(run, Run) else load_run(run)
    opened.check("recipe.toml", "history.csv")
    with tools(opened.manifest.engine if engine == "auto" else engine, progress) as given:
        content = _gather(opened, given)
    drawing, frozen = draw_network(opened)
    recipe = (opened.folder / "recipe.toml").read_text("utf-8")
    history = _read_history(opened.folder / "history.csv")
    shown = replace(content, drawing=drawing, frozen=frozen, recipe=recipe, is_full=True)
    write_report(opened.folder, manifest=opened.manifest, history=history, content=shown)
    return opened.folder / REPORT


def _gather(run: Run, given: Tools) -> Content:
    size = run.manifest.image_size
    try:
        own = read_own_photos(run, image_size=size, place=given.place, progress=given.progress)
        if len(own.used) < sum(run.manifest.photos[side] for side in ("train", "test")):
            raise PhotosError("Some photos of this run are gone.")
    except PhotosError as error:
        return Content(notes=(f"Without photos: {error}",))
    content = Content() if is_adopted(run) else _learnt(own, given)
    if run.manifest.metrics is None:
        return content
    run.check("predictions.csv")
    table = read_predictions(run.folder / "predictions.csv")
    return _explain(own, table, replace(content, cells=_cells(own, table, given)), given)


def _learnt(own: OwnPhotos, given: Tools) -> Content:
    """What the photos that it learnt from have to tell."""
    suspects = find_suspects(own, given)
    content = Content(
        classes=_classes(own, given),
        suspects=suspects.items[:SUSPECTS],
        suspect_count=len(suspects),
        thumbs=_suspect_thumbs(own, suspects, given),
    )
    if len(own.split.test) or len(own.split.validation):
        content = replace(content, curve=measure_curve(own, given))
    return content


def _pixels(own: OwnPhotos, positions: NDArray[np.int64], given: Tools) -> Any:
    """Yields the photos one by one, as the network saw them."""
    size = own.run.manifest.image_size
    batches = photo_batches(own.index, positions, image_size=size, batch_size=16, place=given.place)
    for batch in batches:
        yield from batch


def _thumbs(
    own: OwnPhotos, positions: NDArray[np.int64], given: Tools, notes: list[str] | None = None
) -> tuple[Thumb, ...]:
    said = notes or [""] * len(positions)
    return tuple(
        Thumb(own.index.paths[at], data_uri(pixels, THUMB), note)
        for at, pixels, note in zip(
            positions.tolist(), _pixels(own, positions, given), said, strict=True
        )
    )


def _classes(own: OwnPhotos, given: Tools) -> tuple[Group, ...]:
    train, names = own.split.train, own.run.manifest.class_names
    labels, random = own.index.labels[train], np.random.default_rng(own.recipe.seed)
    groups = []
    for number, name in enumerate(names[:MAX_CLASS_ROWS]):
        members = train[labels == number]
        shown = random.permutation(members)[:CLASS_THUMBS]
        groups.append(Group(name, name, len(members), _thumbs(own, shown, given)))
    return tuple(groups)


def _suspect_thumbs(own: OwnPhotos, suspects: Suspects, given: Tools) -> dict[str, str]:
    files = [item.file for item in suspects.items[:SUSPECTS]]
    return {thumb.file: thumb.address for thumb in _thumbs(own, _places(own, files), given)}


def _places(own: OwnPhotos, files: list[str] | tuple[str, ...]) -> NDArray[np.int64]:
    place = {path: at for at, path in enumerate(own.index.paths)}
    return np.array([place[file] for file in files], np.int64)


def _cells(own: OwnPhotos, table: PredictionTable, given: Tools) -> tuple[Group, ...]:
    sure, pairs = _sureness(table), dict[tuple[str, str], list[int]]()
    for row, pair in enumerate(zip(table.true, table.predicted, strict=True)):
        pairs.setdefault(pair, []).append(row)
    places, groups, left = _places(own, table.files), [], MAX_THUMBS
    wrong_first = sorted(pairs, key=lambda pair: (pair[0] == pair[1], -len(pairs[pair])))
    for pair in wrong_first:
        # First the mistakes made with most confidence, and the hits made with least.
        sign = 1 if pair[0] == pair[1] else -1
        rows = sorted(pairs[pair], key=lambda row: sign * sure[row])
        shown = rows[: min(CELL_THUMBS, left)]
        left -= len(shown)
        if shown:
            notes = [f"{sure[row]:.0%}" for row in shown]
            thumbs = _thumbs(own, places[shown], given, notes)
            groups.append(Group(pair[0], pair[1], len(rows), thumbs))
    return tuple(groups)


def _sureness(table: PredictionTable) -> NDArray[np.float64]:
    """Probability of the class that was named, (N,); 0 where so many classes are not kept."""
    if table.probabilities is None:
        return np.zeros(len(table.files))
    return np.asarray(table.probabilities.max(axis=1))


def _explain(own: OwnPhotos, table: PredictionTable, content: Content, given: Tools) -> Content:
    sure = _sureness(table)
    wrong = np.array([a != b for a, b in zip(table.true, table.predicted, strict=True)])
    worst = np.flatnonzero(wrong)[np.argsort(-sure[wrong], kind="stable")][:EXPLAINED]
    random = np.random.default_rng(own.recipe.seed)
    sample = random.permutation(len(table.files))[:EXPLAINED]
    rows = np.concatenate([worst, sample])
    photos = np.stack(list(_pixels(own, _places(own, table.files)[rows], given)))
    names = own.run.manifest.class_names
    classes = np.array([names.index(table.predicted[row]) for row in rows], np.int64)
    predictor = make_predictor(own.run, given)
    maps, method = Explainer(own.run, predictor.classify)(photos, classes)
    given.progress.step("heat maps", len(rows), len(rows))
    shown = tuple(
        Explained(
            table.files[row],
            table.true[row],
            table.predicted[row],
            float(sure[row]),
            data_uri(photo, SHOWN),
            data_uri(overlay(photo, heat), SHOWN),
        )
        for row, photo, heat in zip(rows.tolist(), photos, maps, strict=True)
    )
    return replace(content, worst=shown[: len(worst)], sample=shown[len(worst) :], method=method)


def _read_history(file: Path) -> list[dict[str, float]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(opened)]
