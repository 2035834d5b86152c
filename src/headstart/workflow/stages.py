"""From the words of a recipe to the stages of a training."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.errors import ArgumentError
from headstart.heads.spec import parse_head
from headstart.imports import is_own_code, load_function
from headstart.recipe import StageSettings, TrainRecipe
from headstart.training.checks import check_words
from headstart.training.keras_2 import understand_keras_2
from headstart.training.plan import Stage, check_plan, make_plan
from headstart.workflow.foreign import find_any_backbone

if TYPE_CHECKING:
    from headstart.training.losses import Loss

HEAD = Stage(trainable="head", epochs=100, patience=10)
"""A multi-layer head on kept features: an epoch takes a second, validation says when to stop."""

NEW_HEAD = Stage(trainable="head", epochs=5)
FINE_TUNE = Stage(trainable="all", learning_rate=1e-5, schedule="cosine")
SCRATCH = replace(FINE_TUNE, learning_rate=1e-3, epochs=30, batch_norm="adapt")


def plan_of(recipe: TrainRecipe) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    """Returns the stages that follow the linear probe, and what had to be understood for them.

    Raises:
        ArgumentError: for every word that no network could understand; Keras is not needed.
    """
    check_plan(recipe.plan, fine_tune=recipe.fine_tune)
    if recipe.stages and (recipe.plan != "linear_probe" or recipe.fine_tune):
        raise ArgumentError(
            "stages and plan (or fine_tune) say the same thing in two ways. Leave out one of them."
        )
    if recipe.stages:
        pairs = [_settle(_base(each.trainable), recipe, each) for each in recipe.stages]
        stages = tuple(stage for stage, _ in pairs)
    else:
        base, notes = _settle(SCRATCH if recipe.plan == "scratch" else FINE_TUNE, recipe)
        pairs = [(base, notes)]
        blocks = find_any_backbone(recipe).cut_points
        stages = make_plan(recipe.plan, fine_tune=recipe.fine_tune, blocks=blocks, stage=base)
    for stage in stages:
        check_words(stage)
    return stages, tuple(dict.fromkeys(note for _, notes in pairs for note in notes))


def needs_gradients(recipe: TrainRecipe, stages: tuple[Stage, ...]) -> bool:
    """Tells whether Keras has to train something, and refuses settings that nothing would read.

    Raises:
        ArgumentError: for a setting of training where the head is fitted in closed form.
    """
    if stages or parse_head(recipe.head).needs_gradients:
        return True
    said = [name for name in StageSettings.model_fields if getattr(recipe, name) is not None]
    said += ["loss"] if recipe.loss != "auto" or recipe.loss_options else []
    if said:
        raise ArgumentError(
            f"{said[0]}={getattr(recipe, said[0])!r} has no effect: with plan='linear_probe' a "
            f"{recipe.head} head is fitted in closed form. Use --plan lp_ft, or --head mlp:256."
        )
    return False


def refuse_foreign_code(recipe: TrainRecipe, file: Path) -> None:
    """Refuses to run code that a recipe names, where the recipe came with a run folder.

    Raises:
        ArgumentError: naming the code and how to allow it.
    """
    if not (file.resolve().parent / "manifest.json").is_file():
        return
    named = [
        recipe.head,
        recipe.loss,
        recipe.optimizer,
        *(each.optimizer for each in recipe.stages),
    ]
    code = [name for name in named if name is not None and _names_code(name)]
    if code:
        raise ArgumentError(
            f"recipe={str(file)!r} lies in a run folder and names code of its own: "
            f"{', '.join(code)}. Read that code first; --trust-code then runs it."
        )


def starts_new(recipe: TrainRecipe, stages: tuple[Stage, ...]) -> bool:
    """Tells whether stages begin with a head of fresh weights, rather than with the probe."""
    return recipe.plan == "scratch" or stages[0].trainable == "head"


def head_stage(recipe: TrainRecipe) -> Stage:
    """Returns how a multi-layer head is trained on kept features."""
    return _settle(HEAD, recipe)[0]


def head_units(recipe: TrainRecipe) -> int | None:
    """Returns the units of a head as far as they are known without photos."""
    return 1 if parse_head(recipe.head).kind == "sigmoid" else None


def make_loss_of(recipe: TrainRecipe, *, units: int) -> "Loss":
    """Builds the loss of a recipe."""
    from headstart.training.losses import make_loss

    return make_loss(recipe.loss, options=recipe.loss_options, units=units)


def stage_as_json(stage: Stage) -> dict[str, Any]:
    """Returns a stage as JSON values, for another process and for the manifest."""
    return asdict(stage)


def own_sources(recipe: TrainRecipe) -> dict[str, str]:
    """Returns the text of the user's own functions, which the saved model does not need."""
    named = {"loss": recipe.loss, "optimizer": recipe.optimizer or ""}
    named |= {f"optimizer of stage {n}": s.optimizer or "" for n, s in enumerate(recipe.stages, 1)}
    own = {kind: place for kind, place in named.items() if _names_code(place)}
    return {kind: load_function(kind, place)[1] for kind, place in own.items()}


def _names_code(name: str) -> bool:
    return not name.startswith("mlp:") and is_own_code(name)


def _base(trainable: str) -> Stage:
    return NEW_HEAD if trainable == "head" else replace(FINE_TUNE, trainable=trainable)


def _settle(
    base: Stage, recipe: TrainRecipe, own: StageSettings | None = None
) -> tuple[Stage, tuple[str, ...]]:
    """Fills a stage: what it says itself, else what the recipe says for all, else the base."""
    names = StageSettings.model_fields
    said = {name: getattr(recipe, name) for name in names}
    if own is not None:
        said |= {name: value for name in names if (value := getattr(own, name)) is not None}
    said = {name: value for name, value in said.items() if value is not None}
    optimizer = said.get("optimizer", base.optimizer)
    old = understand_keras_2(
        optimizer,
        said.get("optimizer_options", {}),
        learning_rate=said.get("learning_rate"),
        schedule=said.get("schedule", "constant"),
    )
    said["optimizer_options"] = old.options
    if old.learning_rate is not None:
        said["learning_rate"] = old.learning_rate
    if old.decay:
        said |= {"schedule": "inverse_time", "schedule_options": {"decay": old.decay}}
    said["precision"] = said.pop("training_precision", base.precision)
    return replace(base, **said), old.notes
