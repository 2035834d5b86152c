"""The station that unfreezes: stage after stage, and never worse than the linear probe."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import TrainingError
from headstart.features.frozen_pass import FrozenPass
from headstart.process import KerasCaller
from headstart.training.score import Score, score
from headstart.workflow.course import Course, Plan, Trained, Weights
from headstart.workflow.fitting import Features, Fitted, FittedHead, Table
from headstart.workflow.setup import Setup
from headstart.workflow.stage_inputs import StageInputs
from headstart.workflow.stages import own_sources
from headstart.workflow.tools import Tools

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class FineTuned:
    """A classifier whose backbone has learnt too.

    Attributes:
        suffix: what was trained, with its best weights.
        weights: of the backbone's layers above the cut, by `layer/number`.
        head: with what it has learnt.
        inputs: what the suffix was fed with.
        precision: of the frozen pass below the cut.
        kept_precision: of what was kept at the cut or computed above it, whichever is coarser.
        engine: of that pass.
        settings: for the manifest.
        table: of all stages.
    """

    suffix: keras.Model
    weights: Weights
    head: keras.Model
    inputs: StageInputs
    precision: str
    kept_precision: str
    engine: str
    settings: dict[str, Any]
    table: Table

    @property
    def frozen(self) -> FrozenPass | None:
        """The pass that made its features, where the head alone has learnt."""
        return self.inputs.features

    def probabilities(self, setup: Setup, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Answers for some photos by way of what was kept at the cut: (N, K)."""
        from headstart.training.loop import predict

        return predict(self.suffix, self.inputs.plain(setup, positions, "proof of the join"))

    def save_classifier(self, setup: Setup, file: Path, caller: KerasCaller) -> dict[str, Any]:
        """Joins prefix and suffix into one network and writes `model.keras`."""
        weights, head = file.with_name(".weights.npz"), file.with_name(".head.keras")
        try:
            with weights.open("wb") as opened:
                np.savez(opened, allow_pickle=False, **self.weights)
            self.head.save(head)
            call = caller.call(
                "headstart.artifact.model:save_tuned_classifier",
                spec=setup.spec.as_json(), weights=str(weights), head=str(head), file=str(file),
            )  # fmt: skip
            return dict(call.result())
        finally:
            weights.unlink(missing_ok=True)
            head.unlink(missing_ok=True)


def probe_score(setup: Setup, probe: FittedHead, features: Features) -> Score | None:
    """Scores the probe on the validation photos; None without any."""
    validation = setup.split.validation
    if not len(validation):
        return None
    return score(probe.answer(features.validation), setup.index.labels[validation])


def fine_tune(
    setup: Setup,
    probe: FittedHead | None,
    plan: Plan,
    *,
    bar: Score | None,
    frozen: FrozenPass,
    given: Tools,
) -> Fitted:
    """Trains the stages of a plan and returns the best that was found, which may be the probe.

    Args:
        setup: the network, the photos and their split.
        probe: the head on the frozen backbone; None where nothing begins or is compared with it.
        plan: what to do.
        bar: the probe's score on the validation photos; None without them, and then the last stage
            is kept whatever it is worth.
        frozen: the pass that makes features.
        given: cache, listener, Keras and engine.
    """
    course = Course.begin(setup, probe, plan, frozen)
    best: Trained | None = None
    best_score, last_score = bar, None if course.is_new else bar
    done: list[Trained] = []
    for number in range(len(plan.stages)):
        trained = course.run(number, bar=last_score, given=given)
        done.append(trained)
        last_score = trained.history.best_score if trained.history.best_epoch else last_score
        if trained.history.best_epoch and (bar is None or _beats(last_score, best_score)):
            best, best_score = trained, last_score
    return _conclude(probe, best, course=course, done=done, bar=bar, given=given)


def _conclude(
    probe: FittedHead | None,
    best: Trained | None,
    *,
    course: Course,
    done: list[Trained],
    bar: Score | None,
    given: Tools,
) -> Fitted:
    rows = tuple(
        (float(number), *row) for number, each in enumerate(done, 1) for row in each.history.rows
    )
    settings = (probe.settings if probe is not None else {}) | {
        "head": course.setup.recipe.head,
        "plan": course.setup.recipe.plan if not course.setup.recipe.stages else "stages",
        "loss": course.setup.recipe.loss,
        "source": own_sources(course.setup.recipe),
        "linear_probe": None if bar is None else asdict(bar),
        "stages": [each.describe() for each in done],
        "kept": "linear probe" if best is None else "fine-tuned",
        "kept_stage": next((n for n, each in enumerate(done, 1) if each is best), None),
    }
    table: Table = ("stage", *done[0].history.columns), rows
    if best is None and probe is None:
        raise TrainingError(done[-1].history.stopped)
    if best is None and probe is not None:
        given.progress.say(
            "No epoch of fine-tuning was better than the linear probe on the validation photos: "
            "the linear probe is what is kept."
        )
        return FittedHead(
            probe.frozen,
            probe.precision,
            settings,
            linear=probe.linear,
            network=probe.network,
            own_table=table,
        )
    assert best is not None
    course.head.set_weights(best.head_weights)
    return FineTuned(
        suffix=best.suffix,
        weights=best.weights,
        head=course.head,
        inputs=best.inputs,
        precision=best.inputs.precision,
        kept_precision="bfloat16" if best.dtype != "float32" else best.inputs.kept_precision,
        engine=best.inputs.engine,
        settings=settings,
        table=table,
    )


def _beats(found: Score | None, other: Score | None) -> bool:
    return found is not None and found.beats(other)
