"""Whether probabilities mean what they say, and the one number that mends them."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import ArgumentError

BINS = 15
MIN_PHOTOS = 30
"""With fewer held-out photos a temperature says more of chance than of the classifier."""

LIMITS = (0.25, 8.0)
"""Where every held-out photo is named right, the likeliest temperature is 0: being ever surer.
That is more than some hundred photos can prove, so it stops here."""

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Bin:
    """Photos whose likeliest class got a probability between `low` and `high`.

    Attributes:
        low: of the probability.
        high: of the probability.
        count: photos.
        confidence: their mean probability; 0 without any.
        accuracy: share of them that was named right; 0 without any.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a temperature did to the probabilities of the test photos.

    Attributes:
        temperature: by which logits were divided.
        fitted_on: "validation", "out-of-fold", "validation and out-of-fold" or "nothing".
        photos: how many it was fitted on.
        error_before: expected calibration error at temperature 1; None without test photos.
        error_after: the same at the temperature.
        bins_before: the reliability diagram at temperature 1.
        bins_after: the same at the temperature.
    """

    temperature: float
    fitted_on: str
    photos: int
    error_before: float | None = None
    error_after: float | None = None
    bins_before: tuple[Bin, ...] = ()
    bins_after: tuple[Bin, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as the manifest has them."""
        return asdict(self)


def fit_temperature(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> float:
    """Finds the temperature that makes held-out labels likeliest.

    Dividing all logits by one number changes no answer, only how sure it is. The log loss is convex
    in 1 / temperature, so its optimum is where its slope changes sign.
    Source: Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017.

    Args:
        probabilities: (N, K) of photos that the classifier did not learn from.
        labels: (N,), positions in the columns.

    Returns:
        The temperature, within `LIMITS`; above 1 where the classifier was too sure of itself.

    Raises:
        ArgumentError: without photos.

    Example:
        >>> p = np.tile([[0.99, 0.01]], (100, 1))  # sure, but right in 80 of 100 only
        >>> labels = np.repeat([0, 1], [80, 20])
        >>> round(fit_temperature(p, labels), 3)
        3.315
    """
    if not len(labels):
        raise ArgumentError("probabilities: none to fit a temperature on. Give held-out photos.")
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), _TINY))
    true = logits[np.arange(len(labels)), labels]
    low, high = 1 / LIMITS[1], 1 / LIMITS[0]
    if _slope(low, logits, true) >= 0:
        return LIMITS[1]
    if _slope(high, logits, true) <= 0:
        return LIMITS[0]
    from scipy.optimize import brentq

    return float(1 / brentq(_slope, low, high, args=(logits, true), xtol=1e-14, rtol=1e-14))


def _slope(inverse: float, logits: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """The derivative of the mean log loss by 1 / temperature."""
    scaled = logits * inverse
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    expected = (powers * logits).sum(axis=1) / powers.sum(axis=1)
    return float((expected - true).mean())


def with_temperature(
    probabilities: NDArray[np.floating[Any]], temperature: float
) -> NDArray[np.float64]:
    """Returns probabilities (N, K) as they are after dividing all logits by a temperature.

    Example:
        >>> with_temperature(np.array([[0.9, 0.1]]), 2.0).round(2).tolist()
        [[0.75, 0.25]]
    """
    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), _TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def reliability(confidences: NDArray[np.float64], hits: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Groups photos by how sure the classifier was, into 15 bins of equal width.

    Args:
        confidences: (N,), the likeliest class' probability, in [0, 1].
        hits: (N,), whether that class was the true one.

    Example:
        >>> reliability(np.array([0.9, 0.92]), np.array([True, False]))[13].accuracy
        0.5
    """
    numbers = np.minimum((confidences * BINS).astype(int), BINS - 1)
    counts = np.bincount(numbers, minlength=BINS)
    sure = np.bincount(numbers, weights=confidences, minlength=BINS) / np.maximum(counts, 1)
    right = np.bincount(numbers, weights=hits, minlength=BINS) / np.maximum(counts, 1)
    return tuple(
        Bin(n / BINS, (n + 1) / BINS, int(counts[n]), float(sure[n]), float(right[n]))
        for n in range(BINS)
    )


def expected_calibration_error(confidences: NDArray[np.float64], hits: NDArray[np.bool_]) -> float:
    """Returns the mean gap between confidence and accuracy, weighted by photos a bin.

    Source: Naeini, Cooper and Hauskrecht, AAAI 2015; 15 bins of equal width.

    Args:
        confidences: (N,), the likeliest class' probability, in [0, 1].
        hits: (N,), whether that class was the true one.
    """
    bins = reliability(confidences, hits)
    gaps = sum(each.count * abs(each.confidence - each.accuracy) for each in bins)
    return float(gaps / len(confidences))


def describe_calibration(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    fitted: Calibration,
) -> Calibration:
    """Adds what a temperature did to the test photos.

    Args:
        probabilities: (N, K) of the test photos, the temperature already in them.
        labels: (N,).
        fitted: the temperature, and what it was fitted on.
    """
    after = np.asarray(probabilities, np.float64)
    before = with_temperature(after, 1 / fitted.temperature)
    hits = after.argmax(axis=1) == labels
    sure_before, sure_after = before.max(axis=1), after.max(axis=1)
    return Calibration(
        fitted.temperature,
        fitted.fitted_on,
        fitted.photos,
        error_before=expected_calibration_error(sure_before, hits),
        error_after=expected_calibration_error(sure_after, hits),
        bins_before=reliability(sure_before, hits),
        bins_after=reliability(sure_after, hits),
    )
