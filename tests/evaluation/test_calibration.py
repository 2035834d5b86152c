"""Temperatures agree with an independent optimiser, and folding one in changes no answer."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from headstart.errors import ArgumentError
from headstart.evaluation.calibration import (
    LIMITS,
    Calibration,
    describe_calibration,
    expected_calibration_error,
    fit_temperature,
    reliability,
    with_temperature,
)
from headstart.heads.linear import LinearHead, both_classes
from headstart.heads.networks import build_linear, fold_temperature


def logits_and_labels(seed: int, *, classes: int = 4, scale: float = 3.0):
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (400, classes))
    labels = np.array([random.choice(classes, p=softmax(row)) for row in logits])
    return logits * scale, labels


@pytest.mark.parametrize("seed", range(5))
def test_the_temperature_is_that_of_scipys_minimiser_on_logits(seed: int) -> None:
    logits, labels = logits_and_labels(seed, scale=1.0 + seed)

    def loss(inverse: float) -> float:
        return -log_softmax(logits * inverse, axis=1)[np.arange(400), labels].mean()

    expected = minimize_scalar(loss, bounds=(0.05, 5), method="bounded", options={"xatol": 1e-13})
    found = fit_temperature(softmax(logits, axis=1), labels)
    # A minimum is flat: its place is known to the root of what its height is known to.
    assert loss(1 / found) == pytest.approx(expected.fun, abs=1e-12)
    assert 1 / found == pytest.approx(expected.x, rel=1e-6)


def test_at_the_temperature_the_slope_of_the_log_loss_is_nought() -> None:
    logits, labels = logits_and_labels(0)
    inverse = 1 / fit_temperature(softmax(logits, axis=1), labels)
    p = softmax(logits * inverse, axis=1)
    slope = (p * logits).sum(axis=1) - logits[np.arange(400), labels]
    assert slope.mean() == pytest.approx(0, abs=1e-9)


def test_probabilities_at_a_temperature_are_the_softmax_of_divided_logits() -> None:
    logits, _ = logits_and_labels(1)
    found = with_temperature(softmax(logits, axis=1), 2.5)
    np.testing.assert_allclose(found, softmax(logits / 2.5, axis=1), atol=1e-9)


def test_a_classifier_that_is_too_sure_is_made_less_so_and_its_error_falls() -> None:
    logits, labels = logits_and_labels(2, scale=4.0)
    p = softmax(logits, axis=1)
    temperature = fit_temperature(p[:200], labels[:200])
    assert temperature == pytest.approx(4, rel=0.3)
    after = with_temperature(p[200:], temperature)
    found = describe_calibration(after, labels[200:], Calibration(temperature, "validation", 200))
    assert found.error_after < found.error_before / 2
    assert found.error_before == pytest.approx(
        expected_calibration_error(p[200:].max(axis=1), p[200:].argmax(axis=1) == labels[200:]),
        abs=1e-9,
    )


def test_photos_that_are_all_right_do_not_make_it_ever_surer() -> None:
    assert fit_temperature(np.tile([[0.9, 0.1]], (50, 1)), np.zeros(50, int)) == LIMITS[0]
    assert fit_temperature(np.tile([[0.9, 0.1]], (50, 1)), np.ones(50, int)) == LIMITS[1]
    with pytest.raises(ArgumentError, match="held-out photos"):
        fit_temperature(np.zeros((0, 2)), np.zeros(0, int))


def test_the_bins_hold_every_photo_and_its_confidence() -> None:
    random = np.random.default_rng(0)
    sure, hits = random.uniform(0, 1, 500), random.uniform(0, 1, 500) < 0.7
    bins = reliability(sure, hits)
    assert sum(each.count for each in bins) == 500
    for each in bins:
        inside = (sure >= each.low) & (sure < each.high)
        assert each.count == inside.sum()
        assert each.accuracy == pytest.approx(hits[inside].mean(), abs=1e-9)
        assert each.confidence == pytest.approx(sure[inside].mean(), abs=1e-9)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_a_folded_temperature_is_in_the_networks_own_answers(activation: str) -> None:
    random = np.random.default_rng(0)
    units = 3 if activation == "softmax" else 1
    kernel = random.normal(size=(5, units)).astype(np.float32)
    head = LinearHead(kernel, np.ones(units, np.float32), activation, 1.0, ())
    features = random.normal(size=(20, 5)).astype(np.float32)
    expected = with_temperature(both_classes(head.probabilities(features)), 2.0)
    cooled = both_classes(head.cooled(2.0).probabilities(features))
    np.testing.assert_allclose(cooled, expected, atol=1e-6)
    network = build_linear(head)
    assert fold_temperature(network, 2.0)
    answered = both_classes(np.asarray(network.predict(features, verbose=0)))
    np.testing.assert_allclose(answered, expected, atol=1e-6)


def test_a_head_that_ends_in_an_activation_layer_takes_a_temperature_and_a_strange_one_does_not():
    import keras

    inputs = keras.Input((4,))
    plain = keras.layers.Softmax()(keras.layers.Dense(3)(inputs))
    assert fold_temperature(keras.Model(inputs, plain), 2.0)
    normed = keras.layers.LayerNormalization()(keras.layers.Dense(3)(inputs))
    assert not fold_temperature(keras.Model(inputs, keras.layers.Softmax()(normed)), 2.0)
    squares = keras.layers.Dense(3, activation="relu")(inputs)
    assert not fold_temperature(keras.Model(inputs, squares), 2.0)
