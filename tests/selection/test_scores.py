"""LogME and H-score against computations that share nothing with ours."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import ledoit_wolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from headstart.selection.scores import h_score, log_me, shrunk_covariance


def clouds(count: int, width: int, *, apart: float, classes: int = 3):
    random = np.random.default_rng([count, width])
    labels = np.arange(count, dtype=np.int32) % classes
    centres = random.normal(size=(classes, width)) * apart
    return random.normal(size=(count, width)) + centres[labels], labels


@pytest.mark.parametrize(("count", "width"), [(60, 4), (20, 35)])
def test_log_me_is_the_largest_marginal_likelihood(count: int, width: int) -> None:
    """By brute force: the density of the labels under N(0, F F' / alpha + I / beta)."""
    features, labels = clouds(count, width, apart=0.4)

    def worst(logs: np.ndarray, target: np.ndarray) -> float:
        alpha, beta = np.exp(logs)
        covariance = features @ features.T / alpha + np.eye(count) / beta
        return -multivariate_normal(cov=covariance).logpdf(target)

    best = [
        -minimize(worst, [0.0, 0.0], args=(labels == name,), method="Nelder-Mead",
                  options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 2000}).fun
        for name in range(3)
    ]  # fmt: skip
    assert log_me(features, labels) == pytest.approx(np.mean(best) / count, abs=1e-5)


@pytest.mark.parametrize(("count", "width"), [(60, 4), (20, 35)])
def test_the_covariance_is_shrunk_as_scikit_learn_does(count: int, width: int) -> None:
    features, _ = clouds(count, width, apart=1.0)
    centred = features - features.mean(axis=0)
    assert shrunk_covariance(centred) == pytest.approx(ledoit_wolf(features)[0], abs=1e-10)


def test_h_score_is_the_share_of_variance_between_classes() -> None:
    """Of many photos, the sum of eigenvalue ratios that discriminant analysis finds."""
    features, labels = clouds(30_000, 3, apart=1.0)
    spread = LinearDiscriminantAnalysis(n_components=2).fit(features, labels)
    projected = spread.transform(features)
    means = np.array([projected[labels == name].mean(axis=0) for name in range(3)])
    expected = (means[labels].var(axis=0) / projected.var(axis=0)).sum()
    assert h_score(features, labels) == pytest.approx(expected, rel=1e-3)


def test_both_prefer_classes_that_lie_apart() -> None:
    for score in (log_me, h_score):
        near, far = (score(*clouds(120, 8, apart=apart)) for apart in (0.1, 2.0))
        assert far > near
