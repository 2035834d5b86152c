"""A training keeps its best epoch, stops when it goes wrong, and goes on after it was killed."""

import keras
import numpy as np
import pytest

from headstart.progress import Silent
from headstart.training.examples import KeptRows
from headstart.training.loop import Surroundings, fit, predict
from headstart.training.losses import make_loss
from headstart.training.plan import Stage
from headstart.training.score import Score, has_collapsed, score

pytestmark = [
    pytest.mark.neutral,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def problem(count=120, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count).astype(np.int32)
    rows = random.standard_normal((count, 8)).astype(np.float32)
    rows[np.arange(count), labels] += 2.5
    return KeptRows(labels, (rows,))


def network(dropout=0.0):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8,))
    x = keras.layers.Dense(16, activation="relu", name="hidden")(inputs)
    x = keras.layers.Dropout(dropout, seed=3)(x)
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="out")(x))


class Listener(Silent):
    def __init__(self, stop_after=None):
        self.rows = []
        self.steps = []
        self.stop_after = stop_after

    def step(self, station, done, total):
        self.steps.append((done, total))

    def epoch(self, station, values, total):
        self.rows.append(values)
        if len(self.rows) == self.stop_after:
            raise RuntimeError("killed")


def given(**options):
    loss = make_loss("auto", options={}, units=3)
    return Surroundings(**{"loss": loss, "progress": Silent(), **options})


def test_the_best_epoch_is_kept_and_every_epoch_is_told():
    model, listener = network(), Listener()
    held_out = problem(seed=1)
    stage = Stage(epochs=6, learning_rate=0.02)
    history = fit(model, problem(), held_out, stage, given(progress=listener))
    assert len(history.rows) == len(listener.rows) == 6
    best = max(history.rows, key=lambda row: (row[3], -row[4]))
    assert history.best_epoch == best[0]
    again = score(predict(model, held_out), held_out.labels)
    assert again.top_1 == pytest.approx(best[3])
    assert again.log_loss == pytest.approx(best[4], rel=1e-5)
    assert history.best_score == again
    assert history.stopped == ""


def test_a_stage_is_one_piece_of_work_that_ends_once_even_when_it_ends_early():
    listener = Listener()
    stage = Stage(epochs=4, patience=1, batch_size=100)
    fit(network(), problem(), problem(seed=1), stage, given(progress=listener, bar=Score(1.0, 0.0)))
    assert listener.steps == [(0, 480), (100, 480), (120, 480), (120, 120)]


def test_it_says_which_weights_moved():
    model = network()
    model.get_layer("hidden").trainable = False
    history = fit(model, problem(), None, Stage(epochs=1), given())
    assert history.moved == ("out/kernel", "out/bias")
    assert set(history.unmoved) >= {"hidden/kernel", "hidden/bias"}


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_killed_between_epochs_it_ends_as_if_it_had_never_stopped(tmp_path, average):
    stage = Stage(epochs=5, learning_rate=0.01, schedule="cosine", average=average)
    whole = network(dropout=0.3)
    expected = fit(whole, problem(), problem(seed=1), stage, given())
    file = tmp_path / "state.npz"
    with pytest.raises(RuntimeError, match="killed"):
        fit(
            network(dropout=0.3), problem(), problem(seed=1), stage,
            given(state_file=file, progress=Listener(stop_after=3)),
        )  # fmt: skip
    resumed, listener = network(dropout=0.3), Listener()
    history = fit(
        resumed, problem(), problem(seed=1), stage, given(state_file=file, progress=listener)
    )
    assert len(listener.rows) == 3  # the third epoch was told of, but not yet kept
    assert [row[:6] for row in history.rows] == [row[:6] for row in expected.rows]
    assert all(map(np.array_equal, resumed.get_weights(), whole.get_weights()))
    finished = fit(network(dropout=0.3), problem(), problem(seed=1), stage, given(state_file=file))
    assert finished.rows == history.rows


def test_an_averaged_model_is_judged_and_kept_as_it_is_averaged():
    model, held_out = network(), problem(seed=1)
    stage = Stage(epochs=3, learning_rate=0.05, average=0.95)
    history = fit(model, problem(), held_out, stage, given())
    kept = score(predict(model, held_out), held_out.labels)
    assert kept.log_loss == pytest.approx(history.rows[history.best_epoch - 1][4], rel=1e-5)


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (Stage(optimizer="sgd", learning_rate=1e20, epochs=3), "no longer a number|exploded"),
        (Stage(optimizer="sgd", learning_rate=100.0, epochs=3), "exploded|one class"),
    ],
)
def test_a_wild_learning_rate_ends_with_the_weights_it_began_with(stage, reason):
    model = network()
    before = model.get_weights()
    bar = Score(1.0, 0.0)
    history = fit(model, problem(), problem(seed=1), stage, given(bar=bar))
    assert any(part in history.stopped for part in reason.split("|"))
    assert "Try a lower learning rate" in history.stopped
    assert history.best_epoch == 0
    assert all(map(np.array_equal, model.get_weights(), before))


def test_patience_ends_a_stage():
    stage = Stage(epochs=50, learning_rate=1e-9, patience=2)
    history = fit(network(), problem(), problem(seed=1), stage, given(bar=Score(1.0, 0.0)))
    assert len(history.rows) == 2


def test_deeper_blocks_learn_more_slowly():
    def moved(factor):
        model = network()
        before = model.get_layer("hidden").get_weights()[0]
        depths = {"hidden": 1}
        stage = Stage(epochs=1, optimizer="sgd", depth_factor=factor)
        fit(model, problem(), None, stage, given(depths=lambda name: depths.get(name, 0)))
        return np.abs(model.get_layer("hidden").get_weights()[0] - before).sum()

    assert 0 < moved(0.1) < 0.2 * moved(1.0)


def test_more_right_wins_and_among_equals_the_lower_log_loss():
    assert Score(0.9, 0.5).beats(Score(0.8, 0.1))
    assert Score(0.9, 0.1).beats(Score(0.9, 0.2))
    assert not Score(0.9, 0.2).beats(Score(0.9, 0.2))
    assert Score(0.0, 9.0).beats(None)


def test_naming_one_class_only_is_a_collapse_unless_there_is_but_one():
    labels = np.array([0, 1, 1, 0], np.int32)
    one = np.tile(np.float32([0.9, 0.1]), (4, 1))
    assert has_collapsed(one, labels)
    assert not has_collapsed(one[[0]] * 0 + np.float32([[0.9, 0.1]]), labels[:1])
    assert not has_collapsed(np.eye(2, dtype=np.float32)[labels], labels)
