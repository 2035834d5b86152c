"""What happens around a training: scores, the best epoch, the state on disk, emergency stops."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import keras
import numpy as np

from headstart.errors import TrainingError
from headstart.training.devices import agreed
from headstart.training.score import has_collapsed, score
from headstart.training.state import TrainingState

COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "validation_top_1",
    "validation_log_loss",
    "learning_rate",
    "photos_per_second",
)

EXPLODED = 6.4
"""A mean loss above this, and above three times that of the first step, is an explosion. Keras'
cross-entropies reach 16.1 for certainty in the wrong class, so this is four photos in ten."""

ADVICE = "Try a lower learning rate, or unfreeze fewer layers."


class Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the best epoch and the state of a training, and stops it when it goes wrong."""

    def __init__(
        self,
        state: TrainingState,
        *,
        stage: Any,
        given: Any,
        batches: Any,
        validation: Any,
        predict: Any,
    ) -> None:
        super().__init__()
        self._state = state
        self._stage = stage
        self._given = given
        self._batches = batches
        self._validation = validation
        self._predict = predict
        self._first_loss: float | None = None
        self._begun = monotonic()
        self._before: list[Any] = []
        self._interrupted = False
        self._photos_done = 0

    def restore(self, model: keras.Model) -> None:
        """Puts a model where the state left it, or the state where the model is."""
        state = self._state
        if state.epoch:
            model.optimizer.build(model.trainable_variables)
            _assign(_variables(model), state.variables)
            _assign(model.optimizer.variables, state.optimizer)
        else:
            state.best, state.best_score = model.get_weights(), self._given.bar

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Lets Ctrl-C end the epoch at hand and keep what is best, instead of losing all."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras passes it
        """Remembers the weights, to see which of them move."""
        self._tell(self._state.epoch * len(self._batches.order))
        if self._state.moved:
            return
        self._before = [(path, np.array(value)) for path, value in _named_weights(self.model)]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Starts the clock and shuffles."""
        self._begun = monotonic()
        self._batches.begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Looks at the loss, which Keras gives as the mean of the epoch so far."""
        loss = float((logs or {}).get("loss", 0.0))
        if self._before:
            self._compare_weights()
        if self._first_loss is None:
            self._first_loss = loss
        limit = max(EXPLODED, 3 * self._first_loss)
        if self._interrupted:
            self._stop("It was stopped by hand.")
        elif not np.isfinite(loss):
            self._stop(f"The loss is no longer a number. {ADVICE}")
        elif loss > limit:
            self._stop(f"The loss exploded, from {self._first_loss:.3g} to {loss:.3g}. {ADVICE}")
        count = len(self._batches.order)
        self._tell(self._batches.epoch * count + min((batch + 1) * self._stage.batch_size, count))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Scores the epoch, keeps it when it is the best, and writes the state."""
        if self.model.stop_training:
            return
        found, collapsed = self._score()
        # TensorBoard's callback comes after this one and writes what it finds here.
        logs = {} if logs is None else logs
        if found is not None:
            logs |= {"validation_top_1": found.top_1, "validation_log_loss": found.log_loss}
        seconds = max(monotonic() - self._begun, 1e-9)
        row = [
            epoch + 1.0,
            float(logs.get("loss", np.nan)),
            float(logs.get("accuracy", np.nan)),
            np.nan if found is None else found.top_1,
            np.nan if found is None else found.log_loss,
            self._learning_rate(),
            len(self._batches.order) / seconds,
        ]
        state = self._state
        state.epoch = epoch + 1
        state.rows.append(row)
        if found is None or found.beats(state.best_score):
            state.best, state.best_epoch, state.best_score = self._weights(), epoch + 1, found
        values = dict(zip(COLUMNS, row, strict=True))
        self._given.progress.epoch(self._given.name, values, self._stage.epochs)
        if collapsed:
            self._stop(f"It names one class for every photo. {ADVICE}")
        patience = self._stage.patience
        if patience is not None and state.epoch - state.best_epoch >= patience:
            self._stop("done")
        self._save()

    def finish(self) -> None:
        """Marks the stage as over."""
        self._state.ended = self._state.ended or "done"
        self._save()
        self._given.progress.step(self._given.name, self._photos_done, self._photos_done)

    def _tell(self, photos_done: int) -> None:
        """Says how far the stage is; the last photo ends it only when its epoch is scored."""
        self._photos_done = photos_done
        total = self._stage.epochs * len(self._batches.order)
        if photos_done < total:
            self._given.progress.step(self._given.name, photos_done, total)

    def _score(self) -> tuple[Any, bool]:
        if self._validation is None:
            return None, False
        kept = self.model.get_weights()
        self.model.set_weights(self._weights())
        probabilities = agreed(self._predict(self.model, self._validation))
        self.model.set_weights(kept)
        labels = self._validation.labels
        return score(probabilities, labels), has_collapsed(probabilities, labels)

    def _weights(self) -> list[Any]:
        """The weights that would be kept: their moving average, where there is one."""
        weights = self.model.get_weights()
        if not self._stage.average:
            return list(weights)
        places = {id(value): number for number, value in enumerate(self.model.weights)}
        averages = _averages(self.model.optimizer)
        for variable, average in averages:
            weights[places[id(variable)]] = np.asarray(average)
        return list(weights)

    def _learning_rate(self) -> float:
        optimizer = getattr(self.model.optimizer, "optimizers", [self.model.optimizer])[0]
        return float(keras.ops.convert_to_numpy(optimizer.learning_rate))

    def _compare_weights(self) -> None:
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        now = dict(_named_weights(self.model))
        changed = {path: not np.array_equal(now[path], value) for path, value in self._before}
        self._state.moved = [path for path, has_moved in changed.items() if has_moved]
        self._state.unmoved = [path for path, has_moved in changed.items() if not has_moved]
        self._before = []
        frozen = {
            f"{layer.name}/{weight.name}"
            for layer in self.model.layers
            if not layer.trainable
            for weight in layer.weights
        }
        wrong = [path for path in self._state.moved if path in frozen]
        if wrong:
            raise TrainingError(
                f"{self._given.name}: the first step moved weights that are frozen: "
                f"{', '.join(wrong[:5])}. An optimizer of one's own must change only the "
                "variables that it is given."
            )
        if not self._state.moved:
            self._stop("The first step moved no weight at all. Try a higher learning rate.")

    def _stop(self, reason: str) -> None:
        self._state.ended = self._state.ended or reason
        self.model.stop_training = True

    def _interrupt(self, *_: Any) -> None:
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True

    def _save(self) -> None:
        if self._given.state_file is None:
            return
        state = self._state
        state.variables = [np.asarray(value) for value in _variables(self.model)]
        state.optimizer = [np.asarray(value) for value in self.model.optimizer.variables]
        state.write(self._given.state_file)


def _variables(model: keras.Model) -> list[Any]:
    """Weights, statistics and random generators; `model.variables` has metrics among them."""
    return [variable for layer in model.layers for variable in layer.variables]


def _named_weights(model: keras.Model) -> list[tuple[str, Any]]:
    return [
        (f"{layer.name}/{weight.name}", np.asarray(weight))
        for layer in model.layers
        for weight in layer.weights
    ]


def _averages(optimizer: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for each in getattr(optimizer, "optimizers", [optimizer]):
        variables = getattr(each, "_trainable_variables", [])
        averages = getattr(each, "_model_variables_moving_average", [])
        found += list(zip(variables, averages, strict=False))
    return found


def _assign(variables: Any, values: Any) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
