"""The only place that calls `fit`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.progress import Progress

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class History:
    """What happened in each epoch.

    Attributes:
        columns: "epoch" first, then Keras' names: "loss", "accuracy", "val_loss", ...
        rows: one tuple an epoch, in the order of `columns`.
        best_epoch: counted from 1; its weights are the ones kept.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    best_epoch: int


def fit(
    model: "keras.Model",
    inputs: NDArray[np.float32],
    labels: NDArray[np.int32],
    *,
    validation: tuple[NDArray[np.float32], NDArray[np.int32]] | None,
    sample_weight: NDArray[np.float64] | None = None,
    learning_rate: float = 1e-3,
    batch_size: int = 32,
    epochs: int = 100,
    patience: int = 10,
    progress: Progress,
) -> History:
    """Trains what is trainable in a model, with Adam, until validation stops improving.

    Args:
        model: ends in a softmax, or in one sigmoid unit; the loss follows from that.
        inputs: (N, ...).
        labels: int32 (N,).
        validation: inputs and labels that decide when to stop and which epoch to keep; without
            them the training loss decides.
        sample_weight: float64 (N,), or None for all alike.
        learning_rate: of Adam.
        batch_size: examples a step.
        epochs: at most.
        patience: epochs without improvement before it stops.
        progress: told after every epoch.

    Returns:
        The history; the model has the weights of its best epoch.
    """
    import keras

    one_unit = model.output_shape[-1] == 1
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="binary_crossentropy" if one_unit else "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    monitor = "loss" if validation is None else "val_loss"
    stopping = keras.callbacks.EarlyStopping(
        monitor=monitor, patience=patience, restore_best_weights=True
    )
    fitted = model.fit(
        inputs,
        labels,
        validation_data=validation,
        sample_weight=sample_weight,
        batch_size=batch_size,
        epochs=epochs,
        callbacks=[stopping, _teller(progress, epochs)],
        verbose=0,
    )
    return _history(fitted.history, monitor)


def _history(columns: dict[str, list[float]], monitor: str) -> History:
    names = ("epoch", *columns)
    rows = tuple(
        (float(number), *(float(value) for value in values))
        for number, values in enumerate(zip(*columns.values(), strict=True), 1)
    )
    return History(names, rows, int(np.argmin(columns[monitor])) + 1)


def _teller(progress: Progress, epochs: int) -> Any:
    import keras

    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, _logs: progress.step("epochs", epoch + 1, epochs),
        on_train_end=lambda _logs: progress.step("epochs", epochs, epochs),
    )
