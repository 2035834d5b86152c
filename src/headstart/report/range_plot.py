"""The picture of a learning rate range test: loss against rate, as SVG."""

from __future__ import annotations

import math

from headstart.training.range_test import RangeTest

_WIDTH, _HEIGHT = 560, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 540, 72, 282
_LINE, _MARK = "#0090d0", "#d55e00"
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
    parts.append(f'<polyline points="{points}" fill="none" stroke="{_LINE}" stroke-width="2.5"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" aria-label="Learning rate range test" '
        'style="font:13px system-ui,sans-serif">'
        "<style>text{fill:#1c2430}path{stroke:#1c2430}"
        "@media(prefers-color-scheme:dark){text{fill:#e8ecf2}path{stroke:#e8ecf2}}</style>"
        f'<text x="{_LEFT}" y="22" font-size="16" font-weight="600">Learning rate range test</text>'
        f'<text x="{_LEFT}" y="42">suggestion: {found.suggestion:.1e}</text>'
        f"{''.join(parts)}</svg>"
    )


def _grid(top: float, low: int, high: int) -> list[str]:
    parts = []
    for number in range(5):
        loss = top * number / 4
        at = _BOTTOM - number / 4 * (_BOTTOM - _TOP)
        parts.append(
            f'<path d="M{_LEFT} {at:.1f}H{_RIGHT}" stroke-opacity=".18"/>'
            f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{loss:.3g}</text>'
        )
    for power in range(low, high + 1):
        at = _LEFT + (power - low) / (high - low) * (_RIGHT - _LEFT)
        parts.append(
            f'<path d="M{at:.1f} {_TOP}V{_BOTTOM}" stroke-opacity=".1"/>'
            f'<text x="{at:.1f}" y="{_BOTTOM + 20}" text-anchor="middle">{10.0**power:g}</text>'
        )
    middle = (_LEFT + _RIGHT) / 2
    parts.append(
        f'<text x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle">learning rate</text>'
        f'<text x="{_LEFT}" y="{_TOP - 10}" text-anchor="middle">loss</text>'
    )
    return parts


def _suggestion(at: float, found: RangeTest) -> list[str]:
    side, anchor = (8, "start") if at < (_LEFT + _RIGHT) / 2 else (-8, "end")
    return [
        f'<line x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{_BOTTOM}" stroke="{_MARK}" '
        'stroke-width="2" stroke-dasharray="6 4"/>',
        f'<text x="{at + side:.1f}" y="{_TOP + 14}" text-anchor="{anchor}">'
        f"{found.suggestion:.1e}</text>",
    ]
