"""Accuracy against speed as one SVG picture: which candidates none beats in both."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from headstart.report.plot import BLUE, GREY, ORANGE, PAPER, below, rule, sheet

_LEFT, _RIGHT, _TOP, _BOTTOM, _WIDTH, _HEIGHT = 56, 820, 54, 390, 960, 450
_LETTER = 6.6
"""Width in pixels of a letter of a name, on average."""


def draw_pareto(rows: Sequence[Mapping[str, Any]], *, stands_alone: bool = False) -> str:
    """Draws candidates: to the right is faster, up is more accurate.

    Args:
        rows: of `headstart.selection.choice.Choice.to_dict`; what was not timed is left out.
        stands_alone: whether it is a file of its own, with ink for light and for dark.

    Returns:
        An `<svg>` element that is readable on light and dark paper.
    """
    shown = [row for row in rows if row["photos_per_second"] and row["top_1"] is not None]
    if not shown:
        return ""
    axes = _Axes(shown)
    front = sorted((r for r in shown if r["pareto"]), key=lambda r: float(r["photos_per_second"]))
    line = " ".join(f"{axes.x(r):.1f},{axes.y(r['top_1']):.1f}" for r in front)
    parts = axes.draw()
    parts.append(
        f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="2" '
        'stroke-dasharray="6 4" stroke-opacity=".7"/>'
    )
    # Names keep off the points as well as off each other.
    taken = [(axes.x(row) - 8, axes.x(row) + 8, axes.y(row["top_1"]) + 4) for row in shown]
    for row in sorted(shown, key=lambda each: -each["top_1"]):
        parts += _point(row, axes, taken)
    parts += _legend()
    label = "accuracy against photos a second"
    return sheet(_WIDTH, _HEIGHT, label, parts=parts, stands_alone=stands_alone)


class _Axes:
    """Photos a second on a logarithmic axis, accuracy on a straight one."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        speeds = [math.log10(row["photos_per_second"]) for row in rows]
        self._slow, self._fast = min(speeds) - 0.15, max(speeds) + 0.15
        lows = [row["top_1_interval"]["low"] for row in rows]
        highs = [row["top_1_interval"]["high"] for row in rows]
        span = max(max(highs) - min(lows), 0.02)
        self._step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if span / s <= 8)
        self._low = max(0.0, math.floor(min(lows) / self._step) * self._step)
        self._high = min(1.0, math.ceil(max(highs) / self._step) * self._step)

    def x(self, row: Mapping[str, Any]) -> float:
        return self._at(math.log10(row["photos_per_second"]))

    def y(self, share: float) -> float:
        part = (share - self._low) / (self._high - self._low)
        return float(_BOTTOM - part * (_BOTTOM - _TOP))

    def draw(self) -> list[str]:
        parts = []
        digits = 1 if self._step < 0.01 else 0
        for number in range(round((self._high - self._low) / self._step) + 1):
            tick = self._low + number * self._step
            label = f"{tick * 100:.{digits}f}%"
            parts.append(rule(_LEFT, _RIGHT, self.y(tick), label=label))
        for power in range(math.floor(self._slow), math.ceil(self._fast) + 1):
            for factor in (1, 2, 5):
                log = power + math.log10(factor)
                if self._slow <= log <= self._fast:
                    label = f"{factor * 10.0**power:g}"
                    parts.append(below(self._at(log), _BOTTOM + 20, label))
        middle = (_LEFT + _RIGHT) / 2
        parts.append(below(middle, _BOTTOM + 44, "photos a second on this machine"))
        return parts

    def _at(self, log: float) -> float:
        return _LEFT + (log - self._slow) / (self._fast - self._slow) * (_RIGHT - _LEFT)


def _point(
    row: Mapping[str, Any], axes: _Axes, taken: list[tuple[float, float, float]]
) -> list[str]:
    x, y = axes.x(row), axes.y(row["top_1"])
    low, high = axes.y(row["top_1_interval"]["low"]), axes.y(row["top_1_interval"]["high"])
    colour = ORANGE if row["recommended"] else BLUE if row["pareto"] else GREY
    said = f"{row['name']}: {row['top_1'] * 100:.1f} %, {row['photos_per_second']:.0f} photos/s"
    # A dropped candidate was seen on fewer photos: its ring is open.
    fill = colour if not row["out"] else "none"
    width = _LETTER * len(row["name"])
    to_left = x + 12 + width > _WIDTH
    text_x = x - 10 if to_left else x + 10
    begin = text_x - width if to_left else text_x
    text_y = y - 8  # the line between the best goes down from here
    while any(begin < e and begin + width > b and abs(text_y - at) < 15 for b, e, at in taken):
        text_y += 5
    taken.append((begin, begin + width, text_y))
    return [
        f'<path d="M{x:.1f} {low:.1f}V{high:.1f}m-4 0h8M{x - 4:.1f} {low:.1f}h8" '
        f'stroke="{colour}" stroke-width="1.5" stroke-opacity=".7" fill="none"/>',
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{fill}" stroke="{colour}" '
        f'stroke-width="2"><title>{escape(said)}</title></circle>',
        f'<text x="{text_x:.1f}" y="{text_y:.1f}" text-anchor="{"end" if to_left else "start"}" '
        f'stroke="{PAPER}" stroke-width="4" stroke-linejoin="round" paint-order="stroke">'
        f"{escape(row['name'])}</text>",
    ]


def _legend() -> list[str]:
    entries = (
        (ORANGE, ORANGE, "recommended"),
        (BLUE, BLUE, "none is better in both"),
        (GREY, "none", "dropped on fewer photos"),
    )
    return [
        f'<circle cx="{_LEFT + 6 + at * 190}" cy="22" r="5.5" fill="{fill}" stroke="{colour}" '
        f'stroke-width="2"/><text x="{_LEFT + 20 + at * 190}" y="26">{text}</text>'
        for at, (colour, fill, text) in enumerate(entries)
    ]
