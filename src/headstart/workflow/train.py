"""The main job, top to bottom: from photos to a run folder."""

from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from headstart.artifact.run import Run, load_run
from headstart.backbones.cut import Cut
from headstart.backbones.frozen import FrozenSpec
from headstart.data.checks import require_usable
from headstart.errors import ArgumentError
from headstart.features.engine import check_backend, check_precision, check_tensorboard
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.files import atomic_folder
from headstart.heads.linear import import_solver
from headstart.heads.spec import parse_head
from headstart.process import KerasProcess
from headstart.progress import Progress
from headstart.recipe import TrainRecipe, make_recipe, read_values
from headstart.training.plan import Stage
from headstart.workflow.fine_tune import Plan, fine_tune, forget_states, probe_score
from headstart.workflow.fitting import Fitted, fit_head, fit_probe, read_features
from headstart.workflow.foreign import prove_unchanged
from headstart.workflow.foreign_probe import probe_preprocessing
from headstart.workflow.intake import Photos, photos_name, read_photos, require_source
from headstart.workflow.record import write_run
from headstart.workflow.setup import Setup, choose_network, split_index
from headstart.workflow.stages import (
    head_stage,
    head_units,
    needs_gradients,
    plan_of,
    refuse_foreign_code,
    stage_as_json,
    starts_new,
)
from headstart.workflow.tools import Tools, tools


def train(
    photos: Photos,
    *,
    out: str | Path | None = None,
    logs: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Trains a classifier on photos and writes a run folder.

    Args:
        photos: a folder of class folders, an archive or CSV of such, an `ImageIndex`, or arrays
            `(X, y)`: uint8 RGB (N, H, W, 3), 0..255, and N labels.
        out: the run folder to write; must not exist. Left out, one is named under `runs/`.
        logs: folder to write TensorBoard's logs to; needs the TensorFlow backend.
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
    return train_recipe(recipe, photos=photos, out=out, logs=folder, progress=progress)


def train_from(
    recipe_file: Path | None,
    settings: dict[str, Any],
    *,
    out: Path | None = None,
    logs: Path | None = None,
    trust_code: bool = False,
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
    return train_recipe(recipe, out=out, logs=logs, progress=progress)


def train_recipe(
    recipe: TrainRecipe,
    *,
    photos: Photos | None = None,
    out: str | Path | None = None,
    logs: Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Trains as a recipe says; `photos` stands in for the recipe's own when it is no path."""
    folder = _run_folder(recipe, out)
    stages, notes = plan_of(recipe)
    with tools(recipe.engine, progress) as given:
        check_precision(recipe.precision, given.engine)
        if needs_gradients(recipe, stages):
            check_backend()
        if logs is not None:
            _check_logs(logs, trains=needs_gradients(recipe, stages))
        for note in notes:
            given.progress.say(note)
        require_source(recipe.photos if photos is None else photos)
        if recipe.preprocess == "probe":
            recipe = probe_preprocessing(recipe, photos=photos, given=given)
        backbone, spec = choose_network(recipe, given.progress)
        plan = _checked_plan(recipe, stages, spec, logs=logs, given=given)
        if isinstance(given.caller, KerasProcess):
            # It builds while this process reads photos; a converted network is not built otherwise.
            given.caller.call("headstart.artifact.model:prepare", spec=spec.as_json())
        frozen = FrozenPass(
            FrozenNetwork(spec, given.caller),
            engine=given.engine,
            may_fall_back=recipe.engine == "auto",
            precision=recipe.precision,
            place=given.place,
            progress=given.progress,
        )
        frozen.begin()
        Thread(target=import_solver, daemon=True).start()
        index = read_photos(
            recipe.photos if photos is None else photos,
            test=recipe.test,
            label_from_name=recipe.label_from_name,
            image_size=spec.image_size,
            place=given.place,
            progress=given.progress,
        )
        require_usable(index)
        parse_head(recipe.head, class_count=len(index.class_names))
        setup = Setup(recipe, backbone, spec, index, split_index(index, recipe))
        fitted = _fit(setup, plan, frozen, given)
        with atomic_folder(folder) as temporary:
            write_run(temporary, setup, fitted=fitted, given=given)
        forget_states(setup, given)
        prove_unchanged(spec, given.progress)
    return load_run(folder)


def _checked_plan(
    recipe: TrainRecipe,
    stages: tuple[Stage, ...],
    spec: FrozenSpec,
    *,
    logs: Path | None,
    given: Tools,
) -> Plan:
    """Compares stages with the network, in the process that has Keras, before a photo is read."""
    if not needs_gradients(recipe, stages):
        return Plan((), (), None)
    if isinstance(given.caller, KerasProcess):
        # Its import takes as long as the check, which runs in the other process.
        Thread(target=import_module, args=("keras",), daemon=True).start()
    cuts = given.caller.call(
        "headstart.training.checks:find_cuts",
        spec=spec.as_json(),
        stages=[stage_as_json(stage) for stage in stages or (head_stage(recipe),)],
        loss={"name": recipe.loss, "options": recipe.loss_options},
        units=head_units(recipe),
    ).result()
    return Plan(stages, tuple(map(Cut.from_json, cuts[: len(stages)])), logs)


def _check_logs(logs: Path, *, trains: bool) -> None:
    if not trains:
        raise ArgumentError(
            f"tensorboard={str(logs)!r} has no effect: a head that is fitted in closed form has no "
            "epochs. Use --plan lp_ft, or leave --tensorboard out."
        )
    check_tensorboard()


def _fit(setup: Setup, plan: Plan, frozen: FrozenPass, given: Tools) -> Fitted:
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
    base = f"{Path(recipe.photos).resolve().stem}-{Path(recipe.backbone).stem}"
    names = (Path("runs", base if n == 1 else f"{base}-{n}") for n in range(1, 10**6))
    return next(name for name in names if not name.exists())
