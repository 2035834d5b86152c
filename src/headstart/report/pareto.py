"""Accuracy against speed of several backbones, as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from headstart.report.plot import BLUE, GREY, ORANGE, below, heading, rule, sheet

_WIDTH, _HEIGHT = 640, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 620, 56, 318
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
_ROOM = 16
"""Pixels between the baselines of two names, at least."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A backbone in the plot.

    Attributes:
        name: of it.
        photos_per_second: how fast.
        top_1: how accurate.
        low: end of its interval.
        high: end of its interval.
        is_pareto: nothing is both more accurate and faster.
        is_taken: it is recommended.
    """

    name: str
    photos_per_second: float
    top_1: float
    low: float
    high: float
    is_pareto: bool
    is_taken: bool


def draw_pareto(spots: Sequence[Spot]) -> str:
    """Draws accuracy with intervals against photos a second, the best of both joined by a line.

    Args:
        spots: at least one.

    Returns:
        An `<svg>` element that stands alone and is readable on light and dark.

    Example:
        >>> draw_pareto([Spot("VGG16", 20.0, 0.9, 0.88, 0.92, True, True)])[:4]
        '<svg'
    """
    low = min(spot.low for spot in spots)
    step = next(each for each in _STEPS if (1 - low) / each <= 6)
    low = math.floor(low / step) * step
    speeds = [math.log10(spot.photos_per_second) for spot in spots]
    slow, fast = min(speeds) - 0.15, max(speeds) + 0.15

    def x(speed: float) -> float:
        return _LEFT + (math.log10(speed) - slow) / (fast - slow) * (_RIGHT - _LEFT)

    def y(share: float) -> float:
        return _BOTTOM - (share - low) / (1 - low) * (_BOTTOM - _TOP)

    parts = [heading(_LEFT, "Accuracy against speed")]
    for number in range(round((1 - low) / step) + 1):
        share = low + number * step
        parts.append(rule(_LEFT, _RIGHT, y(share), label=f"{share * 100:.0f}%"))
    parts += [below(x(speed), _BOTTOM + 20, f"{speed:g}") for speed in _ticks(slow, fast)]
    parts.append(below((_LEFT + _RIGHT) / 2, _BOTTOM + 44, "photos a second on this machine"))
    best = sorted((s for s in spots if s.is_pareto), key=lambda spot: spot.photos_per_second)
    line = " ".join(f"{x(s.photos_per_second):.1f},{y(s.top_1):.1f}" for s in best)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="1.5"/>')
    for spot in spots:
        colour = ORANGE if spot.is_taken else BLUE if spot.is_pareto else GREY
        at = x(spot.photos_per_second)
        parts.append(
            f'<path d="M{at:.1f} {y(spot.low):.1f}V{y(spot.high):.1f}" stroke="{colour}" '
            f'stroke-width="2" stroke-opacity=".6"/>'
            f'<circle cx="{at:.1f}" cy="{y(spot.top_1):.1f}" r="6" fill="{colour}"/>'
        )
    places = [(x(s.photos_per_second), y(s.top_1), s.name, s.is_taken) for s in spots]
    return sheet(_WIDTH, _HEIGHT, "Accuracy against speed", parts=[*parts, *_names(places)],
                 stands_alone=True)  # fmt: skip


def _ticks(slow: float, fast: float) -> list[float]:
    every = [
        factor * 10.0**power
        for power in range(math.floor(slow), math.ceil(fast) + 1)
        for factor in (1, 2, 5)
    ]
    return [each for each in every if slow <= math.log10(each) <= fast]


def _names(places: Sequence[tuple[float, float, str, bool]]) -> list[str]:
    """Names beside their spots, moved down where they would overlap."""
    parts: list[str] = []
    taken: list[tuple[float, float, float]] = []
    for at, top, name, is_taken in sorted(places, key=lambda place: place[1]):
        ends = at > (_LEFT + _RIGHT) * 0.72
        width = 7.5 * len(name)
        start = at - 12 - width if ends else at + 12
        height = top - 9
        while any(
            abs(height - other) < _ROOM and start < right and left < start + width
            for left, right, other in taken
        ):
            height += 4
        taken.append((start, start + width, height))
        anchor = ' text-anchor="end"' if ends else ""
        weight = ' font-weight="600"' if is_taken else ""
        parts.append(
            f'<text x="{at - 12 if ends else at + 12:.1f}" y="{height:.1f}"{anchor}{weight}>'
            f"{escape(name)}</text>"
        )
    return parts
