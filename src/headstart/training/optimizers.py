"""Optimizers: every one of Keras by its name, or the user's own."""

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headstart.errors import ArgumentError
from headstart.imports import is_own_code, load_function
from headstart.training.options import check_call, check_options, find_name, is_number, options_of

if TYPE_CHECKING:
    import keras


def optimizer_names() -> tuple[str, ...]:
    """Returns the optimizers of Keras that can be named; imports Keras.

    Those that wrap others (`LossScaleOptimizer`, `MultiOptimizer`) cannot; a function of one's own
    may return them.

    Example:
        >>> "AdamW" in optimizer_names()
        True
    """
    return tuple(sorted(_kinds()))


def check_optimizer(name: str, options: Mapping[str, Any], *, ema: float = 0.0) -> None:
    """Checks an optimizer and its options without building it; imports Keras.

    A file of the user's own is run to find the function in it; the function is not called.

    Args:
        name: as in `make_optimizer`.
        options: likewise.
        ema: likewise.

    Raises:
        ArgumentError: naming what is unknown or does not fit, with near matches.

    Example:
        >>> check_optimizer("adam", {"beta1": 0.8})
        Traceback (most recent call last):
        headstart.errors.ArgumentError: optimizer='adam' has no option beta1. Did you ...
    """
    _check_ema(ema, options)
    subject = f"optimizer={name!r}"
    if "learning_rate" in options:
        raise ArgumentError(
            f"{subject}: learning_rate={options['learning_rate']!r} is no option of the optimizer "
            "here; give it as the learning rate of the training."
        )
    if is_own_code(name):
        function, _source = load_function("optimizer", name)
        check_call(subject, function, named=["learning_rate", *options])
    else:
        known = options_of(_find(name), without=["learning_rate", "name"])
        check_options(subject, options, defaults=known)


def make_optimizer(
    name: str,
    *,
    learning_rate: "float | keras.optimizers.schedules.LearningRateSchedule",
    options: Mapping[str, Any],
    ema: float = 0.0,
) -> "keras.optimizers.Optimizer":
    """Builds an optimizer.

    Args:
        name: of an optimizer of Keras in any case, with or without underscores (`sgd`, `AdamW`,
            `rms_prop`); or `module:function` or `file.py:function`, which is called as
            `function(learning_rate=..., **options)` and returns a Keras optimizer.
        learning_rate: a number > 0, or what `make_schedule` made.
        options: its other arguments, by the names that Keras (or the user's function) has for them.
        ema: in [0, 1); above 0 the weights are averaged over the steps, each new average being
            ema * old + (1 - ema) * weights. Keras puts the average into the model at the end of
            `fit`, before callbacks hear of that end.

    Returns:
        A new optimizer, not yet built for a model.

    Raises:
        ArgumentError: naming what is unknown or does not fit, with near matches.

    Example:
        >>> optimizer = make_optimizer("sgd", learning_rate=0.1, options={"momentum": 0.9})
        >>> optimizer.momentum
        0.9
    """
    check_optimizer(name, options, ema=ema)
    if is_own_code(name):
        optimizer = _call_own(name, learning_rate, options)
        if ema:
            _average(name, optimizer, ema)
        return optimizer
    averaging = {"use_ema": True, "ema_momentum": ema} if ema else {}
    try:
        return _find(name)(learning_rate=learning_rate, **options, **averaging)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"optimizer={name!r} cannot be made from these: {error}") from error


def _find(name: str) -> Any:
    kinds = _kinds()
    return kinds[find_name("optimizer", name, kinds, own_code=True)]


def _kinds() -> dict[str, Any]:
    import keras

    base = keras.optimizers.Optimizer
    return {
        name: kind
        for name, kind in inspect.getmembers(keras.optimizers, inspect.isclass)
        if issubclass(kind, base) and kind is not base and "learning_rate" in options_of(kind)
    }


def _call_own(name: str, learning_rate: Any, options: Mapping[str, Any]) -> Any:
    import keras

    function, _source = load_function("optimizer", name)
    optimizer = function(learning_rate=learning_rate, **options)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ArgumentError(
            f"optimizer={name!r} returned {optimizer!r}; expected a Keras optimizer, as "
            "keras.optimizers.SGD(learning_rate)."
        )
    return optimizer


def _average(name: str, optimizer: Any, ema: float) -> None:
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    if optimizer.built or "learning_rate" not in options_of(type(optimizer)):
        raise ArgumentError(
            f"ema={ema} cannot be set on the {type(optimizer).__name__} that optimizer={name!r} "
            "returned; set use_ema and ema_momentum in that function instead."
        )
    optimizer.use_ema = True
    optimizer.ema_momentum = ema


def _check_ema(ema: float, options: Mapping[str, Any]) -> None:
    if not is_number(ema) or not 0 <= ema < 1:
        raise ArgumentError(f"ema={ema!r} does not fit; expected a fraction in [0, 1), as 0.99.")
    twice = sorted({"use_ema", "ema_momentum"} & set(options))
    if ema and twice:
        raise ArgumentError(
            f"ema={ema} and {' and '.join(twice)} among the options of the optimizer say the same "
            "thing twice; leave out one."
        )
