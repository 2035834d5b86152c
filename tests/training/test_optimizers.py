"""Every optimizer of Keras by its name, with its own arguments, and the user's own."""

from pathlib import Path

import numpy as np
import pytest

from headstart.errors import ArgumentError
from headstart.training.optimizers import check_optimizer, make_optimizer, optimizer_names
from headstart.training.schedules import make_schedule

NAMES = (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon",
    "Nadam", "RMSprop", "SGD", "ScheduleFreeAdamW",
)  # fmt: skip

OWN = """
import keras

def heavy(learning_rate, momentum=0.5):
    return keras.optimizers.SGD(learning_rate, momentum=momentum)

def scaled(learning_rate):
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(learning_rate))

def built(learning_rate):
    optimizer = keras.optimizers.SGD(learning_rate)
    optimizer.build([keras.Variable([0.0])])
    return optimizer

def name(learning_rate):
    return "sgd"
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own.py"
    file.write_text(OWN)
    return file


def steps(optimizer, gradients: list[float]) -> list[float]:
    """Returns where a weight of 0 stands after each step along these gradients."""
    import keras

    weight = keras.Variable(np.zeros(1, np.float32))
    places = []
    for gradient in gradients:
        optimizer.apply([keras.ops.full((1,), gradient)], [weight])
        places.append(float(weight.numpy()[0]))
    return places


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_of_keras_trains_a_model(name: str) -> None:
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(make_optimizer(name, learning_rate=0.01, options={}), "categorical_crossentropy")
    before = model.get_weights()
    inputs = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    model.fit(inputs, np.eye(2, dtype=np.float32)[np.arange(8) % 2], batch_size=8, verbose=0)
    after = model.get_weights()
    assert all(np.isfinite(weight).all() for weight in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))


def test_these_are_all_that_keras_has() -> None:
    assert set(NAMES) <= set(optimizer_names())
    assert not {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"} & set(optimizer_names())


@pytest.mark.parametrize("name", ["adamw", "AdamW", "ADAM_W", "adam-w"])
def test_names_are_found_whatever_their_case_and_underscores(name: str) -> None:
    optimizer = make_optimizer(name, learning_rate=0.1, options={"weight_decay": 0.5})
    assert (type(optimizer).__name__, optimizer.weight_decay) == ("AdamW", 0.5)


def test_sgd_with_momentum_follows_its_formula() -> None:
    optimizer = make_optimizer("sgd", learning_rate=0.1, options={"momentum": 0.9})
    place, velocity, expected = 0.0, 0.0, []
    for gradient in (1.0, -2.0, 0.5):
        velocity = 0.9 * velocity - 0.1 * gradient
        expected.append(place := place + velocity)
    np.testing.assert_allclose(steps(optimizer, [1.0, -2.0, 0.5]), expected, rtol=1e-5)


def test_a_schedule_is_followed() -> None:
    schedule = make_schedule("inverse_time", learning_rate=0.1, steps=9, options={"decay": 1.0})
    optimizer = make_optimizer("sgd", learning_rate=schedule, options={})
    expected = np.cumsum([-0.1 / 1, -0.1 / 2, -0.1 / 3])
    np.testing.assert_allclose(steps(optimizer, [1.0, 1.0, 1.0]), expected, rtol=1e-5)


@pytest.mark.parametrize("place", ["sgd", "own"])
def test_ema_leaves_the_average_of_the_weights_in_the_model(place: str, own: Path) -> None:
    import keras

    name, options = ("sgd", {}) if place == "sgd" else (f"{own}:heavy", {"momentum": 0.0})
    optimizer = make_optimizer(name, learning_rate=1.0, options=options, ema=0.75)
    weight = keras.Variable(np.zeros(1, np.float32))
    average, walked = 0.0, 0.0
    for number, gradient in enumerate((1.0, 2.0, 4.0)):
        optimizer.apply([keras.ops.full((1,), gradient)], [weight])
        walked -= gradient
        average = walked if number == 0 else 0.75 * average + 0.25 * walked
    optimizer.finalize_variable_values([weight])
    np.testing.assert_allclose(weight.numpy(), [average], rtol=1e-6)


def test_ema_reaches_the_optimizer_inside_a_loss_scale(own: Path) -> None:
    optimizer = make_optimizer(f"{own}:scaled", learning_rate=0.1, options={}, ema=0.9)
    assert (optimizer.inner_optimizer.use_ema, optimizer.inner_optimizer.ema_momentum) == (
        True,
        0.9,
    )


def test_ones_own_optimizer_gets_the_rate_and_its_options(own: Path) -> None:
    optimizer = make_optimizer(f"{own}:heavy", learning_rate=0.25, options={"momentum": 0.7})
    assert (float(optimizer.learning_rate), optimizer.momentum) == (0.25, 0.7)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "adm",
            {},
            r"optimizer='adm' is unknown. Did you mean Adam.*Expected one of: .*SGD.*; or y",
        ),
        (
            "adam",
            {"beta1": 0.9},
            r"'adam' has no option beta1. Did you mean .*beta_1.* beta_2, eps",
        ),
        ("adam", {"beta_1": "a"}, "beta_1='a' does not fit; expected a number; 0.9 when left out"),
        ("adam", {"beta_1": [0.9]}, r"beta_1=\[0.9\] does not fit; expected a number"),
        ("adam", {"clipnorm": "1"}, "clipnorm='1' does not fit; expected a number, not text"),
        ("sgd", {"nesterov": 1}, "nesterov=1 does not fit; expected true or false"),
        ("sgd", {"learning_rate": 1.0}, "learning_rate=1.0 is no option of the optimizer here"),
        ("sgd", {"lr": 1.0}, "optimizer='sgd' has no option lr"),
        ("{own}:heavy", {"mass": 1}, r"\(learning_rate=..., mass=...\): got an unexpected keyword"),
        ("{own}:hevy", {}, r"cannot be imported: .* has no function 'hevy'. Did you mean heavy\?"),
    ],
)
def test_what_is_unknown_is_named_without_building(
    own: Path, name: str, options: dict, message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        check_optimizer(name.format(own=own), options)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sgd", {"momentum": 2.0}, "optimizer='sgd' cannot be made from these: .*momentum"),
        ("sgd", {"clipnorm": 1.0, "clipvalue": 1.0}, "cannot be made from these: Only one of"),
        ("{own}:name", {}, "returned 'sgd'; expected a Keras optimizer"),
    ],
)
def test_what_keras_refuses_is_passed_on(own: Path, name: str, options: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make_optimizer(name.format(own=own), learning_rate=0.1, options=options)


@pytest.mark.parametrize(
    ("ema", "options", "message"),
    [
        (1.0, {}, r"ema=1.0 does not fit; expected a fraction in \[0, 1\)"),
        (-0.1, {}, "ema=-0.1 does not fit"),
        (True, {}, "ema=True does not fit"),
        (0.9, {"use_ema": True}, "ema=0.9 and use_ema among the options .* same thing twice"),
    ],
)
def test_an_average_that_makes_no_sense_is_refused(ema: float, options: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        check_optimizer("sgd", options, ema=ema)


def test_an_optimizer_that_is_built_already_cannot_start_to_average(own: Path) -> None:
    with pytest.raises(ArgumentError, match=r"ema=0.9 cannot be set on the SGD that optimizer="):
        make_optimizer(f"{own}:built", learning_rate=0.1, options={}, ema=0.9)
