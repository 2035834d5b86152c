"""After the first step it is known which weights moved, and that no frozen one did."""

from pathlib import Path

import keras
import numpy as np
import pytest

from headstart.errors import TrainingError
from headstart.progress import Silent
from headstart.training.examples import KeptRows
from headstart.training.loop import Surroundings, fit
from headstart.training.losses import make_loss
from headstart.training.plan import Stage

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MEDDLER = """
import keras

class Meddler(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate)
        Meddler.victim.assign_add(keras.ops.ones_like(Meddler.victim))

def meddler(learning_rate):
    return Meddler(learning_rate)
"""


def network():
    inputs = keras.Input((4,))
    frozen = keras.layers.Dense(5, name="frozen", trainable=False)(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax", name="out")(frozen))


def learn(model, **options):
    random = np.random.default_rng(0)
    rows = KeptRows(random.integers(0, 2, 8).astype(np.int32), (random.random((8, 4), np.float32),))
    loss = make_loss("auto", options={}, units=2)
    given = Surroundings(loss=loss, progress=Silent())
    return fit(model, rows, None, Stage(**{"epochs": 1, "optimizer": "sgd", **options}), given)


def test_what_moved_and_what_did_not_is_written_down():
    history = learn(network(), learning_rate=0.1)
    assert set(history.moved) == {"out/kernel", "out/bias"}
    assert set(history.unmoved) == {"frozen/kernel", "frozen/bias"}


def test_a_step_that_moves_nothing_ends_the_training():
    history = learn(network(), learning_rate=1e-46)
    assert "moved no weight" in history.stopped


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX keeps variables apart")
def test_an_optimizer_that_moves_a_frozen_weight_is_an_error(tmp_path: Path, monkeypatch):
    (tmp_path / "meddling.py").write_text(MEDDLER)
    monkeypatch.syspath_prepend(str(tmp_path))
    import meddling

    model = network()
    meddling.Meddler.victim = model.get_layer("frozen").kernel
    with pytest.raises(TrainingError, match="moved weights that are frozen: frozen/kernel"):
        learn(model, optimizer="meddling:meddler", learning_rate=0.1)
