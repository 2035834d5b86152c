"""How well features suit labels, without fitting a classifier: LogME and the H-score."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ROUNDS = 50
_SMALLEST = 1e-12


def log_me(features: NDArray[np.floating[Any]], labels: NDArray[np.int32]) -> float:
    """Returns LogME: the mean log evidence of a Bayesian linear regression on each class.

    Each class is a target of zeros and ones with Gaussian noise; the precisions of weights and of
    noise are those that make the labels likeliest, found by MacKay's fixed point. The higher the
    better, among networks on the same photos.
    Source: You et al. (2021), https://arxiv.org/abs/2102.11005.

    Args:
        features: (N, D).
        labels: (N,), classes.

    Returns:
        Evidence a photo, in nats, mean over the classes.

    Example:
        >>> labels = np.repeat([0, 1], 20).astype(np.int32)
        >>> near = np.random.default_rng(0).normal(labels[:, None] * 4, 1, (40, 3))
        >>> log_me(near, labels) > log_me(near[::-1] * 0 + np.arange(40)[:, None] % 7, labels)
        True
    """
    rows = np.asarray(features, np.float64).reshape(len(features), -1)
    left, singular, _ = np.linalg.svd(rows, full_matrices=False)
    spectrum = np.square(singular)
    targets = [np.asarray(labels == name, np.float64) for name in np.unique(labels)]
    return float(np.mean([_evidence(left, spectrum, rows.shape[1], target) for target in targets]))


def _evidence(left: Array, spectrum: Array, width: int, target: Array) -> float:
    count = len(target)
    along = np.square(left.T @ target)
    outside = max(float(target @ target - along.sum()), 0.0)  # what no weights can explain
    ratio = 1.0  # precision of the weights over precision of the noise
    for _ in range(_ROUNDS):
        known = float((spectrum / (spectrum + ratio)).sum())
        weights = float((spectrum * along / np.square(spectrum + ratio)).sum())
        rest = outside + float((along * np.square(ratio / (spectrum + ratio))).sum())
        alpha = max(known, _SMALLEST) / max(weights, _SMALLEST)
        beta = max(count - known, _SMALLEST) / max(rest, _SMALLEST)
        before, ratio = ratio, alpha / beta
        if abs(ratio - before) <= 1e-9 * before:
            break
    log_determinant = np.log(alpha + beta * spectrum).sum() + (width - len(spectrum)) * np.log(
        alpha
    )
    evidence = (
        width * np.log(alpha)
        + count * np.log(beta)
        - log_determinant
        - beta * rest
        - alpha * weights
        - count * np.log(2 * np.pi)
    ) / 2
    return float(evidence / count)


def h_score(features: NDArray[np.floating[Any]], labels: NDArray[np.int32]) -> float:
    """Returns the H-score: how much of the features' variance lies between the classes.

    The trace of the inverse covariance times the covariance of the class means. With fewer photos
    than features a covariance has no inverse, so it is shrunk towards a multiple of the identity as
    Ledoit and Wolf (2004) do. The higher the better; at most the number of classes less one.
    Source: Bao et al. (2019); with shrinkage Ibrahim et al. (2021), https://arxiv.org/abs/2110.06893.

    Args:
        features: (N, D).
        labels: (N,), classes.

    Example:
        >>> labels = np.repeat([0, 1], 20).astype(np.int32)
        >>> near = np.random.default_rng(0).normal(labels[:, None] * 4, 1, (40, 3))
        >>> 0.8 < h_score(near, labels) < 1
        True
    """
    rows = np.asarray(features, np.float64).reshape(len(features), -1)
    rows = rows - rows.mean(axis=0)
    between = np.zeros((rows.shape[1], rows.shape[1]))
    for name in np.unique(labels):
        own = rows[labels == name]
        mean = own.mean(axis=0)
        between += len(own) / len(rows) * np.outer(mean, mean)
    return float(np.trace(np.linalg.solve(shrunk_covariance(rows), between)))


def shrunk_covariance(rows: Array) -> Array:
    """Returns the Ledoit-Wolf estimate of a covariance, (D, D).

    Args:
        rows: float64 (N, D), centred.
    """
    count, width = rows.shape
    covariance = rows.T @ rows / count
    level = float(np.trace(covariance)) / width
    squares = float(np.square(covariance).sum())
    distance = squares - width * level**2
    noise = (float(np.square(np.square(rows).sum(axis=1)).sum()) / count - squares) / count
    share = min(max(noise / distance, 0.0), 1.0) if distance > _SMALLEST else 1.0
    shrunk: Array = (1 - share) * covariance
    shrunk[np.diag_indices(width)] += max(share * level, _SMALLEST)
    return shrunk
