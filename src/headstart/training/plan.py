"""What is trained, when, and how: a plan is a tuple of stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from headstart.backbones.cut import check_trainable
from headstart.errors import ArgumentError, near_matches

PLANS = ("linear_probe", "lp_ft", "freeze_then_fine_tune", "gradual_unfreeze", "scratch")

GRADUAL_BLOCKS = 3
"""So many blocks are unfrozen one after another, unless a layer says how far down to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One training: what moves, for how long, how fast.

    Attributes:
        trainable: `head`, `last:20`, `from:LAYER` or `all`.
        epochs: at most.
        optimizer: a name of Keras, or the user's own function.
        optimizer_options: its arguments.
        learning_rate: at the height of the schedule.
        schedule: `constant`, `inverse_time`, `cosine` or `one_cycle`.
        schedule_options: its arguments.
        depth_factor: each block below the head learns at a rate that many times that of the one
            above it, in (0, 1].
        batch_size: photos a step.
        augment: how photos are varied; see `headstart.data.augment`.
        views: of each photo, evaluated once and kept, when photos are varied.
        batch_norm: `freeze` or `adapt`.
        average: momentum of the weights' moving average, in [0, 1); 0 for none.
        patience: epochs without a better one before it stops; None for no limit.
        precision: `float32`, `bfloat16`, or `auto` for the faster of the two.
    """

    trainable: str = "head"
    epochs: int = 5
    optimizer: str = "adam"
    optimizer_options: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float = 1e-3
    schedule: str = "constant"
    schedule_options: Mapping[str, Any] = field(default_factory=dict)
    depth_factor: float = 1.0
    batch_size: int = 32
    augment: str = "none"
    views: int = 1
    batch_norm: str = "freeze"
    average: float = 0.0
    patience: int | None = None
    precision: str = "auto"


def make_plan(
    name: str, *, fine_tune: str | None, blocks: Sequence[str], stage: Stage
) -> tuple[Stage, ...]:
    """Returns the stages of a named plan that come after the linear probe.

    `lp_ft` starts from the probe (Kumar et al. 2022, arXiv:2202.10054); `freeze_then_fine_tune`
    trains a new head on the frozen backbone first; `gradual_unfreeze` unfreezes one block after
    another from the top (Howard and Ruder 2018, arXiv:1801.06146); `scratch` trains everything.

    Args:
        name: one of `PLANS`.
        fine_tune: what to unfreeze, as `Stage.trainable`; None for the plan's own choice.
        blocks: cut points of the backbone, bottom to top.
        stage: settings of the stages that fine-tune.

    Returns:
        The stages; none for `linear_probe`.

    Raises:
        ArgumentError: for an unknown plan, or `fine_tune` where nothing is unfrozen.

    Example:
        >>> stages = make_plan("gradual_unfreeze", fine_tune=None, blocks=("a", "b", "c"),
        ...                    stage=Stage(epochs=2))
        >>> [each.trainable for each in stages]
        ['from:c', 'from:b', 'from:a']
    """
    check_plan(name, fine_tune=fine_tune)
    if name == "linear_probe":
        return ()
    if name == "scratch":
        return (replace(stage, trainable="all"),)
    if name == "gradual_unfreeze":
        return tuple(replace(stage, trainable=each) for each in _downwards(fine_tune, blocks))
    tuned = replace(stage, trainable=fine_tune or f"from:{blocks[-2:][0]}")
    if name == "lp_ft":
        return (tuned,)
    first = Stage(trainable="head", epochs=stage.epochs, batch_size=stage.batch_size)
    return (first, tuned)


def check_plan(name: str, *, fine_tune: str | None) -> None:
    """Checks the words of a plan before any network is built.

    Raises:
        ArgumentError: as `make_plan`, save for layers that a backbone may not have.
    """
    if name not in PLANS:
        raise ArgumentError(
            f"plan={name!r} is unknown.{near_matches(name, PLANS)} Expected {', '.join(PLANS)}."
        )
    if fine_tune is None:
        return
    if name in ("linear_probe", "scratch"):
        trains = "the head only" if name == "linear_probe" else "everything"
        raise ArgumentError(
            f"fine_tune={fine_tune!r} does not go with plan={name!r}, which trains {trains}. "
            "Use --plan lp_ft."
        )
    check_trainable(fine_tune)
    if fine_tune == "head":
        raise ArgumentError(
            "fine_tune='head' would unfreeze nothing of the backbone. "
            "Expected last:N, from:LAYER or all."
        )


def _downwards(fine_tune: str | None, blocks: Sequence[str]) -> list[str]:
    """One block more a stage, down to `fine_tune` where that names a block."""
    from_top = [f"from:{block}" for block in reversed(blocks)]
    if fine_tune is None:
        return from_top[:GRADUAL_BLOCKS]
    if fine_tune in from_top:
        return from_top[: from_top.index(fine_tune) + 1]
    return [*from_top[: GRADUAL_BLOCKS - 1], fine_tune]
