"""Whether training is done in bfloat16 is measured, where measuring is worth its time."""

import keras
import numpy as np
import pytest

from headstart.progress import Silent
from headstart.training.examples import KeptRows
from headstart.training.loop import Surroundings
from headstart.training.losses import make_loss
from headstart.training.plan import Stage
from headstart.training.precision import MIXED, choose_dtype

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROWS = KeptRows(np.zeros(64, np.int32), (np.zeros((64, 4), np.float32),))
GIVEN = Surroundings(loss=make_loss("auto", options={}, units=3), progress=Silent())


class Builder:
    """Builds a small network, and remembers in what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, dtype):
        self.asked.append(dtype)
        inputs = keras.Input((4,))
        return keras.Model(inputs, keras.layers.Dense(3, activation="softmax", dtype=dtype)(inputs))


@pytest.mark.parametrize(("precision", "dtype"), [("float32", "float32"), ("bfloat16", MIXED)])
def test_a_precision_that_was_said_is_taken(precision, dtype):
    build = Builder()
    assert choose_dtype(build, ROWS, Stage(precision=precision), GIVEN) == dtype
    assert build.asked == []


@pytest.mark.parametrize(("epochs", "asked"), [(2, []), (100, ["float32"])])
def test_a_training_that_is_soon_over_is_not_timed_twice(epochs, asked):
    build = Builder()
    assert choose_dtype(build, ROWS, Stage(epochs=epochs), GIVEN) == "float32"
    assert build.asked == asked


def test_a_long_training_is_timed_in_both_and_takes_the_faster():
    build = Builder()
    dtype = choose_dtype(build, ROWS, Stage(epochs=10**7), GIVEN)
    assert build.asked == ["float32", MIXED]
    assert dtype in ("float32", MIXED)
