"""Each schedule follows its formula, written here a second time in NumPy."""

import subprocess
import sys

import numpy as np
import pytest

from headstart.errors import ArgumentError
from headstart.training.schedules import SCHEDULES, check_schedule, make_schedule

STEPS = np.arange(20)


def curve(name: str, *, steps: int = 20, **options: float) -> np.ndarray:
    schedule = make_schedule(name, learning_rate=0.1, steps=steps, options=options)
    return np.array([float(schedule(step)) for step in range(steps)])


def test_constant_is_the_number_itself() -> None:
    assert make_schedule("constant", learning_rate=0.1, steps=5, options={}) == 0.1


@pytest.mark.neutral
def test_inverse_time_is_the_decay_of_keras_2() -> None:
    expected = 0.1 / (1 + 0.3 * STEPS)
    np.testing.assert_allclose(curve("inverse_time", decay=0.3), expected, rtol=1e-6)


@pytest.mark.neutral
@pytest.mark.parametrize(("warmup", "first"), [(0.0, 0), (0.1, 2), (0.5, 10)])
def test_cosine_warms_up_along_a_line_and_falls_along_half_a_cosine(
    warmup: float, first: int
) -> None:
    falling = 0.05 * (1 + np.cos(np.pi * (STEPS - first) / (20 - first)))
    expected = np.where(first <= STEPS, falling, 0.1 * (STEPS + 1) / (first + 1))
    np.testing.assert_allclose(curve("cosine", warmup=warmup), expected, rtol=1e-5)


@pytest.mark.neutral
def test_a_tenth_of_cosine_is_warmup_when_nothing_is_said() -> None:
    np.testing.assert_array_equal(curve("cosine"), curve("cosine", warmup=0.1))


@pytest.mark.neutral
def test_one_cycle_rises_to_its_peak_and_falls_to_its_end() -> None:
    # numpy.interp on the angle of the cosine: 0 at the start, pi at the peak, 2 pi at the end
    angle = np.interp(np.arange(21), [0, 8, 20], [0, np.pi, 2 * np.pi])
    low = np.where(np.arange(21) <= 8, 0.1 / 10, 0.1 / 50)
    expected = low + (0.1 - low) * (1 - np.cos(angle)) / 2
    found = curve("one_cycle", steps=21, start_factor=10, end_factor=50, peak=0.4)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.neutral
def test_one_cycle_starts_at_a_25th_and_ends_at_a_10000th_when_nothing_is_said() -> None:
    found = curve("one_cycle", steps=11)
    np.testing.assert_allclose(found[[0, 3, 10]], [0.1 / 25, 0.1, 0.1 / 1e4], rtol=1e-5)


@pytest.mark.neutral
@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
def test_past_the_last_step_the_rate_stays(name: str) -> None:
    schedule = make_schedule(name, learning_rate=0.1, steps=10, options={})
    assert float(schedule(50)) == float(schedule(11))


@pytest.mark.neutral
@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_shortest_trainings_have_a_rate_above_zero(name: str, steps: int) -> None:
    found = curve(name, steps=steps)
    assert (found > 0).all()
    assert (found <= 0.1 + 1e-8).all()


@pytest.mark.neutral
@pytest.mark.parametrize("name", ["inverse_time", "cosine", "one_cycle"])
def test_an_optimizer_follows_the_schedule_step_by_step(name: str) -> None:
    import keras

    options = {"decay": 0.5} if name == "inverse_time" else {}
    schedule = make_schedule(name, learning_rate=0.1, steps=4, options=options)
    optimizer = keras.optimizers.SGD(schedule)
    weight = keras.Variable(np.zeros(1, np.float32))
    moved = []
    for _ in range(4):
        before = float(weight.numpy()[0])
        optimizer.apply([keras.ops.ones(1)], [weight])
        moved.append(before - float(weight.numpy()[0]))
    np.testing.assert_allclose(moved, curve(name, steps=4, **options), rtol=1e-3, atol=1e-8)


@pytest.mark.neutral
def test_one_cycle_says_what_it_was_made_from() -> None:
    schedule = make_schedule("one_cycle", learning_rate=0.1, steps=9, options={"peak": 0.5})
    assert schedule.get_config() == {
        "learning_rate": 0.1, "steps": 9, "start_factor": 25.0, "end_factor": 1e4, "peak": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["OneCycle", "one-cycle", "ONE_CYCLE"])
def test_names_are_found_whatever_their_case_and_underscores(name: str) -> None:
    check_schedule(name, {"peak": 0.5})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cosin", {}, r"schedule='cosin' is unknown. Did you mean cosine\? Expected one of: const"),
        ("cosine", {"warm_up": 0.1}, r"has no option warm_up. Did you mean warmup\? .*: warmup."),
        ("constant", {"decay": 0.1}, "'constant' has no option decay. Its options: none."),
        ("inverse_time", {}, "needs the option decay, a number of at least 0"),
        ("inverse_time", {"decay": -1}, "decay=-1 does not fit; expected a number of at least 0"),
        ("cosine", {"warmup": 1.0}, r"warmup=1.0 does not fit; expected a fraction in \[0, 1\)"),
        ("cosine", {"warmup": True}, r"warmup=True does not fit; expected a fraction in \[0, 1\)"),
        ("cosine", {"warmup": "0.1"}, "warmup='0.1' does not fit; expected a number, not text"),
        ("cosine", {"warmup": float("nan")}, "warmup=nan does not fit"),
        ("one_cycle", {"peak": 0}, r"peak=0 does not fit; expected a fraction in \(0, 1\)"),
        ("one_cycle", {"start_factor": 0.5}, "start_factor=0.5 does not fit; expected a number of"),
        ("one_cycle", {"end_factor": 0}, "end_factor=0 does not fit"),
    ],
)
def test_what_does_not_fit_is_named(name: str, options: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        check_schedule(name, options)
    with pytest.raises(ArgumentError, match=message):
        make_schedule(name, learning_rate=0.1, steps=10, options=options)


def test_checking_loads_no_keras() -> None:
    code = (
        "import sys; from headstart.training.schedules import check_schedule, make_schedule;"
        "check_schedule('cosine', {'warmup': 0.2});"
        "make_schedule('constant', learning_rate=0.1, steps=9, options={});"
        "sys.exit('keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_schedule_is_listed() -> None:
    assert SCHEDULES == ("constant", "inverse_time", "cosine", "one_cycle")
