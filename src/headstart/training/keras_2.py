"""What optimizers of Keras 2 were told, in the terms of Keras 3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headstart.errors import ArgumentError
from headstart.imports import is_own_code
from headstart.training.options import is_number


@dataclass(frozen=True, slots=True)
class Understood:
    """Options of an optimizer, with what only Keras 2 knew taken out.

    Attributes:
        options: the rest, for `make_optimizer`.
        learning_rate: from `lr`, or the one that was given, or None for neither.
        decay: the option of that name for the schedule `inverse_time`; 0.0 for none.
        notes: one sentence for everything that was read so, for the person to see.
    """

    options: dict[str, Any]
    learning_rate: float | None
    decay: float
    notes: tuple[str, ...]


def understand_keras_2(
    optimizer: str,
    options: Mapping[str, Any],
    *,
    learning_rate: float | None = None,
    schedule: str = "constant",
) -> Understood:
    """Reads `lr` and `decay` among the options of an optimizer as Keras 2 meant them.

    Keras 3 knows neither: it refuses `lr`, and warns about `decay` and trains on without it.

    Args:
        optimizer: its name; the user's own (`module:function`) may have such arguments itself,
            and keeps them.
        options: as given; `lr` > 0, `decay` >= 0.
        learning_rate: what was given explicitly, or None.
        schedule: what was chosen as the course of the learning rate.

    Returns:
        The options that are left, and what the two meant.

    Raises:
        ArgumentError: when `lr` or `decay` is no such number, or the same is said in two ways.

    Example:
        >>> old = understand_keras_2("sgd", {"lr": 0.1, "decay": 0.01, "momentum": 0.9})
        >>> old.options, old.learning_rate, old.decay
        ({'momentum': 0.9}, 0.1, 0.01)
        >>> old.notes[1]
        'decay=0.01 is read as Keras 2 meant it: learning rate / (1 + 0.01 * step).'
    """
    if is_own_code(optimizer):
        return Understood(dict(options), learning_rate, 0.0, ())
    rest = {key: value for key, value in options.items() if key not in ("lr", "decay")}
    notes = []
    if "lr" in options:
        learning_rate = _read_lr(options["lr"], options.get("learning_rate", learning_rate))
        notes.append(f"lr={learning_rate} is read as the learning rate, its name since Keras 3.")
    decay = _read_decay(options.get("decay", 0.0), schedule)
    if decay:
        notes.append(
            f"decay={decay} is read as Keras 2 meant it: learning rate / (1 + {decay} * step)."
        )
    return Understood(rest, learning_rate, decay, tuple(notes))


def _read_lr(lr: Any, learning_rate: Any) -> float:
    if not is_number(lr) or lr <= 0:
        raise ArgumentError(f"lr={lr!r} does not fit; expected a number above 0.")
    if learning_rate is not None:
        raise ArgumentError(
            f"lr={lr} and learning_rate={learning_rate} say the same thing twice; leave out lr."
        )
    return float(lr)


def _read_decay(decay: Any, schedule: str) -> float:
    if not is_number(decay) or decay < 0:
        raise ArgumentError(f"decay={decay!r} does not fit; expected a number of at least 0.")
    if decay and schedule != "constant":
        raise ArgumentError(
            f"decay={decay} and schedule={schedule!r} both set the course of the learning rate; "
            "leave out decay, or use schedule='constant'."
        )
    return float(decay)
