"""The only place that trains with gradients."""

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from headstart.data.bounded import bounded_map
from headstart.heads.linear import both_classes
from headstart.progress import Progress
from headstart.training.devices import (
    agreed,
    agreed_score,
    device_count,
    is_alike,
    own_share,
)
from headstart.training.examples import Examples, Mix
from headstart.training.losses import Loss, targets
from headstart.training.optimizers import make_optimizer
from headstart.training.plan import Stage
from headstart.training.schedules import make_schedule
from headstart.training.score import Score
from headstart.training.state import TrainingState, read_state
from headstart.training.watch import COLUMNS, Watch

PREDICT_BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class History:
    """What happened in each epoch.

    Attributes:
        columns: see `headstart.training.watch.COLUMNS`.
        rows: one tuple an epoch, in the order of `columns`.
        best_epoch: counted from 1 in its stage; its weights are the ones kept.
        best_score: on the validation photos; None without them.
        stopped: why the training ended before its last epoch, as a sentence; else empty.
        moved: weights that the first step changed, as `layer/weight`.
        unmoved: weights that it left as they were.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    best_epoch: int
    best_score: Score | None
    stopped: str
    moved: tuple[str, ...] = ()
    unmoved: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a training is given besides model and photos.

    Attributes:
        loss: what it makes small.
        progress: told after every epoch.
        seed: of the order of photos.
        photo_weights: float64 (N,), or None for all alike.
        mix: varies whole batches, or None.
        state_file: where it is kept after every epoch, or None.
        logs: folder for TensorBoard, or None.
        name: what the stage is called.
        depths: number of the block below the head that a layer belongs to, by layer; 0 for others.
        bar: score that an epoch has to beat; None for a model that begins with nothing.
    """

    loss: Loss
    progress: Progress
    seed: int = 0
    photo_weights: NDArray[np.float64] | None = None
    mix: Mix | None = None
    state_file: Path | None = None
    logs: Path | None = None
    name: str = "epochs"
    depths: Callable[[str], int] | None = None
    bar: Score | None = None


def fit(
    model: keras.Model,
    train: Examples,
    validation: Examples | None,
    stage: Stage,
    given: Surroundings,
) -> History:
    """Trains what is trainable in a model, and leaves it with the weights of its best epoch.

    Killed and begun again with the same state file, it goes on after the last whole epoch and ends
    as if it had never stopped.

    Args:
        model: ends in a softmax, or in one sigmoid unit.
        train: what it learns from.
        validation: decides which epoch is kept and when to stop; without it the last one is kept.
        stage: how it is trained.
        given: loss, listener, seed and files.

    Returns:
        The history. Training stops early, with the last good weights, when the loss is not a number
        or explodes, when one class is named for every photo, and at Ctrl-C.
    """
    batches = Batches(train, stage, given, units=int(model.output_shape[-1]))
    compile_model(model, stage, given, steps=len(batches) * stage.epochs)
    state = (read_state(given.state_file) if given.state_file else None) or TrainingState()
    if not is_alike(state.epoch):
        # Killed between the writing of one process and of another.
        state = TrainingState()
    model.set_weights(agreed(model.get_weights()))
    given = replace(given, bar=agreed_score(given.bar))
    watch = Watch(
        state, stage=stage, given=given, batches=batches, validation=validation, predict=predict
    )
    watch.restore(model)
    if not state.ended:
        callbacks = keras.callbacks.CallbackList([watch, *_tensorboard(given)], model=model)
        with watch.interruptible():
            _run_epochs(model, batches, range(state.epoch, stage.epochs), callbacks)
        watch.finish()
    model.set_weights(state.best)
    return History(
        columns=COLUMNS,
        rows=tuple(tuple(row) for row in state.rows),
        best_epoch=state.best_epoch,
        best_score=state.best_score,
        stopped="" if state.ended == "done" else state.ended,
        moved=tuple(state.moved),
        unmoved=tuple(state.unmoved),
    )


def _run_epochs(model: keras.Model, batches: "Batches", epochs: range, callbacks: Any) -> None:
    """Goes through the epochs batch by batch.

    `Model.fit` on TensorFlow leaves the batch's size open, for which its convolutions are slower:
    MobileNetV2 from block 13 on learns 124 photos/s there, and 205 here (2 cores, AVX-512).
    """
    logs: dict[str, Any] = {}
    model.stop_training = False
    callbacks.on_train_begin()
    for epoch in epochs:
        model.reset_metrics()
        callbacks.on_epoch_begin(epoch)
        # The next batch is prepared while this one is computed.
        ahead = bounded_map(batches.batch, range(len(batches)), threads=1, ahead=2)
        with closing(ahead):
            for step, batch in enumerate(ahead):
                logs = model.train_on_batch(*batch, return_dict=True)
                callbacks.on_train_batch_end(step, logs)
                if model.stop_training:
                    break
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)


def compile_model(model: keras.Model, stage: Stage, given: Surroundings, *, steps: int) -> None:
    """Compiles a model as a stage says; `steps` in all decide the schedule."""

    def optimizer(factor: float = 1.0) -> keras.optimizers.Optimizer:
        schedule = make_schedule(
            stage.schedule,
            learning_rate=stage.learning_rate * factor,
            steps=steps,
            options=stage.schedule_options,
        )
        return make_optimizer(
            stage.optimizer,
            learning_rate=schedule,
            options=stage.optimizer_options,
            ema=stage.average,
        )

    chosen = optimizer()
    if given.depths is not None and stage.depth_factor < 1:
        chosen = _by_depth(model, stage, given.depths, optimizer)
    model.compile(
        optimizer=chosen,
        loss=given.loss.function,
        metrics=["accuracy"],
        # TensorFlow's XLA compiles longer on a CPU than a fine-tuning lasts, and its depthwise
        # convolutions are slow; without jit, JAX would run every operation by itself.
        jit_compile=keras.backend.backend() == "jax",
    )


def predict(model: keras.Model, examples: Examples) -> NDArray[np.float32]:
    """Returns probabilities (N, K) of the first view of each example."""
    count = len(examples.labels)
    size = PREDICT_BATCH_SIZE * device_count()
    # Whole batches only: a short last one would be compiled anew, and could not be divided.
    positions = np.arange(-(-count // size) * size).clip(max=count - 1)
    parts = [
        np.asarray(model.predict_on_batch(examples.inputs(each, 0)), np.float32)
        for each in np.split(positions, len(positions) // size)
    ]
    return both_classes(np.concatenate(parts)[:count])


def _by_depth(
    model: keras.Model,
    stage: Stage,
    depths: Callable[[str], int],
    optimizer: Callable[[float], keras.optimizers.Optimizer],
) -> keras.optimizers.Optimizer:
    depth = {
        id(variable): depths(layer.name)
        for layer in model.layers
        for variable in layer.trainable_variables
    }
    made = {each: optimizer(stage.depth_factor**each) for each in sorted(set(depth.values()))}
    return keras.optimizers.MultiOptimizer(lambda variable: made[depth[id(variable)]])


def _tensorboard(given: Surroundings) -> list[keras.callbacks.Callback]:
    if given.logs is None:
        return []
    return [keras.callbacks.TensorBoard(str(given.logs / given.name), write_graph=False)]


class Batches:
    """Batches in an order that seed and epoch alone decide."""

    def __init__(self, train: Examples, stage: Stage, given: Surroundings, *, units: int) -> None:
        self._train = train
        self._stage = stage
        self._given = given
        self._units = units
        self.epoch = 0
        self.order = np.arange(len(train.labels))

    def begin(self, epoch: int) -> None:
        """Shuffles for an epoch, counted from 0."""
        self.epoch = epoch
        random = np.random.default_rng([self._given.seed, epoch])
        self.order = random.permutation(len(self._train.labels))

    def __len__(self) -> int:
        return math.ceil(len(self._train.labels) / self._stage.batch_size)

    def batch(self, step: int) -> tuple[Any, ...]:
        """Returns inputs, targets and, where there are some, weights of a step."""
        size = self._stage.batch_size
        positions = self.order[step * size : (step + 1) * size]
        positions = own_share(positions)
        inputs = self._train.inputs(positions, self.epoch)
        loss = self._given.loss
        wanted = targets(self._train.labels[positions], loss.targets, self._units)
        if self._given.mix is not None:
            inputs, wanted = self._given.mix(inputs, wanted, self.epoch * len(self) + step)
        if self._given.photo_weights is None:
            return inputs, wanted
        return inputs, wanted, self._given.photo_weights[positions].astype(np.float32)
