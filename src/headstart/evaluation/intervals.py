"""How sure a measured share is."""

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""Two-sided 95 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval of a share; both ends in [0, 1]."""

    low: float
    high: float


def wilson(successes: int, total: int) -> Interval:
    """Returns Wilson's 95 % score interval of a binomial share.

    Unlike the textbook interval it stays inside [0, 1] and is honest near 0 and 1.
    Source: E. B. Wilson, Probable inference, JASA 22 (1927).

    Args:
        successes: 0 to `total`.
        total: at least 1.

    Example:
        >>> interval = wilson(985, 1000)
        >>> round(interval.low, 4), round(interval.high, 4)
        (0.9754, 0.9909)
    """
    share = successes / total
    spread = Z_95**2 / total
    centre = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return Interval(max(0.0, centre - half), min(1.0, centre + half))
