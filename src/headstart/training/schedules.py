"""The course of the learning rate over the steps of a training."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headstart.errors import ArgumentError
from headstart.training.options import check_options, find_name, is_number

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class _Option:
    """A number that shapes a schedule; without a default it has to be given."""

    default: float | None
    fits: Callable[[float], bool]
    expected: str


OPTIONS: dict[str, dict[str, _Option]] = {
    "constant": {},
    "inverse_time": {"decay": _Option(None, lambda value: value >= 0, "a number of at least 0")},
    "cosine": {"warmup": _Option(0.1, lambda value: 0 <= value < 1, "a fraction in [0, 1)")},
    # Defaults of the two factors and of the peak as in fastai and PyTorch.
    "one_cycle": {
        "start_factor": _Option(25.0, lambda value: value >= 1, "a number of at least 1"),
        "end_factor": _Option(1e4, lambda value: value >= 1, "a number of at least 1"),
        "peak": _Option(0.3, lambda value: 0 < value < 1, "a fraction in (0, 1)"),
    },
}
SCHEDULES = tuple(OPTIONS)


def check_schedule(name: str, options: Mapping[str, Any]) -> None:
    """Checks the name of a schedule and its options, without Keras.

    Args:
        name: one of `SCHEDULES`, in any case, with or without underscores.
        options: as in `make_schedule`.

    Raises:
        ArgumentError: naming what is unknown, missing or out of its range.

    Example:
        >>> check_schedule("cosine", {"warmup": 1.5})
        Traceback (most recent call last):
        headstart.errors.ArgumentError: schedule='cosine': warmup=1.5 does not fit; expected a ...
    """
    known = OPTIONS[find_name("schedule", name, SCHEDULES)]
    subject = f"schedule={name!r}"
    check_options(subject, options, defaults=dict.fromkeys(known))
    for key, option in known.items():
        if key not in options and option.default is None:
            raise ArgumentError(f"{subject} needs the option {key}, {option.expected}.")
        value = options.get(key, option.default)
        if not is_number(value) or not option.fits(value):
            raise ArgumentError(
                f"{subject}: {key}={value!r} does not fit; expected {option.expected}."
            )


def make_schedule(
    name: str, *, learning_rate: float, steps: int, options: Mapping[str, Any]
) -> "float | keras.optimizers.schedules.LearningRateSchedule":
    """Builds the course of the learning rate over a training.

    With s the step, counted from 0, and S the number of steps:

    - `constant`: learning_rate.
    - `inverse_time`, what Keras 2 called decay: learning_rate / (1 + `decay` * s).
    - `cosine` (Loshchilov & Hutter 2017, arXiv:1608.03983) after a linear warmup (Goyal et al.
      2017, arXiv:1706.02677): learning_rate * (s + 1) / (w + 1) over the first w = `warmup` * S
      steps, then learning_rate * (1 + cos(pi * (s - w) / (S - w))) / 2.
    - `one_cycle` (Smith & Topin 2019, arXiv:1708.07120), rising and falling along half a cosine as
      in fastai: from learning_rate / `start_factor` to learning_rate at the fraction `peak` of the
      steps, then to learning_rate / `end_factor` at the last. Momentum stays as it is.

    Args:
        name: one of `SCHEDULES`, in any case, with or without underscores.
        learning_rate: the highest, > 0.
        steps: of the whole training, S >= 1; past them the last value stays.
        options: `decay` >= 0 of `inverse_time`; `warmup` in [0, 1), 0.1 when left out, of `cosine`;
            `start_factor` >= 1 (25), `end_factor` >= 1 (10000) and `peak` in (0, 1) (0.3) of
            `one_cycle`.

    Returns:
        What a Keras optimizer takes as its learning rate.

    Raises:
        ArgumentError: naming what is unknown, missing or out of its range.

    Example:
        >>> make_schedule("constant", learning_rate=0.01, steps=100, options={})
        0.01
        >>> schedule = make_schedule(
        ...     "inverse_time", learning_rate=0.1, steps=100, options={"decay": 0.5}
        ... )
        >>> round(float(schedule(2)), 4)
        0.05
    """
    check_schedule(name, options)
    name = find_name("schedule", name, SCHEDULES)
    values = {key: options.get(key, option.default) for key, option in OPTIONS[name].items()}
    if name == "constant":
        return learning_rate
    if name == "inverse_time":
        return _inverse_time(learning_rate, **values)
    if name == "cosine":
        return _cosine(learning_rate, steps, **values)
    return _one_cycle(learning_rate, steps, **values)


def _inverse_time(learning_rate: float, *, decay: float) -> Any:
    import keras

    return keras.optimizers.schedules.InverseTimeDecay(
        learning_rate, decay_steps=1, decay_rate=decay
    )


def _cosine(learning_rate: float, steps: int, *, warmup: float) -> Any:
    import keras

    warmup_steps = min(round(warmup * steps), steps - 1)
    # From a rate of 0 the first step would change nothing.
    return keras.optimizers.schedules.CosineDecay(
        learning_rate / (warmup_steps + 1),
        decay_steps=steps - warmup_steps,
        warmup_target=learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )


def _one_cycle(
    learning_rate: float, steps: int, *, start_factor: float, end_factor: float, peak: float
) -> Any:
    import keras
    from keras import ops

    last = max(steps - 1, 1)
    rise = peak * last
    start, end = learning_rate / start_factor, learning_rate / end_factor

    class OneCycle(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        """Half a cosine up, half a cosine down."""

        def __call__(self, step: Any) -> Any:
            """Returns the learning rate of a step."""
            step = ops.minimum(ops.cast(step, "float32"), float(last))
            up = 0.5 * (1 - ops.cos(math.pi * step / rise))
            down = 0.5 * (1 + ops.cos(math.pi * (step - rise) / (last - rise)))
            return ops.where(
                step < rise,
                start + (learning_rate - start) * up,
                end + (learning_rate - end) * down,
            )

        def get_config(self) -> dict[str, float]:
            """Returns what it was made from."""
            return {
                "learning_rate": learning_rate, "steps": steps, "start_factor": start_factor,
                "end_factor": end_factor, "peak": peak,
            }  # fmt: skip

    return OneCycle()
