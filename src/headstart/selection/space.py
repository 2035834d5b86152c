"""What is tuned: heads on kept features, then plans for the best of them, as fields of a recipe."""

from collections.abc import Sequence
from typing import Any, Protocol

HEADS = ("softmax", "mlp:64", "mlp:256", "mlp:256,64")
VIEWS = (1, 2, 4)
"""Of each training photo."""

EPOCHS, PATIENCE, BATCH_SIZE = 60, 8, 64
MAX_DEPTH = 4
"""Blocks from the top that fine-tuning may reach."""

Settings = dict[str, Any]
"""Fields of `headstart.recipe.TrainRecipe`."""

PLAIN: Settings = {"head": "softmax", "views": 1}
"""Parameters of the plain linear probe: where a search begins, and what it has to beat."""


class Suggest(Protocol):
    """Draws parameters; Optuna's `Trial` does."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Takes one of some."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Takes a number between two."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Takes a whole number between two, both included."""


def head_settings(suggest: Suggest, views: Sequence[int] = VIEWS) -> Settings:
    """Draws a head and how it learns on the features of a frozen backbone.

    A linear head on photos as they are is fitted in closed form, which chooses its own
    regularisation; whatever else is drawn learns with gradients.

    Args:
        suggest: draws.
        views: of each photo to choose from; 1 alone where photos cannot be varied.
    """
    head = suggest.suggest_categorical("head", HEADS)
    looks = suggest.suggest_categorical("views", views)
    if head == "softmax" and looks == 1:
        return {"head": head}
    stage: Settings = {
        "learning_rate": _number(suggest.suggest_float("learning_rate", 1e-4, 1e-2, log=True)),
        "optimizer": "adamw",
        "optimizer_options": {
            "weight_decay": _number(suggest.suggest_float("weight_decay", 1e-5, 1e-1, log=True))
        },
        "epochs": EPOCHS,
        "patience": PATIENCE,
        "batch_size": BATCH_SIZE,
    }
    settings: Settings = {"head": head}
    if head != "softmax":
        settings["dropout"] = _number(suggest.suggest_float("dropout", 0.0, 0.5, step=0.1))
    if looks == 1:
        return settings | stage
    stage |= {"trainable": "head", "augment": "standard", "views": looks}
    return settings | {"stages": [stage]}


def plan_settings(
    suggest: Suggest, finalists: Sequence[Settings], blocks: Sequence[str], *, epochs: int
) -> Settings:
    """Draws one of the best heads, and how far down and how fast the backbone is fine-tuned.

    Args:
        suggest: draws.
        finalists: what `head_settings` returned for the best heads.
        blocks: cut points of the backbone, bottom to top.
        epochs: of each stage that fine-tunes.
    """
    head = dict(finalists[suggest.suggest_categorical("finalist", range(len(finalists)))])
    gradual = suggest.suggest_categorical("plan", ("lp_ft", "gradual_unfreeze"))
    depth = suggest.suggest_int("depth", 1, min(MAX_DEPTH, len(blocks)))
    views = suggest.suggest_categorical("views", (1, 2))
    stage: Settings = {
        "learning_rate": _number(suggest.suggest_float("learning_rate", 1e-6, 3e-4, log=True)),
        "depth_factor": suggest.suggest_categorical("depth_factor", (1.0, 0.7)),
        "schedule": "cosine",
        "epochs": epochs,
        # Of its own: what the head learnt with stands beside the stages, for all of them.
        "optimizer": "adam",
        "optimizer_options": {},
        "batch_size": 32,
    }
    if views > 1:
        stage |= {"augment": "standard", "views": views}
    depths = range(1, depth + 1) if gradual == "gradual_unfreeze" else (depth,)
    tuned = [{"trainable": f"from:{blocks[-each]}"} | stage for each in depths]
    # Stages that begin with a backbone go on from the head that was fitted on the features; one
    # that learns from varied views is a stage itself.
    return head | {"stages": [*head.get("stages", ()), *tuned]}


def first_plans(count: int) -> list[Settings]:
    """Returns the parameters that the search for plans begins with: each finalist, carefully."""
    careful = {"plan": "lp_ft", "views": 1, "learning_rate": 1e-5, "depth_factor": 1.0}
    return [careful | {"finalist": number, "depth": 1} for number in range(count)]


def _number(value: float) -> float:
    """Rounds to three digits: a recipe is read by people."""
    return float(f"{value:.3g}")
