"""Which settings for my photos: a search that sees train and validation photos alone."""

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.errors import ArgumentError, PhotosError
from headstart.features.engine import check_backend
from headstart.features.frozen_pass import FrozenPass
from headstart.files import atomic_file
from headstart.progress import Progress, Silent
from headstart.recipe import StageSettings, TrainRecipe, make_recipe, write_recipe
from headstart.selection.space import VIEWS, Settings
from headstart.selection.study import STUDY_FILE, Report, require_optuna
from headstart.selection.tune import Tuning
from headstart.selection.tune import tune as search
from headstart.training.score import Score, score
from headstart.workflow.course import forget_states
from headstart.workflow.intake import Photos, photos_name
from headstart.workflow.on_ray import needs_photos, only_cluster_reaches
from headstart.workflow.prepare import checked_plan, prepare
from headstart.workflow.setup import Setup
from headstart.workflow.stages import plan_of
from headstart.workflow.tools import RayPlace, Tools, tools
from headstart.workflow.train import learn
from headstart.workflow.without_test import without_test

RECIPE_FILE, TRIALS_FILE = "recipe.toml", "trials.csv"
TUNED = ("head", "dropout", "plan", "fine_tune", "stages", *StageSettings.model_fields)
"""Fields of the recipe that the search decides."""


def tune(
    photos: Photos,
    *,
    out: str | Path = "tuning",
    trials: int = 50,
    end_to_end: int = 5,
    epochs: int = 5,
    ray: str | None = None,
    shards: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Tuning:
    """Searches for settings, on kept features first and end to end for the best few.

    Trials are scored on the validation photos; those of the test are not read. A search that was
    ended goes on where it was when it is called again with the same folder.

    Args:
        photos: a folder of class folders, an archive or CSV of such, an `ImageIndex`, or arrays.
        out: folder of the search: `study.db`, `trials.csv`, and `recipe.toml` with the best.
        trials: heads to try on kept features, in all calls together.
        end_to_end: plans to try with the best heads; 0 for none.
        epochs: of each stage that fine-tunes.
        ray: address of a Ray cluster that reads the photos and computes the features: `HOST:PORT`,
            `auto` or `local`. `photos` may then be a URI or shards, with `end_to_end=0`.
        shards: folder or URI where the cluster keeps them; in the cache when left out.
        progress: told about every trial.
        **options: fields of `headstart.recipe.TrainRecipe` that are not tuned, such as `backbone`,
            `image_size`, `weights`, `test`, `seed`.

    Returns:
        Every trial, the best first.

    Raises:
        ArgumentError: before any photo is read, when something does not fit.
        PhotosError: when the photos cannot be learnt from, or none are for validation.
        MissingPackageError: when Optuna is not installed.

    Example:
        >>> import headstart
        >>> found = headstart.tune(PHOTOS, backbone="Starter", out="tuned", trials=2, end_to_end=0)
        >>> found.best.score.log_loss <= found.plain.score.log_loss
        True
    """
    recipe, folder = _checked(photos, Path(out), trials, end_to_end, options)
    on = RayPlace.named(ray, shards)
    is_cluster_only = on is not None and only_cluster_reaches(recipe.photos)
    if is_cluster_only and end_to_end:
        raise needs_photos(recipe.photos, f"end_to_end={end_to_end}", instead="--end-to-end 0")
    with tools(recipe.engine, progress, ray=on) as given:
        prepared = prepare(recipe, plan_of(recipe), photos=photos, given=given)
        setup = prepared.setup
        index, split = without_test(setup.index, setup.split)
        if not len(split.validation):
            raise PhotosError("tune needs validation photos to score trials on: --validation 0.15.")
        trainer = LocalTrain(replace(setup, index=index, split=split), prepared.frozen, given)
        found = search(
            folder,
            trainer,
            trials=trials,
            end_to_end=end_to_end,
            blocks=setup.backbone.cut_points,
            epochs=epochs,
            key=trainer.key,
            seed=recipe.seed,
            views=(1,) if is_cluster_only else VIEWS,
            progress=given.progress,
        )
    best = make_recipe(recipe.model_dump(exclude_none=True) | found.best.settings)
    with atomic_file(folder / RECIPE_FILE) as temporary:
        write_recipe(best, temporary)
    _write_trials(folder / TRIALS_FILE, found)
    return found


@dataclass(frozen=True)
class LocalTrain:
    """`headstart.selection.study.Train` on this machine.

    Attributes:
        setup: the network, and photos of train and validation.
        frozen: the pass that makes features, which all trials share.
        given: cache, listener, Keras and engine.
    """

    setup: Setup
    frozen: FrozenPass
    given: Tools

    @property
    def key(self) -> str:
        """Names whatever else decides a score: network, photos, labels, split and seed."""
        setup, recipe = self.setup, self.setup.recipe
        values = [setup.spec.digest, setup.index.digests, setup.index.labels.tolist()]
        values += [len(setup.split.train), recipe.seed, recipe.class_weight, recipe.loss]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    def __call__(self, settings: Settings, report: Report) -> Score:
        """Trains with these fields of a recipe; returns the score on the validation photos."""
        base = self.setup.recipe
        recipe = make_recipe(base.model_dump(exclude_none=True) | settings)
        setup, stages = replace(self.setup, recipe=recipe), plan_of(recipe)[0]
        listener = _Epochs(f"stage {len(stages)}" if stages else "head", report)
        given = replace(self.given, progress=listener)
        plan = checked_plan(recipe, stages, setup.spec, logs=None, given=given)
        try:
            fitted = learn(setup, plan, self.frozen, given)
            validation = setup.split.validation
            answers = fitted.probabilities(setup, validation)
            return score(np.asarray(answers), setup.index.labels[validation])
        finally:
            # A trial that fell behind is not gone on with; one that was killed begins anew.
            forget_states(setup, given)


class _Epochs(Silent):
    """Hands the epochs of a trial's last stage on, whose losses can be compared among trials."""

    def __init__(self, station: str, report: Report) -> None:
        self._station = station
        self._report = report

    def epoch(self, station: str, values: Mapping[str, float], total: int) -> None:  # noqa: ARG002
        """Reports one."""
        if station == self._station:
            self._report(int(values["epoch"]), float(values["validation_log_loss"]))


def _checked(
    photos: Photos, folder: Path, trials: int, end_to_end: int, options: dict[str, Any]
) -> tuple[TrainRecipe, Path]:
    require_optuna()
    check_backend()
    for name, value, least in (("trials", trials, 1), ("end_to_end", end_to_end, 0)):
        if value < least:
            raise ArgumentError(f"{name}={value}, expected a whole number of at least {least}.")
    for name in options:
        if name in TUNED:
            raise ArgumentError(f"{name} is what tune searches for. Leave it out.")
    if folder.exists() and any(folder.iterdir()) and not (folder / STUDY_FILE).is_file():
        raise ArgumentError(
            f"out={str(folder)!r} exists and holds no search to go on with. Choose another name."
        )
    return make_recipe({"photos": photos_name(photos), **options}), folder


def _write_trials(file: Path, found: Tuning) -> None:
    with (
        atomic_file(file) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as opened,
    ):
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(("part", "number", "state", "top_1", "log_loss", "seconds", "settings"))
        for each in found.trials:
            known = ("", "") if each.score is None else (each.score.top_1, each.score.log_loss)
            settings = json.dumps(each.settings)
            writer.writerow((each.part, each.number, each.state, *known, each.seconds, settings))
