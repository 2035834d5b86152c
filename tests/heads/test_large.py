"""Heads for features larger than memory: exact, whatever the shards and their order."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from headstart.errors import PhotosError
from headstart.heads.closed_form import Statistics, discriminant, ridge, statistics_of
from headstart.heads.streaming import Moments, fit_in_parts, fit_softmax
from headstart.heads.totals import total_of

CLASSES = 3


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    labels = np.concatenate([np.arange(CLASSES), random.integers(0, CLASSES, 597)])
    centres = random.normal(0, 1, (CLASSES, 24))
    # Offset and spread as of pooled activations, which are far from standardised.
    features = (random.normal(centres[labels], 1.5) * random.uniform(0.1, 3, 24) + 4).astype("f4")
    return features, labels


def cut(rows, count, seed):
    features, labels = rows
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    places = np.sort(random.choice(np.arange(1, len(labels)), count - 1, replace=False))
    return [(features[part], labels[part]) for part in np.split(order, places)]


@pytest.mark.parametrize("solve", [ridge, discriminant])
def test_closed_form_does_not_depend_on_shards_or_order(rows, solve):
    whole = solve(Statistics.of(*rows, class_count=CLASSES))
    for count, seed in ((2, 1), (7, 2), (60, 3)):
        shards = cut(rows, count, seed)
        found = solve(statistics_of(total_of(lambda s=shards: s), class_count=CLASSES))
        assert np.abs(found.kernel - whole.kernel).max() < 1e-8
        assert np.abs(found.bias - whole.bias).max() < 1e-8


def test_ridge_is_that_of_scikit_learn(rows):
    features, labels = rows
    expected = Ridge(alpha=2.5).fit(features.astype(float), np.eye(CLASSES)[labels])
    found = ridge(Statistics.of(*rows, class_count=CLASSES), 2.5)
    assert np.allclose(found.kernel, expected.coef_.T, atol=1e-8)
    assert np.allclose(found.bias, expected.intercept_, atol=1e-8)


@pytest.mark.parametrize("shrinkage", [0.0, 0.1])
def test_the_discriminant_is_that_of_scikit_learn(rows, shrinkage):
    features, labels = rows
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage or None)
    expected = model.fit(features.astype(float), labels)
    found = discriminant(Statistics.of(*rows, class_count=CLASSES), shrinkage)
    assert np.allclose(found.kernel, expected.coef_.T, atol=1e-8)
    assert np.allclose(found.bias, expected.intercept_, atol=1e-8)
    probabilities = found.as_head().probabilities(features)
    assert np.allclose(probabilities, expected.predict_proba(features), atol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_streamed_softmax_regression_is_that_of_scikit_learn(rows, classes):
    features, labels = rows[0], np.minimum(rows[1], classes - 1)
    standard = StandardScaler().fit_transform(features.astype(float))
    expected = LogisticRegression(C=0.1, tol=1e-8, max_iter=1000).fit(standard, labels)
    shards = cut((features, labels), 9, seed=4)
    found = fit_softmax(total_of(lambda: shards), class_count=classes, c=0.1)
    assert np.allclose(found.probabilities(features), expected.predict_proba(standard), atol=1e-4)


def test_features_in_a_file_are_read_in_parts(rows, monkeypatch):
    monkeypatch.setattr("headstart.heads.streaming.PART_ROWS", 100)
    features, labels = rows[0], np.minimum(rows[1], 1)
    one, two = (
        fit_in_parts(features, labels, class_count=2, activation=activation)
        for activation in ("sigmoid", "softmax")
    )
    assert np.allclose(one.probabilities(features)[:, 0], two.probabilities(features)[:, 1])
    assert one.kernel.shape == (24, 1)


def test_a_feature_that_never_changes_is_left_alone():
    _, deviation = Moments.of(np.full((5, 2), 7.0), np.zeros(5, int)).scale()
    assert deviation.tolist() == [1.0, 1.0]


def test_a_class_without_photos_is_an_error(rows):
    with pytest.raises(PhotosError, match="class 3 of 4 has no photo in the shards"):
        statistics_of(total_of(lambda: [rows]), class_count=4)
