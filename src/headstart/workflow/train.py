"""The main job, top to bottom: from photos to a run folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.artifact.run import Run, load_run
from headstart.errors import ArgumentError
from headstart.features.frozen_pass import FrozenPass
from headstart.files import atomic_folder
from headstart.progress import Progress
from headstart.recipe import TrainRecipe, make_recipe, read_values
from headstart.workflow.course import Plan, forget_states
from headstart.workflow.distribution import written_once
from headstart.workflow.fine_tune import fine_tune, probe_score
from headstart.workflow.fitting import Fitted, fit_head, fit_probe, read_features
from headstart.workflow.foreign import is_foreign, prove_unchanged
from headstart.workflow.foreign_proof import prove_plain
from headstart.workflow.intake import Photos, photos_name
from headstart.workflow.prepare import prepare
from headstart.workflow.record import write_run
from headstart.workflow.setup import Setup
from headstart.workflow.stages import plan_of, refuse_foreign_code, starts_new
from headstart.workflow.tools import RayPlace, Tools, tools


def train(
    photos: Photos,
    *,
    out: str | Path | None = None,
    logs: str | Path | None = None,
    ray: str | None = None,
    shards: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Trains a classifier on photos and writes a run folder.

    Args:
        photos: a folder of class folders, an archive or CSV of such, an `ImageIndex`, or arrays
            `(X, y)`: uint8 RGB (N, H, W, 3), 0..255, and N labels; `(X, y, sample_weight)` as well.
        out: the run folder to write; must not exist. Left out, one is named under `runs/`.
        logs: folder to write TensorBoard's logs to; needs the TensorFlow backend.
        ray: address of a Ray cluster that evaluates the frozen network: `HOST:PORT`, `auto` for
            the one on this machine, `local` to start one. `photos` may then be a URI or shards.
        shards: folder or URI where the cluster keeps features; in the cache when left out.
        progress: told how far it is; see `headstart.progress.Progress`.
        **options: the fields of `headstart.recipe.TrainRecipe`, such as `backbone`, `weights`,
            `head`, `test`, `seed`.

    Returns:
        The run folder, read back.

    Raises:
        ArgumentError: before any photo is read, when an option does not fit.
        PhotosError: when the photos cannot be learnt from.
        WeightsError: when the weights are not at hand.
        DiskFullError: when there is no room; nothing half-written is kept.

    Example:
        >>> import headstart
        >>> run = headstart.train(PHOTOS, backbone="Starter", out=RUN)
        >>> run.manifest.class_names
        ('cats', 'dogs')
    """
    recipe = make_recipe({"photos": photos_name(photos), **options})
    folder = None if logs is None else Path(logs)
    on = RayPlace.named(ray, shards)
    return train_recipe(recipe, photos=photos, out=out, logs=folder, ray=on, progress=progress)


def train_from(
    recipe_file: Path | None,
    settings: dict[str, Any],
    *,
    out: Path | None = None,
    logs: Path | None = None,
    trust_code: bool = False,
    ray: RayPlace | None = None,
    progress: Progress | None = None,
) -> Run:
    """Trains as a TOML file says, with single settings in its place; either may be left out.

    Raises:
        ArgumentError: when the file or a setting does not fit, or no photos are named.
    """
    values = {} if recipe_file is None else read_values(recipe_file)
    if "photos" not in values | settings:
        raise ArgumentError("photos is missing. Name a folder: headstart train PHOTOS.")
    recipe = make_recipe(values | settings)
    if recipe_file is not None and not trust_code:
        refuse_foreign_code(make_recipe({"photos": ""} | values), recipe_file)
    return train_recipe(recipe, out=out, logs=logs, ray=ray, progress=progress)


def train_recipe(
    recipe: TrainRecipe,
    *,
    photos: Photos | None = None,
    out: str | Path | None = None,
    logs: Path | None = None,
    ray: RayPlace | None = None,
    progress: Progress | None = None,
) -> Run:
    """Trains as a recipe says; `photos` stands in for the recipe's own when it is no path."""
    folder = _run_folder(recipe, out)
    with tools(recipe.engine, progress, ray=ray) as given:
        prepared = prepare(recipe, plan_of(recipe), photos=photos, logs=logs, given=given)
        fitted = learn(prepared.setup, prepared.plan, prepared.frozen, given)
        with written_once(folder) as own:
            with atomic_folder(own) as temporary:
                write_run(temporary, prepared.setup, fitted=fitted, given=given)
                prove_plain(temporary, prepared.setup, fitted, given)
            forget_states(prepared.setup, given)
            prove_unchanged(prepared.setup.spec, given.progress)
            # Another process of the same training writes it where it was asked for.
            return replace(load_run(own), folder=folder)


def learn(setup: Setup, plan: Plan, frozen: FrozenPass, given: Tools) -> Fitted:
    """Fits the head and goes through the stages of a plan; nothing is written.

    Args:
        setup: the network, the photos and their split.
        plan: the stages after the linear probe.
        frozen: the pass that makes features.
        given: cache, listener, Keras and engine.
    """
    if not plan.stages:
        return fit_head(setup, frozen, read_features(setup, frozen), given, logs=plan.logs)
    is_new = starts_new(setup.recipe, plan.stages)
    if is_new and not len(setup.split.validation):
        # Nothing begins with a probe, and without validation photos nothing is compared with one.
        return fine_tune(setup, None, plan, bar=None, frozen=frozen, given=given)
    features = read_features(setup, frozen)
    if is_new:
        probe = fit_probe(setup, frozen, features)
    else:
        probe = fit_head(setup, frozen, features, given, logs=plan.logs)
    bar = probe_score(setup, probe, features)
    return fine_tune(setup, probe, plan, bar=bar, frozen=frozen, given=given)


def _run_folder(recipe: TrainRecipe, out: str | Path | None) -> Path:
    if out is not None:
        folder = Path(out)
        if folder.exists():
            raise ArgumentError(f"out={str(out)!r} exists already. Choose another name.")
        return folder
    name = Path(recipe.backbone).stem if is_foreign(recipe) else recipe.backbone
    base = f"{Path(recipe.photos).resolve().stem}-{name}"
    names = (Path("runs", base if n == 1 else f"{base}-{n}") for n in range(1, 10**6))
    return next(name for name in names if not name.exists())
