"""The linear head is scikit-learn's optimum on standardised features, as one plain layer."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from headstart.heads.linear import (
    CANDIDATE_CS,
    STATED_C,
    LinearHead,
    both_classes,
    class_weights,
    fit_linear,
)


def problem(classes: int = 3, count: int = 90) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = np.arange(count, dtype=np.int32) % classes
    centres = random.normal(size=(classes, 12)) * 2
    features = centres[labels] + random.normal(size=(count, 12))
    return (features * 7 + 100).astype(np.float32), labels


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_the_pipeline_that_scikit_learn_would_fit(classes: int) -> None:
    features, labels = problem(classes)
    head = fit_linear(features, labels, class_count=classes)
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=head.c, tol=1e-8))
    expected = reference.fit(features.astype(np.float64), labels).predict_proba(features)
    np.testing.assert_allclose(head.probabilities(features), expected, atol=2e-3)


def test_the_regularisation_with_the_lowest_cross_validated_log_loss_is_taken() -> None:
    head = fit_linear(*problem(), class_count=3)
    assert tuple(c for c, _ in head.log_losses) == CANDIDATE_CS
    assert head.c == min(head.log_losses, key=lambda row: row[1])[0]


def test_one_sigmoid_unit_says_the_same_as_two_softmax_units() -> None:
    features, labels = problem(classes=2)
    one = fit_linear(features, labels, class_count=2, activation="sigmoid")
    two = fit_linear(features, labels, class_count=2)
    assert one.kernel.shape == (12, 1)
    np.testing.assert_allclose(
        both_classes(one.probabilities(features)), two.probabilities(features), atol=1e-5
    )


def test_balancing_lifts_the_rare_class() -> None:
    features, labels = problem(classes=2, count=200)
    kept = (labels == 0) | (np.arange(200) % 20 == 1)
    features, labels = features[kept] + np.random.default_rng(1).normal(size=12) * 0, labels[kept]
    noisy = features + np.random.default_rng(2).normal(size=features.shape) * 60
    plain = fit_linear(noisy, labels, class_count=2).probabilities(noisy)[:, 1].mean()
    weights = class_weights(labels, 2)[labels]
    head = fit_linear(noisy, labels, class_count=2, weights=weights)
    even = head.probabilities(noisy)[:, 1].mean()
    assert even > plain + 0.1
    assert class_weights(labels, 2)[1] > 5 * class_weights(labels, 2)[0]


def test_an_example_of_no_weight_teaches_nothing() -> None:
    features, labels = problem(classes=2, count=200)
    wrong = np.random.default_rng(3).random(200) < 0.4
    taught = np.where(wrong, 1 - labels, labels).astype(np.int32)
    head = fit_linear(features, taught, class_count=2, weights=np.where(wrong, 0.0, 1.0))
    assert (head.probabilities(features).argmax(axis=1) == labels).all()


def test_a_feature_that_never_changes_does_no_harm() -> None:
    features, labels = problem()
    features[:, 3] = 5.0
    head = fit_linear(features, labels, class_count=3)
    assert np.isfinite(head.kernel).all()
    assert (head.probabilities(features).argmax(axis=1) == labels).mean() > 0.9


def test_with_one_photo_a_class_the_stated_regularisation_is_used() -> None:
    head = fit_linear(np.eye(3, 5, dtype=np.float32), np.arange(3, dtype=np.int32), class_count=3)
    assert (head.c, head.log_losses) == (STATED_C, ())


def test_past_two_hundred_classes_nothing_is_chosen() -> None:
    labels = np.repeat(np.arange(201, dtype=np.int32), 2)
    features = np.random.default_rng(0).normal(size=(402, 4)).astype(np.float32)
    assert fit_linear(features, labels, class_count=201).log_losses == ()


def test_the_same_seed_gives_the_same_head() -> None:
    first, second = (fit_linear(*problem(), class_count=3, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.kernel, second.kernel)


def test_maps_are_flattened() -> None:
    features, labels = problem()
    head = fit_linear(features.reshape(-1, 2, 2, 3), labels, class_count=3)
    assert isinstance(head, LinearHead)
    assert head.kernel.shape == (12, 3)
