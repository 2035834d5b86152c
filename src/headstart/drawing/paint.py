"""Strokes and words of a drawing: small functions that give SVG elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from headstart.drawing.style import CHIP, SMALL, TITLE
from headstart.drawing.text import text_width

CHIP_HEIGHT = 16.0
_RADIUS = 7.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished part of a drawing; its coordinates begin at its own corner, top left.

    Attributes:
        svg: its elements.
        width: in pixels.
        height: in pixels.
        axis: where its main line enters at the top and leaves at the bottom.
        outs: where lines leave it at the bottom.
        has_tip: whether an arrow ends at its top; else it draws on by itself.
        has_entry: whether anything enters it.
    """

    svg: str
    width: float
    height: float
    axis: float
    outs: tuple[float, ...]
    has_tip: bool = True
    has_entry: bool = True


def classes(kind: str) -> str:
    """Returns the names in the style sheet, which no page around the drawing has."""
    return " ".join(f"hs-{name}" for name in kind.split())


def number(value: float) -> str:
    """Returns a coordinate as SVG writes it."""
    return f"{value:.1f}".removesuffix(".0")


def placed(svg: str, x: float, y: float) -> str:
    """Returns elements moved to a place."""
    return f'<g transform="translate({number(x)} {number(y)})">{svg}</g>'


def rectangle(
    x: float, y: float, width: float, height: float, *, kind: str, radius: float = 6
) -> str:
    """Returns a rectangle of a class of the style sheet."""
    return (
        f'<rect class="{classes(kind)}" x="{number(x)}" y="{number(y)}" width="{number(width)}" '
        f'height="{number(height)}" rx="{number(radius)}"/>'
    )


def words(text: str, x: float, y: float, *, kind: str, end: bool = False) -> str:
    """Returns one line of text, which begins (or ends) at a place on its baseline."""
    anchor = ' text-anchor="end"' if end else ""
    place = f'x="{number(x)}" y="{number(y)}"'
    return f'<text class="{classes(kind)}" {place}{anchor}>{escape(text)}</text>'


def title_width(text: str) -> float:
    """Width of a title on a box."""
    return text_width(text, TITLE, bold=True)


def small_width(text: str) -> float:
    """Width of a shape or a number on a box."""
    return text_width(text, SMALL)


def chip_width(text: str) -> float:
    """Width of a mark with its text."""
    return text_width(text, CHIP) + 11


def chip(text: str, x: float, y: float, *, family: str) -> str:
    """Returns a mark such as BN or ReLU, its left edge at x, its middle at y."""
    top = y - CHIP_HEIGHT / 2
    return rectangle(
        x, top, chip_width(text), CHIP_HEIGHT, kind=family, radius=CHIP_HEIGHT / 2
    ) + words(text, x + 5.5, y + 3.6, kind="c")


def pill_width(text: str) -> float:
    """Width of a count with its text."""
    return text_width(text, SMALL, bold=True) + 16


def pill(text: str, x: float, y: float) -> str:
    """Returns a count such as "× 3", its left edge at x, its middle at y."""
    return rectangle(x, y - 9, pill_width(text), 18, kind="n", radius=9) + words(
        text, x + 8, y + 4, kind="w"
    )


def line(points: Sequence[tuple[float, float]], *, kind: str = "l", radius: float = _RADIUS) -> str:
    """Returns a line along and across with round corners.

    Args:
        points: its corners; consecutive ones share x or y.
        kind: "l", or "k" for a connection that skips.
        radius: of the corners.
    """
    points = [point for at, point in enumerate(points) if at == 0 or point != points[at - 1]]
    parts = [f"M{number(points[0][0])} {number(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near = min(radius, _distance(before, corner) / 2, _distance(corner, after) / 2)
        start, end = _towards(corner, before, near), _towards(corner, after, near)
        parts.append(
            f"L{number(start[0])} {number(start[1])}"
            f"Q{number(corner[0])} {number(corner[1])} {number(end[0])} {number(end[1])}"
        )
    parts.append(f"L{number(points[-1][0])} {number(points[-1][1])}")
    return f'<path class="{classes(kind)}" d="{"".join(parts)}"/>'


def curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Returns a curve that leaves and arrives straight down."""
    (x, y), (to_x, to_y) = start, end
    bend = (to_y - y) / 2
    return (
        f'<path class="hs-l" d="M{number(x)} {number(y)}C{number(x)} {number(y + bend)} '
        f'{number(to_x)} {number(to_y - bend)} {number(to_x)} {number(to_y)}"/>'
    )


def tip(x: float, y: float, *, kind: str = "t", to: str = "down") -> str:
    """Returns an arrow's head that ends at a place and points "down", "left" or "right"."""
    shape = {"down": "l-4 -7.5h8z", "left": "l7.5 -4v8z", "right": "l-7.5 -4v8z"}[to]
    return f'<path class="{classes(kind)}" d="M{number(x)} {number(y)}{shape}"/>'


def dot(x: float, y: float, *, kind: str = "kt") -> str:
    """Returns the point where a line branches off."""
    return f'<circle class="{classes(kind)}" cx="{number(x)}" cy="{number(y)}" r="3"/>'


def arrow(points: Sequence[tuple[float, float]]) -> str:
    """Returns a line that ends in a head from above."""
    *rest, (x, y) = points
    return line([*rest, (x, y - 5)]) + tip(x, y)


def snowflake(x: float, y: float) -> str:
    """Returns the sign of frozen weights, its middle at a place."""
    arms = "M0 -5V5M-4.3 -2.5L4.3 2.5M-4.3 2.5L4.3 -2.5"
    barbs = "M-1.6 -4.6L0 -3L1.6 -4.6M-1.6 4.6L0 3L1.6 4.6"
    return f'<path class="hs-z" transform="translate({number(x)} {number(y)})" d="{arms}{barbs}"/>'


def tooltip(text: str) -> str:
    """Returns what a reader sees who points at the element that this is in."""
    return f"<title>{escape(text)}</title>"


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _towards(
    start: tuple[float, float], end: tuple[float, float], length: float
) -> tuple[float, float]:
    whole = _distance(start, end) or 1
    return (
        start[0] + (end[0] - start[0]) * length / whole,
        start[1] + (end[1] - start[1]) * length / whole,
    )
