"""Transferability scores against what their definitions say, computed the long way."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf

from headstart.selection.transferability import h_score, log_me

SHAPES = [(40, 6), (30, 60), (25, 25)]


def problem(count: int, width: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng([count, width])
    labels = np.arange(count) % classes
    mixed = random.normal(size=(count, width)) @ random.normal(size=(width, width))
    return mixed + 2.0 * labels[:, None] * random.normal(size=width), labels


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_logme_is_the_highest_evidence_that_a_search_over_both_precisions_finds(
    count: int, width: int
) -> None:
    features, labels = problem(count, width)
    product = features @ features.T
    found = []
    for name in np.unique(labels):
        y = (labels == name).astype(float)

        def loss(logs: np.ndarray, y: np.ndarray = y) -> float:
            covariance = product * np.exp(-logs[0]) + np.eye(count) * np.exp(-logs[1])
            return -float(multivariate_normal.logpdf(y, cov=covariance, allow_singular=True))

        starts = [(a, b) for a in (0.0, 4.0, 8.0) for b in (0.0, 4.0)]
        runs = [minimize(loss, start, method="Nelder-Mead", tol=1e-9) for start in starts]
        found.append(-min(run.fun for run in runs) / count)
    assert log_me(features, labels) == pytest.approx(np.mean(found), abs=1e-4)


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_h_score_is_the_trace_of_its_definition(count: int, width: int) -> None:
    features, labels = problem(count, width)
    covariance, shrinkage = ledoit_wolf(features)
    means = np.stack([features[labels == name].mean(axis=0) for name in labels])
    between = np.cov(means.T, bias=True)
    expected = np.trace(np.linalg.inv(covariance) @ ((1 - shrinkage) * between))
    assert h_score(features, labels) == pytest.approx(expected, rel=1e-6)


def test_scores_do_not_break_on_features_that_never_change() -> None:
    labels = np.arange(20) % 2
    flat = np.ones((20, 4), np.float32)
    dead = np.concatenate([flat, np.float32(labels)[:, None]], axis=1)
    assert h_score(flat, labels) == 0.0
    assert np.isfinite([log_me(flat, labels), log_me(dead, labels), h_score(dead, labels)]).all()
    assert log_me(dead, labels) > log_me(flat, labels)


def test_a_scale_of_all_features_changes_nothing() -> None:
    features, labels = problem(40, 6)
    assert log_me(features * 1e6, labels) == pytest.approx(log_me(features, labels), abs=1e-9)
    assert h_score(features * 1e6, labels) == pytest.approx(h_score(features, labels), abs=1e-9)
