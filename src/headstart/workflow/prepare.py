"""From a recipe to everything that learning needs: network, photos, split, plan, frozen pass."""

from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread

from headstart.backbones.cut import Cut
from headstart.backbones.frozen import FrozenSpec
from headstart.data.checks import require_usable
from headstart.data.fixes import apply_fixes, read_fixes
from headstart.errors import ArgumentError
from headstart.features.engine import check_backend, check_precision, check_tensorboard
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.heads.linear import import_solver
from headstart.heads.spec import parse_head
from headstart.process import KerasProcess
from headstart.recipe import TrainRecipe
from headstart.training.plan import Stage
from headstart.workflow.course import Plan
from headstart.workflow.distribution import join_processes
from headstart.workflow.foreign_probe import probe_preprocessing
from headstart.workflow.intake import Photos, read_photos, require_source
from headstart.workflow.on_ray import check_plan, read_on_ray
from headstart.workflow.setup import Setup, choose_network, split_index
from headstart.workflow.stages import head_stage, head_units, needs_gradients, stage_as_json
from headstart.workflow.tools import Tools


@dataclass(frozen=True)
class Prepared:
    """What is there when learning begins.

    Attributes:
        setup: the network, the photos and their split.
        plan: the stages after the linear probe, and where the network is cut for each.
        frozen: the pass that makes features.
    """

    setup: Setup
    plan: Plan
    frozen: FrozenPass


def prepare(
    recipe: TrainRecipe,
    planned: tuple[tuple[Stage, ...], tuple[str, ...]],
    *,
    photos: Photos | None,
    logs: Path | None = None,
    given: Tools,
) -> Prepared:
    """Checks a whole recipe, then reads the photos, while the network is made.

    Args:
        recipe: what was asked for.
        planned: its stages, and what had to be understood for them; see `plan_of`.
        photos: stand in for the recipe's own when they are no path.
        logs: folder for TensorBoard, or None.
        given: cache, listener, Keras and engine.

    Raises:
        ArgumentError: before any photo is read, when something does not fit.
        PhotosError: when the photos cannot be learnt from.
        WeightsError: when the weights are not at hand.
    """
    stages, notes = planned
    check_precision(recipe.precision, given.engine)
    trains = needs_gradients(recipe, stages)
    if trains:
        check_backend()
        join_processes()
    if logs is not None:
        _check_logs(logs, trains=trains)
    for note in notes:
        given.progress.say(note)
    if given.on is not None:
        check_plan(recipe, trains=bool(stages))
    require_source(recipe.photos if photos is None else photos, listed_here=given.on is None)
    if recipe.fixes is not None:
        read_fixes(recipe.fixes)
    if recipe.preprocess == "probe":
        recipe = probe_preprocessing(recipe, photos=photos, given=given)
    backbone, spec = choose_network(recipe, given.progress)
    plan = checked_plan(recipe, stages, spec, logs=logs, given=given)
    if isinstance(given.caller, KerasProcess):
        # It builds while this process reads photos; a converted network is not built otherwise.
        given.caller.call("headstart.artifact.model:prepare", spec=spec.as_json())
    frozen = given.make_pass(
        FrozenNetwork(spec, given.caller),
        engine=given.engine,
        may_fall_back=recipe.engine == "auto",
        precision=recipe.precision,
    )
    frozen.begin()
    Thread(target=import_solver, daemon=True).start()
    index = (read_photos if given.on is None else partial(read_on_ray, frozen=frozen))(
        recipe.photos if photos is None else photos,
        test=recipe.test,
        label_from_name=recipe.label_from_name,
        image_size=spec.image_size,
        place=given.place,
        progress=given.progress,
    )
    if recipe.fixes is not None:
        index = apply_fixes(index, read_fixes(recipe.fixes))
    require_usable(index)
    parse_head(recipe.head, class_count=len(index.class_names))
    setup = Setup(recipe, backbone, spec, index, split_index(index, recipe))
    return Prepared(setup, plan, frozen)


def checked_plan(
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
