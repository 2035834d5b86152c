"""Would more photos help? Many heads on fewer photos each, from kept features."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run, load_run
from headstart.data.index import take
from headstart.errors import PhotosError
from headstart.evaluation.learning import (
    CurvePoint,
    LearningCurve,
    curve_point,
    curve_sizes,
    extrapolate,
)
from headstart.heads.linear import STATED_C, fit_for_curve, one_blas_thread
from headstart.progress import Progress, processors
from headstart.workflow.own_photos import OwnPhotos, frozen_features, read_own_photos
from headstart.workflow.tools import Tools, tools
from headstart.workflow.train import train_recipe

DRAWS = 6
SCRATCH_SIZES = 3
_LOOK_AHEAD = (2, 4)


def learning_curve(
    run: Run | str | Path,
    *,
    scratch: bool = False,
    engine: str = "auto",
    progress: Progress | None = None,
) -> LearningCurve:
    """Measures accuracy against the number of training photos, and looks ahead.

    A linear head on the frozen backbone is fitted on parts of the training photos and tested on the
    run's test photos (on its validation photos where it has none).

    Args:
        run: a run folder whose photos are still where they were.
        scratch: also train the same network without pretrained weights, on a quarter, a half and
            all of the photos. That takes as long as it takes.
        engine: "auto" takes the run's own.
        progress: told about every head.

    Raises:
        RunError: when the folder is no run or was damaged.
        PhotosError: when the photos are not where they were, or none were held out.

    Example:
        >>> import headstart
        >>> curve = headstart.learning_curve(RUN)
        >>> curve.points[-1].photos == headstart.load_run(RUN).manifest.photos["train"]
        True
    """
    opened = run if isinstance(run, Run) else load_run(run)
    with tools(opened.manifest.engine if engine == "auto" else engine, progress) as given:
        size = opened.manifest.image_size
        own = read_own_photos(opened, image_size=size, place=given.place, progress=given.progress)
        curve = measure_curve(own, given)
    if not scratch:
        return curve
    return replace(curve, scratch=_from_scratch(own, curve, progress))


def measure_curve(own: OwnPhotos, given: Tools) -> LearningCurve:
    """Does the work of `learning_curve` on photos that were read."""
    split, labels = own.split, own.index.labels
    held_out, tested_on = (
        (split.test, "test") if len(split.test) else (split.validation, "validation")
    )
    if not len(held_out):
        raise PhotosError("This run has neither test nor validation photos to measure a curve on.")
    features = frozen_features(own, np.concatenate([split.train, held_out]), given)
    train, tests = features[: len(split.train)], features[len(split.train) :]
    names, c = own.index.class_names, float(own.run.manifest.head.get("c") or STATED_C)
    sizes = curve_sizes(len(split.train), len(names))
    tasks = [(size, draw) for size in sizes for draw in range(DRAWS if size < sizes[-1] else 1)]
    done = 0

    def accuracy(task: tuple[int, int]) -> float:
        nonlocal done
        chosen = _draw(labels[split.train], *task, seed=own.recipe.seed)
        head = fit_for_curve(
            train[chosen], labels[split.train][chosen], class_count=len(names), c=c
        )
        hits = head.probabilities(tests).argmax(axis=1) == labels[held_out]
        done += 1
        given.progress.step("learning curve", done, len(tasks))
        return float(hits.mean())

    with one_blas_thread(), ThreadPoolExecutor(processors()) as threads:
        shares = list(threads.map(accuracy, tasks))
    points = tuple(
        curve_point(
            size,
            [share for task, share in zip(tasks, shares, strict=True) if task[0] == size],
            len(held_out),
        )
        for size in sizes
    )
    ahead = [len(split.train) * factor for factor in _LOOK_AHEAD]
    forecasts = extrapolate(points, ahead, seed=own.recipe.seed)
    return LearningCurve(points, forecasts, (), tested_on, len(held_out))


def _draw(labels: NDArray[np.int32], size: int, draw: int, *, seed: int) -> NDArray[np.int64]:
    """Draws photos so that each class has its share, and at least one."""
    if size >= len(labels):
        return np.arange(len(labels))
    random = np.random.default_rng([seed, size, draw])
    shuffled = random.permutation(len(labels))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
    # Each photo's rank within its class, as a share: the lowest shares are an even draw.
    rank = (np.arange(len(labels)) - np.repeat(starts, counts)) / np.repeat(counts, counts)
    return np.sort(order[np.argsort(rank, kind="stable")[:size]])


def _from_scratch(
    own: OwnPhotos, curve: LearningCurve, progress: Progress | None
) -> tuple[CurvePoint, ...]:
    labels, points = own.index.labels, []
    sides = own.split.side_of(len(own.index))
    whole = replace(own.index, splits=tuple(sides), set_aside=())
    changes: dict[str, Any] = {"plan": "scratch", "stages": [], "fine_tune": None}
    changes |= {"test": None, "fixes": None}  # both are in the index
    recipe = own.recipe.model_copy(update=changes)
    held_out = np.concatenate([own.split.validation, own.split.test])
    with tempfile.TemporaryDirectory() as folder:
        for point in curve.points[-SCRATCH_SIZES:]:
            drawn = _draw(labels[own.split.train], point.photos, 0, seed=own.recipe.seed)
            index = take(whole, np.concatenate([own.split.train[drawn], held_out]))
            run = train_recipe(
                recipe, photos=index, out=Path(folder, str(point.photos)), progress=progress
            )
            metrics = run.manifest.metrics
            if metrics is not None:
                points.append(curve_point(point.photos, [metrics["top_1"]], metrics["count"]))
    return tuple(points)
