"""The picture of a learning rate range test: loss against rate, as SVG."""

from __future__ import annotations

import math

from headstart.report.plot import BLUE, ORANGE, below, heading, rule, sheet
from headstart.training.range_test import RangeTest

_WIDTH, _HEIGHT = 560, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 540, 72, 282
_HEADROOM = 2.5
"""The loss is shown up to so many times its first value: what comes after only says: too high."""


def draw_range_test(found: RangeTest) -> str:
    """Draws the smoothed loss over the learning rate, with the suggestion marked.

    Args:
        found: by `headstart.training.range_test.range_test`.

    Returns:
        An `<svg>` element that stands alone and is readable on light and dark.

    Example:
        >>> found = RangeTest((1e-3, 1e-2, 1e-1), (1.0, 0.5, 9.0), 1e-2, 1e-3, True)
        >>> draw_range_test(found)[:4]
        '<svg'
    """
    top = _HEADROOM * max(found.losses[0], min(found.losses)) or 1.0
    low, high = math.log10(found.rates[0]), math.log10(found.rates[-1])
    low, high = math.floor(low), max(math.ceil(high), math.floor(low) + 1)

    def x(rate: float) -> float:
        return _LEFT + (math.log10(rate) - low) / (high - low) * (_RIGHT - _LEFT)

    def y(loss: float) -> float:
        return _BOTTOM - min(loss / top, 1.0) * (_BOTTOM - _TOP)

    shown = []
    for rate, loss in zip(found.rates, found.losses, strict=True):
        shown.append((x(rate), y(loss)))
        if loss > top:
            break
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in shown)
    parts = [*_grid(top, low, high), *_suggestion(x(max(found.suggestion, 10.0**low)), found)]
    parts.append(f'<polyline points="{points}" fill="none" stroke="{BLUE}" stroke-width="2.5"/>')
    title = "Learning rate range test"
    said = f'<text x="{_LEFT}" y="42">suggestion: {found.suggestion:.1e}</text>'
    parts = [heading(_LEFT, title), said, *parts]
    return sheet(_WIDTH, _HEIGHT, title, parts=parts, stands_alone=True)


def _grid(top: float, low: int, high: int) -> list[str]:
    parts = []
    for number in range(5):
        loss = top * number / 4
        at = _BOTTOM - number / 4 * (_BOTTOM - _TOP)
        parts.append(rule(_LEFT, _RIGHT, at, label=f"{loss:.3g}"))
    for power in range(low, high + 1):
        at = _LEFT + (power - low) / (high - low) * (_RIGHT - _LEFT)
        parts.append(
            f'<path d="M{at:.1f} {_TOP}V{_BOTTOM}" stroke="currentColor" stroke-opacity=".1"/>'
            f"{below(at, _BOTTOM + 20, f'{10.0**power:g}')}"
        )
    parts.append(below((_LEFT + _RIGHT) / 2, _HEIGHT - 10, "learning rate"))
    parts.append(below(_LEFT, _TOP - 10, "loss"))
    return parts


def _suggestion(at: float, found: RangeTest) -> list[str]:
    side, anchor = (8, "start") if at < (_LEFT + _RIGHT) / 2 else (-8, "end")
    return [
        f'<line x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{_BOTTOM}" stroke="{ORANGE}" '
        'stroke-width="2" stroke-dasharray="6 4"/>',
        f'<text x="{at + side:.1f}" y="{_TOP + 14}" text-anchor="{anchor}">'
        f"{found.suggestion:.1e}</text>",
    ]
