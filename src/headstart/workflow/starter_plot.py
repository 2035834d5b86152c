"""The starter study as one SVG picture: accuracy against labelled digits, one line a method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from headstart.workflow.starter_study import METHODS, STARTER_FEATURES, StudyRow

_WIDTH, _HEIGHT = 640, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 620, 92, 324
# Okabe and Ito's colours, told apart by colour-blind readers, on white and on dark paper.
_COLOURS = ("#d55e00", "#7f7f7f", "#0090d0")
_STYLE = """
.study{font:13px system-ui,sans-serif;color:#222;background:#fff}
.study text{fill:currentColor}
.study .grid{stroke:currentColor;stroke-opacity:.18}
@media(prefers-color-scheme:dark){.study{color:#e8e8e8;background:#181a1b}}
"""


def study_plot(rows: Sequence[StudyRow]) -> str:
    """Draws the study as an SVG to put into a page; readable on light and dark.

    Args:
        rows: of one or more seeds. With several, a point is their mean and its bar the mean of
            their intervals.

    Returns:
        An `<svg>` element.

    Example:
        >>> study_plot([StudyRow("raw pixels", 5, 0, 0.86, 0.84, 0.88, 0.1)])[:4]
        '<svg'
    """
    sizes = sorted({row.photos_per_class for row in rows})
    floor = math.floor(min(row.low for row in rows) * 20) / 20
    parts = [*_axes(sizes, floor)]
    for number, (method, colour) in enumerate(zip(METHODS, _COLOURS, strict=True)):
        points = _points([row for row in rows if row.method == method], sizes, floor)
        if points:
            parts += _series(
                points, colour, shift=(number - 1) * 7, above=method == STARTER_FEATURES
            )
            parts += _legend(method, colour, number)
    title = "Test accuracy with few labelled digits"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="study" role="img" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'aria-label="{title}"><style>{_STYLE}</style>'
        f'<text x="{_LEFT}" y="26" font-size="16" font-weight="600">{title}</text>'
        f"{''.join(parts)}</svg>"
    )


def _points(
    rows: Sequence[StudyRow], sizes: Sequence[int], floor: float
) -> list[tuple[float, ...]]:
    """(x, y, y of the interval's ends, top-1) of one method, a point a size."""
    points = []
    for size in sizes:
        of_size = [row for row in rows if row.photos_per_class == size]
        if of_size:
            top_1, low, high = np.mean([(r.top_1, r.low, r.high) for r in of_size], axis=0).tolist()
            ys = (_y(value, floor) for value in (top_1, low, high))
            points.append((_x(size, sizes), *ys, top_1))
    return points


def _x(size: int, sizes: Sequence[int]) -> float:
    """Equal factors are equal distances: 5 to 10 is as far as 10 to 20."""
    if len(sizes) == 1:
        return (_LEFT + _RIGHT) / 2
    part = math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])
    return _LEFT + 70 + part * (_RIGHT - _LEFT - 150)


def _y(value: float, floor: float) -> float:
    return _BOTTOM - (value - floor) / (1 - floor) * (_BOTTOM - _TOP)


def _axes(sizes: Sequence[int], floor: float) -> list[str]:
    step = 0.05 if floor >= 0.6 else 0.1
    count = round((1 - floor) / step)
    parts = []
    for value in (1 - step * number for number in range(count + 1)):
        y = _y(value, floor)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.0%}</text>')
    for size in sizes:
        x = _x(size, sizes)
        parts.append(f'<text x="{x:.1f}" y="{_BOTTOM + 22}" text-anchor="middle">{size}</text>')
    middle = (_LEFT + _RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{_HEIGHT - 12}" text-anchor="middle">labelled digits a class '
        "(bars: 95 % interval over the test digits)</text>"
    )
    return parts


def _series(
    points: Sequence[tuple[float, ...]],
    colour: str,
    *,
    shift: float,
    above: bool,
) -> list[str]:
    line = " ".join(f"{x + shift:.1f},{y:.1f}" for x, y, *_ in points)
    parts = [f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for x, y, low, high, top_1 in points:
        at = x + shift
        parts.append(
            f'<path d="M{at:.1f} {low:.1f}V{high:.1f}m-4 0h8M{at - 4:.1f} {low:.1f}h8" '
            f'stroke="{colour}" stroke-width="2" fill="none"/>'
            f'<circle cx="{at:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
            f'<text x="{at:.1f}" y="{high - 7 if above else low + 16:.1f}" font-size="12" '
            f'text-anchor="middle">{top_1 * 100:.1f}</text>'
        )
    return parts


def _legend(method: str, colour: str, number: int) -> list[str]:
    x = _LEFT + (0, 215, 330)[number]
    return [
        f'<circle cx="{x + 5}" cy="48" r="5" fill="{colour}"/>'
        f'<text x="{x + 16}" y="52">{escape(method)}</text>'
    ]
