"""Scores that guess from features alone how well a head on them will do, without fitting one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_GRID = 120
_REFINEMENTS = 40
_GOLDEN = (np.sqrt(5) - 1) / 2
_TINY = 1e-300


def log_me(features: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Returns LogME: the logarithm of the evidence of Bayesian linear regression, a photo.

    Each class is a target y of zeros and ones; y = F w + noise with w ~ N(0, I / a) and noise
    ~ N(0, I / b). The evidence is maximised over a and b, then averaged over the classes. With
    F = U S V', z = U' y and t = a / b it has one free number: with a at its best,
    log p(y) = -(N log(2 pi v) + sum log(t + s^2) + N) / 2, v = mean of z^2 / (t + s^2). That is
    maximised on a grid of log t and refined, which stays stable whatever is larger, N or D.

    Source: You, Liu, Wang and Long, LogME, ICML 2021, arXiv:2102.11005, which iterates instead.

    Args:
        features: (N, D).
        labels: (N,); every class present counts alike.

    Returns:
        Higher is better; comparable among networks on the same photos.

    Example:
        >>> random = np.random.default_rng(0)
        >>> labels = np.arange(60) % 2
        >>> noise = random.normal(size=(60, 5))
        >>> log_me(noise + 3 * labels[:, None], labels) > log_me(noise, labels)
        True
    """
    f = np.asarray(features, np.float64).reshape(len(features), -1)
    targets = (labels[:, None] == np.unique(labels)).astype(np.float64)
    u, s, _ = np.linalg.svd(f, full_matrices=False)
    squares = np.square(s)
    inside = np.square(u.T @ targets)
    # What no feature can explain lies in the directions beyond the singular vectors.
    outside = np.maximum(np.square(targets).sum(axis=0) - inside.sum(axis=0), 0.0)
    scale = max(float(squares.max(initial=0.0)), _TINY)
    return float(
        np.mean(
            [
                _evidence(squares / scale, inside[:, at], float(outside[at]), len(f))
                for at in range(targets.shape[1])
            ]
        )
    )


def _evidence(
    squares: NDArray[np.float64], inside: NDArray[np.float64], outside: float, count: int
) -> float:
    """Maximises the log evidence of one target over t; per photo."""
    beyond = count - len(squares)

    def value(log_t: float) -> float:
        t = np.exp(log_t)
        variances = t + squares
        v = (float((inside / variances).sum()) + (outside / t if beyond else 0.0)) / count
        logs = float(np.log(variances).sum()) + beyond * log_t
        return -0.5 * float(np.log(2 * np.pi * max(v, _TINY)) + logs / count + 1.0)

    grid = np.linspace(np.log(1e-14), np.log(1e8), _GRID)
    best = int(np.argmax([value(each) for each in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
    for _ in range(_REFINEMENTS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if value(left) > value(right) else (left, high)
    return value((low + high) / 2)


def h_score(features: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Returns the H-score with shrinkage: how much of the features' spread lies between classes.

    trace(C^-1 (1 - r) B) with B the covariance of the class means and C = (1 - r) S + r m I, S the
    covariance of the features, m the mean of its diagonal, r the shrinkage of Ledoit and Wolf
    (2004). Without it C has no inverse where there are fewer photos than features.

    Source: Bao et al., ICIP 2019; with shrinkage: Ibrahim, Ponomareva and Mazumder, Newer is not
    always better, 2021, arXiv:2110.06893.

    Args:
        features: (N, D).
        labels: (N,).

    Returns:
        Between 0 and the number of classes minus 1; higher is better.

    Example:
        >>> random = np.random.default_rng(0)
        >>> labels = np.arange(60) % 2
        >>> noise = random.normal(size=(60, 5))
        >>> h_score(noise + 3 * labels[:, None], labels) > h_score(noise, labels)
        True
    """
    f = np.asarray(features, np.float64).reshape(len(features), -1)
    count, width = f.shape
    centred = f - f.mean(axis=0)
    _, s, vt = np.linalg.svd(centred, full_matrices=False)
    variances = np.square(s) / count
    mean = float(variances.sum()) / width
    if mean <= 0:
        return 0.0
    shrinkage = _ledoit_wolf(centred, variances, mean)
    weights = (1 - shrinkage) / ((1 - shrinkage) * variances + shrinkage * mean + _TINY)
    # Directions without any spread hold no class mean either; rounding must not say otherwise.
    weights[variances < 1e-12 * variances.max()] *= shrinkage > 0
    total = 0.0
    for name in np.unique(labels):
        own = labels == name
        total += float(own.mean() * (np.square(vt @ centred[own].mean(axis=0)) * weights).sum())
    return total


def _ledoit_wolf(
    centred: NDArray[np.float64], variances: NDArray[np.float64], mean: float
) -> float:
    """Shrinkage towards the mean variance, in [0, 1]; the formula of scikit-learn."""
    count, width = centred.shape
    squared = float(np.square(variances).sum())
    fourth = float(np.square(np.square(centred).sum(axis=1)).sum())
    spread = (squared - width * mean**2) / width
    noise = min((fourth / count - squared) / (width * count), spread)
    return 0.0 if noise <= 0 else noise / spread
