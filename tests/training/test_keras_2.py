"""Options from programs written for Keras 2 keep their meaning."""

import pytest

from headstart.errors import ArgumentError
from headstart.training.keras_2 import Understood, understand_keras_2
from headstart.training.schedules import make_schedule


def test_options_of_keras_3_pass_untouched() -> None:
    options = {"momentum": 0.9, "nesterov": True}
    assert understand_keras_2("sgd", options) == Understood(options, None, 0.0, ())


def test_lr_is_the_learning_rate() -> None:
    old = understand_keras_2("sgd", {"lr": 0.1, "momentum": 0.9})
    assert (old.options, old.learning_rate) == ({"momentum": 0.9}, 0.1)
    assert old.notes == ("lr=0.1 is read as the learning rate, its name since Keras 3.",)


@pytest.mark.neutral
def test_decay_divides_by_one_plus_decay_times_step() -> None:
    old = understand_keras_2("sgd", {"decay": 0.01}, learning_rate=0.5)
    schedule = make_schedule(
        "inverse_time", learning_rate=old.learning_rate, steps=9, options={"decay": old.decay}
    )
    # SGD of Keras 2.15: lr * (1. / (1. + self.decay * iterations))
    assert float(schedule(7)) == pytest.approx(0.5 * (1.0 / (1.0 + 0.01 * 7)))
    assert old.notes == (
        "decay=0.01 is read as Keras 2 meant it: learning rate / (1 + 0.01 * step).",
    )


def test_a_decay_of_zero_is_none_whatever_the_schedule() -> None:
    old = understand_keras_2("sgd", {"decay": 0.0}, schedule="cosine")
    assert old == Understood({}, None, 0.0, ())


def test_ones_own_function_keeps_arguments_of_these_names() -> None:
    options = {"lr": "warm", "decay": 3}
    old = understand_keras_2("mine.py:optimizer", options, learning_rate=0.1, schedule="cosine")
    assert old == Understood(options, 0.1, 0.0, ())


@pytest.mark.parametrize(
    ("options", "more", "message"),
    [
        ({"lr": 0.1}, {"learning_rate": 0.2}, "lr=0.1 and learning_rate=0.2 say the same thing tw"),
        ({"lr": 0.1, "learning_rate": 0.3}, {}, "lr=0.1 and learning_rate=0.3 say the same thing"),
        ({"lr": 0}, {}, "lr=0 does not fit; expected a number above 0"),
        ({"lr": "0.1"}, {}, "lr='0.1' does not fit"),
        ({"decay": 0.1}, {"schedule": "cosine"}, "decay=0.1 and schedule='cosine' both set the"),
        ({"decay": 0.1}, {"schedule": "inverse_time"}, "leave out decay, or use schedule='const"),
        ({"decay": -0.1}, {}, "decay=-0.1 does not fit; expected a number of at least 0"),
        ({"decay": None}, {}, "decay=None does not fit"),
    ],
)
def test_what_is_said_twice_or_makes_no_sense_is_refused(
    options: dict, more: dict, message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        understand_keras_2("sgd", options, **more)
