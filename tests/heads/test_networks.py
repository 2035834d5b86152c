"""Heads as Keras models; the arithmetic is the same on every backend."""

from pathlib import Path

import numpy as np
import pytest

from headstart.errors import ArgumentError
from headstart.heads.linear import LinearHead
from headstart.heads.networks import build_linear, build_mlp, build_own, fold_standardisation

pytestmark = pytest.mark.neutral

FEATURES = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)

OWN = """
import keras

def narrow(feature_count, class_count):
    return keras.Sequential([
        keras.Input((feature_count,)),
        keras.layers.Dense(4, activation="relu"),
        keras.layers.Dense(class_count, activation="softmax"),
    ])

def wrong(feature_count, class_count):
    return keras.Sequential([keras.Input((feature_count,)), keras.layers.Dense(class_count + 1)])

class Mine(keras.layers.Layer):
    def call(self, inputs):
        return keras.ops.softmax(inputs[:, :2])

def foreign(feature_count, class_count):
    inputs = keras.Input((feature_count,))
    return keras.Model(inputs, Mine()(inputs))
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own.py"
    file.write_text(OWN)
    return file


@pytest.mark.parametrize(("activation", "units"), [("softmax", 3), ("sigmoid", 1)])
def test_the_keras_layer_computes_what_the_fitted_head_computes(
    activation: str, units: int
) -> None:
    random = np.random.default_rng(1)
    head = LinearHead(
        random.normal(size=(6, units)).astype(np.float32),
        random.normal(size=units).astype(np.float32),
        activation, 1.0, (),
    )  # fmt: skip
    found = build_linear(head).predict(FEATURES, verbose=0)
    np.testing.assert_allclose(found, head.probabilities(FEATURES), atol=1e-6)


def test_a_multi_layer_head_ends_in_probabilities() -> None:
    head = build_mlp(6, (5, 4), dropout=0.5, units_out=3)
    names = [layer.name for layer in head.layers[1:]]
    assert names == ["hidden_1", "dropout_1", "hidden_2", "dropout_2", "probabilities"]
    np.testing.assert_allclose(head.predict(FEATURES, verbose=0).sum(axis=1), 1, atol=1e-6)


def test_folding_standardisation_changes_nothing_that_comes_out() -> None:
    head = build_mlp(6, (5,), dropout=0.0, units_out=2)
    mean, deviation = FEATURES.mean(axis=0), FEATURES.std(axis=0)
    before = head.predict((FEATURES - mean) / deviation, verbose=0)
    fold_standardisation(head, mean, deviation)
    np.testing.assert_allclose(head.predict(FEATURES, verbose=0), before, atol=1e-5)


def test_ones_own_head_comes_from_a_file(own: Path) -> None:
    head = build_own(f"{own}:narrow", feature_count=6, class_count=2)
    assert head.predict(FEATURES, verbose=0).shape == (8, 2)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("wrong", r"output shape \(None, 3\); expected .+\(None, 2\)"),
        ("foreign", "layers that plain Keras cannot load: mine"),
        ("missing", "cannot be imported"),
    ],
)
def test_ones_own_head_that_does_not_fit_says_why(own: Path, function: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        build_own(f"{own}:{function}", feature_count=6, class_count=2)
