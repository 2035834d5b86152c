"""Would more photos help? Accuracy against the number of labelled photos, and where it leads."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import Z_95, Interval

BOOTSTRAP = 200
MIN_POINTS = 4
SMALL_GAIN = 0.3
"""Points that twice as many photos must bring to be worth saying yes."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Accuracy with so many training photos.

    Attributes:
        photos: training photos in all.
        top_1: mean over the draws, in [0, 1].
        interval: 95 %: of the chance in the test photos and in which photos were drawn.
        draws: how often so many photos were drawn and learnt from.
    """

    photos: int
    top_1: float
    interval: Interval
    draws: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where the fitted curve leads; a guess that trusts the past.

    Attributes:
        photos: training photos in all.
        top_1: expected.
        interval: 95 % of the fits of drawn-again points.
    """

    photos: int
    top_1: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """What more photos were worth, and may be worth.

    Attributes:
        points: with fewer photos than there are, up to all of them.
        forecasts: with more; empty where too few points could be measured.
        scratch: the same network without pretrained weights, where it was asked for.
        tested_on: "test" or "validation".
        test_photos: how many.
    """

    points: tuple[CurvePoint, ...]
    forecasts: tuple[Forecast, ...]
    scratch: tuple[CurvePoint, ...]
    tested_on: str
    test_photos: int

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self)

    def __str__(self) -> str:
        if not self.forecasts:
            return "Too few photos to say what more of them would bring."
        last, then = self.points[-1], self.forecasts[0]
        gain = (then.top_1 - last.top_1) * 100
        low, high = then.interval.low * 100, then.interval.high * 100
        expected = f"{then.top_1 * 100:.1f} % ({low:.1f} to {high:.1f} %)"
        if gain < SMALL_GAIN:
            return (
                f"Hardly: with {then.photos} photos instead of {last.photos} expect {expected}, "
                f"{last.top_1 * 100:.1f} % now."
            )
        return (
            f"Yes: with {then.photos} photos instead of {last.photos} expect {expected}, "
            f"{gain:.1f} points more than now."
        )


def curve_sizes(count: int, class_count: int) -> tuple[int, ...]:
    """Returns numbers of training photos, each about twice the one before, up to all.

    Example:
        >>> curve_sizes(1684, 2)
        (13, 26, 52, 105, 210, 421, 842, 1684)
    """
    sizes = [count]
    while sizes[-1] // 2 >= max(5 * class_count, 10) and len(sizes) < 8:
        sizes.append(sizes[-1] // 2)
    return tuple(reversed(sizes))


def curve_point(photos: int, shares: Sequence[float], test_photos: int) -> CurvePoint:
    """Sums up draws of one size: (R,) shares that were right of `test_photos`.

    Example:
        >>> curve_point(100, [0.9, 0.92], 1000).top_1
        0.91
    """
    mean = float(np.mean(shares))
    # Wilson's centre would do for one draw; the draws' own spread comes on top.
    chance = mean * (1 - mean) / test_photos + (0.5 / test_photos) ** 2
    spread = float(np.var(shares, ddof=1)) / len(shares) if len(shares) > 1 else 0.0
    half = Z_95 * float(np.sqrt(chance + spread))
    interval = Interval(max(0.0, mean - half), min(1.0, mean + half))
    return CurvePoint(photos, mean, interval, len(shares))


def extrapolate(
    points: Sequence[CurvePoint], sizes: Sequence[int], *, seed: int = 0
) -> tuple[Forecast, ...]:
    """Fits error = floor + scale * photos ** -power and follows it.

    Source of the form: Hestness et al., Deep Learning Scaling is Predictable, Empirically, 2017.

    Args:
        points: measured, at least `MIN_POINTS` of them.
        sizes: numbers of photos to look ahead to.
        seed: of the bootstrap, which moves the points within their intervals.

    Returns:
        One for each size; none where there are too few points.

    Example:
        >>> seen = [curve_point(n, [1 - 0.05 - n**-0.5], 10**6) for n in (10, 40, 160, 640)]
        >>> round(extrapolate(seen, [2560])[0].top_1, 3)
        0.93
    """
    if len(points) < MIN_POINTS:
        return ()
    photos = np.array([point.photos for point in points], float)
    errors = 1 - np.array([point.top_1 for point in points])
    deviations = np.array(
        [max((p.interval.high - p.interval.low) / 2 / Z_95, 1e-4) for p in points]
    )
    best = _follow(_fit(photos, errors, deviations), sizes)
    random = np.random.default_rng(seed)
    moved = errors + random.normal(size=(BOOTSTRAP, len(errors))) * deviations
    drawn = np.array(
        [_follow(_fit(photos, np.clip(row, 0, 1), deviations), sizes) for row in moved]
    )
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return tuple(
        Forecast(
            int(size),
            float(1 - best[at]),
            # The best fit need not lie between the quantiles of the others; its own does.
            Interval(float(1 - max(high[at], best[at])), float(1 - min(low[at], best[at]))),
        )
        for at, size in enumerate(sizes)
    )


_POWERS = np.concatenate([np.arange(0.1, 1.0, 0.1), [1.0, 1.25, 1.5, 2.0]])


def _fit(
    photos: NDArray[np.float64], errors: NDArray[np.float64], deviations: NDArray[np.float64]
) -> tuple[float, float, float]:
    """For each power a linear fit with floor and scale at least 0; the best one counts."""
    best, found = np.inf, (float(errors[-1]), 0.0, 1.0)
    weights = 1 / deviations
    for power in _POWERS:
        falling = photos**-power
        for columns in ((np.ones_like(falling), falling), (falling,), (np.ones_like(falling),)):
            matrix = np.stack(columns, axis=1) * weights[:, None]
            answer = np.linalg.lstsq(matrix, errors * weights, rcond=None)[0]
            if (answer < 0).any():
                continue
            loss = float(((matrix @ answer - errors * weights) ** 2).sum())
            if loss < best - 1e-12:
                floor = 0.0 if columns[0] is falling else float(answer[0])
                scale = float(answer[-1]) if columns[-1] is falling else 0.0
                best, found = loss, (floor, scale, float(power))
    return found


def _follow(fit: tuple[float, float, float], sizes: Sequence[int]) -> NDArray[np.float64]:
    floor, scale, power = fit
    return floor + scale * np.asarray(sizes, float) ** -power
