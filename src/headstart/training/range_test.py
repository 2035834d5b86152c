"""The learning rate range test: a short training whose rate grows until it breaks.

Smith 2017, "Cyclical learning rates for training neural networks", arXiv:1506.01186.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from headstart.errors import ArgumentError
from headstart.training.plan import Stage

LOWEST, HIGHEST = 1e-7, 10.0
STEPS = 100

SMOOTHING = 0.9
"""Weight of the past in the moving average of the loss."""

BROKEN = 4.0
"""The test ends when the smoothed loss is so many times its lowest value."""

FIRST_STEPS = 10
"""Before so many steps the average knows too little to end anything."""

MARGIN = 10.0
"""The suggestion lies so many times below the highest rate at which the loss still was low."""


@dataclass(frozen=True, slots=True)
class RangeTest:
    """What a range test found.

    Attributes:
        rates: of each step, rising.
        losses: of each step, smoothed.
        highest_good: highest rate at which the smoothed loss still was near its lowest.
        suggestion: the learning rate to begin with.
        has_broken: whether the loss grew past bounds before the highest rate of the test.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    highest_good: float
    suggestion: float
    has_broken: bool

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self)


def range_test(model: Any, train: Any, stage: Stage, given: Any) -> RangeTest:
    """Trains a model with a growing learning rate; it is of no use afterwards.

    Args:
        model: not compiled; see `headstart.training.loop.fit`.
        train: examples to learn from, taken in the order of the first epochs.
        stage: says optimizer and batch size; its own rate and schedule are passed over.
        given: loss, listener and seed; see `headstart.training.loop.Surroundings`.

    Returns:
        Rates, losses and a suggestion.

    Raises:
        ArgumentError: when an optimizer of the user's own takes no learning rate.
    """
    from headstart.training.loop import Batches, compile_model

    units = int(model.output_shape[-1])
    batches = Batches(train, stage, given, units=units)
    plain = replace(stage, schedule="constant", schedule_options={}, depth_factor=1.0, average=0.0)
    compile_model(model, replace(plain, learning_rate=LOWEST), given, steps=STEPS)
    rates = np.geomspace(LOWEST, HIGHEST, STEPS).tolist()
    losses: list[float] = []
    for step, rate in enumerate(rates):
        epoch, at = divmod(step, len(batches))
        if at == 0:
            batches.begin(epoch)
        _set_rate(model.optimizer, rate, stage.optimizer)
        model.reset_metrics()  # else Keras gives the mean of all steps so far
        found = float(model.train_on_batch(*batches.batch(at), return_dict=True)["loss"])
        losses.append(found)
        given.progress.step("range test", step + 1, STEPS)
        if not np.isfinite(found) or _is_broken(smoothed(losses)):
            given.progress.step("range test", STEPS, STEPS)
            break
    return conclude(rates[: len(losses)], losses)


def conclude(rates: Sequence[float], losses: Sequence[float]) -> RangeTest:
    """Reads a suggestion off the losses of a range test.

    The smoothed loss falls, or stays where it is when the network knows nearly all, and then grows
    without bounds. The suggestion is a tenth of the highest rate before that: near enough to learn
    fast, and far enough not to break.

    Args:
        rates: of each step, rising.
        losses: of each step; the last one may be no number.

    Example:
        >>> found = conclude([1e-4, 1e-3, 1e-2, 1e-1, 1.0], [1.0, 0.9, 0.5, 0.9, 40.0])
        >>> round(found.suggestion, 6)
        0.001
    """
    good = [loss for loss in losses if np.isfinite(loss)]
    means = smoothed(good) if len(losses) > FIRST_STEPS else good
    if not means:
        return RangeTest(tuple(rates), (float("nan"),), rates[0], rates[0] / MARGIN, True)
    lowest = min(means)
    near = lowest + 0.1 * max(means[0] - lowest, 0.0) + 0.05 * lowest
    highest = max(rate for rate, loss in zip(rates, means, strict=False) if loss <= near)
    return RangeTest(
        rates=tuple(rates[: len(means)]),
        losses=tuple(means),
        highest_good=highest,
        suggestion=highest / MARGIN,
        has_broken=len(good) < len(losses) or _is_broken(means),
    )


def smoothed(losses: Sequence[float]) -> list[float]:
    """Returns the exponential moving average of losses, without the pull of its start.

    Example:
        >>> [round(each, 6) for each in smoothed([2.0, 2.0, 2.0])]
        [2.0, 2.0, 2.0]
    """
    found, mean = [], 0.0
    for step, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        found.append(mean / (1 - SMOOTHING**step))
    return found


def _set_rate(optimizer: Any, rate: float, name: str) -> None:
    try:
        optimizer.learning_rate = rate
    except (AttributeError, TypeError) as error:
        raise ArgumentError(
            f"optimizer={name!r} goes its own way with the learning rate, so none can be tried. "
            "Let the function hand on the learning_rate that it is called with, as in "
            "keras.optimizers.SGD(learning_rate)."
        ) from error


def _is_broken(means: Sequence[float]) -> bool:
    return len(means) > FIRST_STEPS and means[-1] > BROKEN * min(means)
