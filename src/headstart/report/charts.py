"""Pictures of the report as SVG: a reliability diagram, accuracy against photos."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headstart.evaluation.learning import LearningCurve
from headstart.report.plot import BLUE, GREY, ORANGE, below, heading, rule, sheet


def draw_reliability(title: str, bins: Sequence[Mapping[str, Any]]) -> str:
    """Draws how often the classifier was right against how sure it was.

    Args:
        title: above the plot.
        bins: of `headstart.evaluation.calibration.Bin`, as plain values.
    """
    left, right, top, bottom = 66, 316, 40, 290
    total = max(sum(each["count"] for each in bins), 1)

    def x(share: float) -> float:
        return left + share * (right - left)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    parts = [heading(left, title)]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        label = f"{tick * 100:.0f}%"
        parts += [rule(left, right, y(tick), label=label), below(x(tick), bottom + 20, label)]
    parts.append(
        f'<path d="M{x(0)} {y(0)}L{x(1)} {y(1)}" stroke="{GREY}" stroke-width="2" '
        'stroke-dasharray="6 4"/>'
    )
    for each in bins:
        if not each["count"]:
            continue
        radius = 2.5 + 9 * math.sqrt(each["count"] / total)
        place = (x(each["confidence"]), y(each["accuracy"]))
        said = (
            f"{each['count']} photos: {each['confidence'] * 100:.1f} % sure, "
            f"{each['accuracy'] * 100:.1f} % right"
        )
        parts.append(
            f'<path d="M{place[0]:.1f} {place[1]:.1f}V{y(each["confidence"]):.1f}" '
            f'stroke="{ORANGE}" stroke-opacity=".6" stroke-width="{max(1, radius / 3):.1f}"/>'
            f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="{radius:.1f}" fill="{BLUE}" '
            f'fill-opacity=".8"><title>{said}</title></circle>'
        )
    parts.append(below((left + right) / 2, bottom + 40, "how sure it was"))
    parts.append(
        f'<text transform="translate(14 {(top + bottom) / 2}) rotate(-90)" '
        'text-anchor="middle">how often it was right</text>'
    )
    return sheet(340, 338, title, parts=parts)


def draw_learning(curve: LearningCurve) -> str:
    """Draws accuracy against training photos, measured and expected, on a logarithmic axis."""
    left, right, top, bottom = 52, 424, 62, 268
    ahead = list(curve.forecasts)
    counts = [p.photos for p in curve.points] + [f.photos for f in ahead]
    every: list[Any] = [*curve.points, *ahead, *curve.scratch]
    low = min(each.interval.low for each in every)
    low, high = max(0.0, math.floor(low * 20) / 20), 1.0
    if high - low < 0.1:
        low = 0.9
    first, last = math.log(min(counts)), math.log(max(*counts, min(counts) + 1))

    def x(count: float) -> float:
        return left + (math.log(count) - first) / (last - first) * (right - left)

    def y(share: float) -> float:
        part = (min(max(share, low), high) - low) / (high - low)
        return float(bottom - part * (bottom - top))

    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / s <= 6)
    parts = []
    for number in range(round((high - low) / step) + 1):
        tick = low + number * step
        if tick > high + 1e-9:
            break
        parts.append(rule(left, right, y(tick), label=f"{tick * 100:.0f}%"))
    shown = -math.inf
    for count in counts:
        if x(count) - shown > 42:
            shown = x(count)
            parts.append(below(shown, bottom + 20, f"{count:,}"))
    parts.append(below((left + right) / 2, bottom + 42, "training photos"))
    parts += _band(curve.points, BLUE, x, y, dashed=False)
    if ahead:
        parts += _band([curve.points[-1], *ahead], BLUE, x, y, dashed=True)
    if curve.scratch:
        parts += _band(curve.scratch, ORANGE, x, y, dashed=False)
    parts += _learning_legend(left, has_ahead=bool(ahead), has_scratch=bool(curve.scratch))
    return sheet(448, 318, "accuracy against training photos", parts=parts)


def _band(points: Sequence[Any], colour: str, x: Any, y: Any, *, dashed: bool) -> list[str]:
    upper = " ".join(f"{x(p.photos):.1f},{y(p.interval.high):.1f}" for p in points)
    lower = " ".join(f"{x(p.photos):.1f},{y(p.interval.low):.1f}" for p in reversed(points))
    line = " ".join(f"{x(p.photos):.1f},{y(p.top_1):.1f}" for p in points)
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    opacity = ".10" if dashed else ".20"
    circles = [
        f'<circle cx="{x(p.photos):.1f}" cy="{y(p.top_1):.1f}" r="4" fill="{colour}">'
        f"<title>{p.photos:,} photos: {p.top_1 * 100:.1f} % ({p.interval.low * 100:.1f} to "
        f"{p.interval.high * 100:.1f} %)</title></circle>"
        for p in points
        if not dashed or p is not points[0]
    ]
    return [
        f'<polygon points="{upper} {lower}" fill="{colour}" fill-opacity="{opacity}"/>',
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
        *circles,
    ]


def _learning_legend(left: int, *, has_ahead: bool, has_scratch: bool) -> list[str]:
    entries = [(BLUE, "", "measured, with 95 % interval")]
    if has_ahead:
        entries.append((BLUE, ' stroke-dasharray="6 3"', "expected"))
    if has_scratch:
        entries.append((ORANGE, "", "without pretrained weights"))
    places = ((0, 20), (242, 20), (0, 42))
    return [
        f'<g transform="translate({left + places[at][0]} {places[at][1]})">'
        f'<path d="M0 -4h18" stroke="{colour}" stroke-width="3"{dash}/>'
        f'<text x="24">{name}</text></g>'
        for at, (colour, dash, name) in enumerate(entries)
    ]
