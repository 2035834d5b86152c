"""`--preprocess probe`: which pixels a model file expects, asked of the training photos."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.backbones.foreign import modes_for, read_foreign
from headstart.data.checks import require_usable
from headstart.data.index import ImageIndex
from headstart.errors import PhotosError
from headstart.evaluation.intervals import Interval, wilson
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.heads.linear import both_classes, fit_linear
from headstart.modelfile.expectation import expected_pixels
from headstart.recipe import TrainRecipe
from headstart.workflow.foreign import foreign_spec, is_foreign
from headstart.workflow.intake import Photos, read_photos
from headstart.workflow.setup import split_index
from headstart.workflow.tools import Tools

PHOTOS = 400
"""Training photos that are asked at most; their interval is 5 points wide at 90 %."""

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Probed:
    """How well a linear head does on one preprocessing.

    Attributes:
        mode: the preprocessing.
        top_1: cross-validated, of the photos that were asked.
        interval: of that, 95 %.
    """

    mode: str
    top_1: float
    interval: Interval


def probe_preprocessing(recipe: TrainRecipe, *, photos: Photos | None, given: Tools) -> TrainRecipe:
    """Settles the preprocessing of a model file by linear probes, and says how near they were.

    Only photos of the training split are asked, so the test stays what it is.

    Args:
        recipe: with `preprocess="probe"`.
        photos: stand in for the recipe's own.
        given: cache, listener, Keras and engine.

    Returns:
        The recipe with the best preprocessing in it.
    """
    if not is_foreign(recipe):
        return recipe  # refused with the reason where the backbone is looked up
    _, graph = read_foreign(recipe.backbone)
    pixels = expected_pixels(graph)
    if pixels.is_certain:
        given.progress.say(f"There is nothing to probe. {pixels.reason}")
        return recipe.model_copy(update={"preprocess": None})
    modes = modes_for(graph, recipe.backbone)
    size = foreign_spec(recipe, mode=modes[0]).image_size
    index = read_photos(
        recipe.photos if photos is None else photos,
        test=recipe.test,
        label_from_name=recipe.label_from_name,
        image_size=size,
        place=given.place,
        progress=given.progress,
    )
    require_usable(index)
    asked = _choose(index, split_index(index, recipe).train, recipe.seed)
    found = [_probe(recipe, mode, index, asked, given) for mode in modes]
    for each in found:
        low, high = each.interval.low, each.interval.high
        given.progress.say(
            f"preprocess {each.mode}: top-1 {each.top_1:.3f} cross-validated on {len(asked)} "
            f"training photos (95 %: {low:.3f} to {high:.3f})"
        )
    best = max(found, key=lambda each: each.top_1)
    near = [each.mode for each in found if each is not best and each.interval.high > best.top_1]
    doubt = f" Within its interval too: {', '.join(near)}." if near else ""
    given.progress.say(f"preprocess {best.mode} is taken.{doubt}")
    return recipe.model_copy(update={"preprocess": best.mode})


def _choose(index: ImageIndex, train: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Takes as many of each class as the smallest allows, up to `PHOTOS` in all."""
    rng = np.random.default_rng(seed)
    labels = index.labels[train]
    classes = np.unique(labels)
    each = max(FOLDS, PHOTOS // len(classes))
    parts = [rng.permutation(train[labels == name])[:each] for name in classes]
    if min(map(len, parts)) < FOLDS:
        raise PhotosError(
            f"preprocess='probe' needs {FOLDS} training photos of each class; the smallest has "
            f"{min(map(len, parts))}. Say --preprocess 0..1, -1..1, caffe, torch or none."
        )
    return np.concatenate(parts)


def _probe(
    recipe: TrainRecipe, mode: str, index: ImageIndex, asked: NDArray[np.int64], given: Tools
) -> Probed:
    spec = foreign_spec(recipe, mode=mode)
    frozen = FrozenPass(
        FrozenNetwork(spec, given.caller),
        engine=given.engine,
        may_fall_back=recipe.engine == "auto",
        precision=recipe.precision,
        place=given.place,
        progress=given.progress,
    )
    rows, _ = frozen.rows(index, asked, image_size=spec.image_size, station=f"features with {mode}")
    right = _right(np.asarray(rows, np.float32), index.labels[asked], len(index.class_names))
    return Probed(mode, right / len(asked), wilson(right, len(asked)))


def _right(rows: NDArray[np.float32], labels: NDArray[np.int32], class_count: int) -> int:
    """Counts photos that a head which never saw them gets right."""
    order = np.argsort(labels, kind="stable")
    folds = np.empty(len(labels), np.int64)
    folds[order] = np.arange(len(labels)) % FOLDS
    right = 0
    for fold in range(FOLDS):
        held_out = folds == fold
        head = fit_linear(rows[~held_out], labels[~held_out], class_count=class_count)
        answers = both_classes(head.probabilities(rows[held_out])).argmax(axis=1)
        right += int((answers == labels[held_out]).sum())
    return right
