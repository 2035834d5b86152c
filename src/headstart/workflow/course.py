"""The course of a fine-tuning: what goes from stage to stage, and how one stage is trained."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.backbones.cut import Cut
from headstart.features.frozen_pass import FrozenPass
from headstart.training.plan import Stage
from headstart.training.score import Score
from headstart.workflow.fitting import FittedHead, new_head, photo_weights
from headstart.workflow.setup import Setup
from headstart.workflow.stage_inputs import StageInputs
from headstart.workflow.stages import make_loss_of, starts_new
from headstart.workflow.tools import Tools

if TYPE_CHECKING:
    import keras

    from headstart.training.examples import Examples
    from headstart.training.loop import History, Surroundings

Weights = dict[str, NDArray[Any]]
"""Of a backbone's layers, by `layer/number`."""


@dataclass(frozen=True)
class Plan:
    """What is to be done after the linear probe.

    Attributes:
        stages: in order.
        cuts: where the network is cut for each.
        logs: folder for TensorBoard, or None.
    """

    stages: tuple[Stage, ...]
    cuts: tuple[Cut, ...]
    logs: Path | None = None


@dataclass(frozen=True)
class Trained:
    """A stage that is over.

    Attributes:
        stage: how it was trained.
        inputs: what it was fed with.
        suffix: what was trained, with its best weights.
        history: of its epochs.
        dtype: "float32" or "mixed_bfloat16".
        weights: of the backbone's layers in the suffix; copies, since the next stage goes on.
        head_weights: likewise.
    """

    stage: Stage
    inputs: StageInputs
    suffix: keras.Model
    history: History
    dtype: str
    weights: Weights
    head_weights: list[NDArray[Any]]

    def describe(self) -> dict[str, Any]:
        """What the manifest says of it."""
        history, found = self.history, self.history.best_score
        return asdict(self.stage) | {
            "precision": self.dtype,
            "cut": list(self.inputs.cut.crossing),
            "best_epoch": history.best_epoch,
            # Without a best epoch the score is what the stage began with, not its own.
            "validation": asdict(found) if history.best_epoch and found else None,
            "ended_early": history.stopped,
            "moved": list(history.moved),
            "unmoved": list(history.unmoved),
        }


@dataclass(frozen=True)
class Course:
    """What goes from stage to stage: network and head, with all that they have learnt so far.

    Attributes:
        setup: the network, the photos and their split.
        plan: what to do.
        features: the pass that makes features.
        frozen: the network, which changes with every stage.
        head: likewise.
        is_new: whether the head began with fresh weights rather than with the probe's.
    """

    setup: Setup
    plan: Plan
    features: FrozenPass
    frozen: keras.Model
    head: keras.Model
    is_new: bool

    @staticmethod
    def begin(setup: Setup, probe: FittedHead | None, plan: Plan, features: FrozenPass) -> Course:
        """Builds a network of its own, and the head that the first stage begins with."""
        import keras

        from headstart.backbones.frozen import build
        from headstart.heads.networks import build_linear
        from headstart.training.devices import use_all_devices

        use_all_devices()
        keras.utils.set_random_seed(setup.recipe.seed)
        # A network of its own: the shared one must keep the weights that its digest names.
        frozen = build.__wrapped__(setup.spec)
        is_new = starts_new(setup.recipe, plan.stages)
        if is_new or probe is None:
            head = new_head(setup.recipe, frozen.output_shape[-1], len(setup.index.class_names))
        elif probe.linear is not None:
            head = build_linear(probe.linear)
        else:
            head = probe.network
        return Course(setup, plan, features, frozen, head, is_new)

    def run(self, number: int, *, bar: Score | None, given: Tools) -> Trained:
        """Trains one stage, counted from 0, and takes over what it has learnt."""
        from headstart.backbones.suffix import backbone_weights, set_backbone_weights, take_head
        from headstart.training.loop import fit
        from headstart.training.precision import choose_dtype

        setup, stage = self.setup, self.plan.stages[number]
        inputs, train, surroundings = self.ready(number, bar=bar, given=given)
        validation = None
        if len(setup.split.validation):
            station = f"stage {number + 1}: validation"
            validation = inputs.plain(setup, setup.split.validation, station)
        build = self.suffix(inputs, stage)
        dtype = choose_dtype(build, train, stage, surroundings)
        suffix = build(dtype)
        history = fit(suffix, train, validation, stage, surroundings)
        if history.stopped:
            given.progress.say(f"Stage {number + 1} ended early. {history.stopped}")
        weights = backbone_weights(suffix, self.frozen)
        set_backbone_weights(self.frozen, weights)
        take_head(suffix, self.head)
        copies = [np.array(value) for value in self.head.get_weights()]
        return Trained(stage, inputs, suffix, history, dtype, weights, copies)

    def ready(
        self, number: int, *, bar: Score | None, given: Tools
    ) -> tuple[StageInputs, Examples, Surroundings]:
        """Evaluates the frozen prefix of a stage: what it learns from, and what it is given."""
        setup, stage = self.setup, self.plan.stages[number]
        inputs = StageInputs.of(setup, self.plan.cuts[number], stage, self.features, given)
        train = inputs.varied(setup, setup.split.train, f"stage {number + 1}: frozen prefix")
        return inputs, train, self._surroundings(number, inputs, bar=bar, given=given)

    def suffix(self, inputs: StageInputs, stage: Stage) -> Callable[[str], keras.Model]:
        """Returns what builds the suffix of a stage in a dtype."""
        from headstart.backbones.suffix import build_suffix

        return lambda dtype: build_suffix(
            self.frozen, inputs.cut, self.head, batch_norm=stage.batch_norm, dtype=dtype
        )

    def _surroundings(
        self, number: int, inputs: StageInputs, *, bar: Score | None, given: Tools
    ) -> Surroundings:
        from headstart.training.loop import Surroundings

        setup, recipe = self.setup, self.setup.recipe
        return Surroundings(
            loss=make_loss_of(recipe, units=int(self.head.output_shape[-1])),
            progress=given.progress,
            seed=recipe.seed,
            photo_weights=photo_weights(setup),
            mix=inputs.mix(recipe.seed),
            state_file=_state_folder(setup, given) / f"stage-{number + 1}.npz",
            logs=self.plan.logs,
            name=f"stage {number + 1}",
            depths=_depths(self.frozen, setup.backbone.cut_points),
            bar=bar,
        )


def forget_states(setup: Setup, given: Tools) -> None:
    """Removes what would let a killed training go on, once its run is written."""
    shutil.rmtree(_state_folder(setup, given), ignore_errors=True)


def _depths(frozen: keras.Model, blocks: tuple[str, ...]) -> Any:
    """Counts for every layer the blocks from the head down to it: 1 in the top one."""
    names = [layer.name for layer in frozen.layers]
    ends = [names.index(block) for block in blocks]
    depth = {name: 1 + sum(end >= at for end in ends[:-1]) for at, name in enumerate(names)}
    return lambda name: depth.get(name, 0)


def _state_folder(setup: Setup, given: Tools) -> Path:
    """Names a training by all that decides how it goes; where its photos lie does not."""
    values: Mapping[str, Any] = setup.recipe.model_dump(exclude={"photos", "test"})
    photos = [setup.index.digests[position] for position in setup.split.train]
    labels = setup.index.labels[setup.split.train].tolist()
    held_out = [setup.index.digests[position] for position in setup.split.validation]
    weights = photo_weights(setup)
    counts = None if weights is None else weights.tolist()
    key = json.dumps([values, setup.spec.digest, photos, labels, held_out, counts], sort_keys=True)
    return given.place.folder / "training" / hashlib.sha256(key.encode()).hexdigest()
