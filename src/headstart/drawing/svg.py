"""`draw_svg`: a network as one SVG, which can stand alone or inside a page."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

from headstart.drawing import paint
from headstart.drawing.boxes import make_boxes
from headstart.drawing.folding import fold
from headstart.drawing.layout import Layout
from headstart.drawing.legend import draw_legend
from headstart.drawing.paint import Picture
from headstart.drawing.paths import STEP, stacked
from headstart.drawing.structure import find_structure
from headstart.drawing.style import rules
from headstart.drawing.text import shortened
from headstart.errors import ArgumentError, near_matches
from headstart.modelfile.graph import ModelGraph

THEMES = ("auto", "light", "dark")
_MARGIN = 24.0
_GUTTER = 56.0
_HEADING = 20.0
_SHAPE_OF_PAGE = 1.3
"""Width of a sheet by its height, about which columns are chosen."""

_ONE_COLUMN = 900.0
_LEAST_WIDTH = 560.0


def draw_svg(
    graph: ModelGraph,
    *,
    frozen: Collection[str] | None = None,
    columns: int | None = None,
    theme: str = "auto",
    paper: bool = False,
    drawing_id: str = "network",
) -> str:
    """Draws a network.

    Args:
        graph: the network.
        frozen: names of the layers that don't learn, marked as such; None for what the layers say
            themselves.
        columns: to divide the drawing into; None for a sheet that is a little wider than high.
        theme: "light", "dark", or "auto": as the page around it, or the reader's system.
        paper: whether it brings its own background; for a file of its own.
        drawing_id: of the `<svg>` element; another one for each drawing of a page.

    Returns:
        An `<svg>` element. All text in it is escaped, it has no script and asks for nothing from
        elsewhere, and its style holds inside it only: it is safe in any page.

    Raises:
        ArgumentError: for an unknown theme, a bad id, fewer than one column, or no layer at all.

    Example:
        >>> from headstart.modelfile.graph import LayerNode
        >>> pixels = LayerNode(name="pixels", kind="InputLayer", output_shape=(None, 8, 8, 3))
        >>> pool = LayerNode(name="pool", kind="MaxPooling2D", inputs=("pixels",))
        >>> draw_svg(ModelGraph(name="tiny", layers=(pixels, pool), outputs=("pool",)))[:17]
        '<svg id="network"'
    """
    _check(graph, columns=columns, theme=theme, drawing_id=drawing_id)
    series = fold(find_structure(make_boxes(graph, frozen)))
    pictures = Layout().items(series.items)
    body = _in_columns(pictures, columns or _fitting_columns(pictures))
    width = max(body.width, _LEAST_WIDTH)
    legend = draw_legend(series, width=width)
    parts = [
        paint.words(shortened(graph.name, _HEADING, room=width, bold=True), _MARGIN, 42, kind="h"),
        paint.words(shortened(_told(graph, frozen), 12.5, room=width), _MARGIN, 64, kind="d"),
        paint.placed(legend.svg, _MARGIN, 82),
    ]
    top = 82 + legend.height + 24
    parts.append(paint.placed(body.svg, _MARGIN + (width - body.width) / 2, top))
    whole = (width + 2 * _MARGIN, top + body.height + _MARGIN)
    return _element(graph, "".join(parts), whole, theme=theme, paper=paper, drawing_id=drawing_id)


def _element(
    graph: ModelGraph,
    svg: str,
    size: tuple[float, float],
    *,
    theme: str,
    paper: bool,
    drawing_id: str,
) -> str:
    width, height = (math.ceil(side) for side in size)
    scheme = "light dark" if theme == "auto" else theme
    style = f' style="color-scheme:{scheme}"' if paper or theme != "auto" else ""
    background = f'<rect class="hs-p" width="{width}" height="{height}"/>' if paper else ""
    name = re.sub(r'[<>&"]', "", graph.name)
    return (
        f'<svg id="{drawing_id}" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{name}, {graph.parameters:,} parameters" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"{style}>'
        f"<style>{rules(drawing_id, theme)}</style>{background}{svg}</svg>"
    )


def _check(graph: ModelGraph, *, columns: int | None, theme: str, drawing_id: str) -> None:
    if theme not in THEMES:
        raise ArgumentError(
            f"theme={theme!r} is unknown.{near_matches(theme, THEMES)} "
            f"Expected {', '.join(THEMES)}."
        )
    if columns is not None and columns < 1:
        raise ArgumentError(f"columns={columns}: expected at least 1.")
    if not re.fullmatch(r"[A-Za-z][\w-]*", drawing_id):
        raise ArgumentError(
            f"drawing_id={drawing_id!r}: expected letters, digits, '-' and '_', a letter first."
        )
    if not graph.layers:
        raise ArgumentError(f"graph {graph.name!r} has no layers to draw.")


def _told(graph: ModelGraph, frozen: Collection[str] | None) -> str:
    """The line under the heading."""
    trainable = sum(
        layer.trainable_parameters
        for layer in graph.layers
        if frozen is None or layer.name not in frozen
    )
    told = f"{len(graph.layers):,} layers · {graph.parameters:,} parameters"
    return told if trainable == graph.parameters else f"{told}, {trainable:,} of them trainable"


def _fitting_columns(pictures: Sequence[Picture]) -> int:
    """The number of columns that gives a sheet of a good shape."""
    height = sum(picture.height + STEP for picture in pictures)
    if height <= _ONE_COLUMN:
        return 1
    counts = range(1, min(len(pictures), 8) + 1)

    def misfit(count: int) -> float:
        body = [stacked(part) for part in _divided(pictures, count)]
        width = sum(part.width for part in body) + _GUTTER * (len(body) - 1)
        return abs(math.log(width / max(part.height for part in body) / _SHAPE_OF_PAGE))

    return min(counts, key=misfit)


def _divided(pictures: Sequence[Picture], count: int) -> list[list[Picture]]:
    """Into columns whose tallest is as low as it can be."""
    heights = [picture.height + STEP for picture in pictures]
    low, high = max(heights), sum(heights)
    while high - low > 1:
        middle = (low + high) / 2
        if len(_filled(pictures, heights, middle)) <= count:
            high = middle
        else:
            low = middle
    return _filled(pictures, heights, high)


def _filled(
    pictures: Sequence[Picture], heights: Sequence[float], limit: float
) -> list[list[Picture]]:
    columns: list[list[Picture]] = [[]]
    used = 0.0
    for picture, height in zip(pictures, heights, strict=True):
        if columns[-1] and used + height > limit:
            columns.append([])
            used = 0.0
        columns[-1].append(picture)
        used += height
    return columns


def _in_columns(pictures: Sequence[Picture], count: int) -> Picture:
    """Columns from left to right, each joined to the next by a line."""
    columns = [stacked(part) for part in _divided(pictures, count)]
    top = 0.0 if len(columns) == 1 else STEP + 10
    tallest = max(column.height for column in columns)
    parts, x = [], 0.0
    height = top + tallest + (STEP if len(columns) > 1 else 0)
    for at, column in enumerate(columns):
        parts.append(paint.placed(column.svg, x, top))
        if at + 1 < len(columns):
            following = columns[at + 1]
            start, bottom = x + column.axis, top + column.height
            gutter = x + column.width + _GUTTER / 2
            end = x + column.width + _GUTTER + following.axis
            turn = min(bottom + STEP, height - 2)
            corners = [
                (start, bottom), (start, turn), (gutter, turn), (gutter, 6), (end, 6), (end, top)
            ]  # fmt: skip
            parts.append(paint.arrow(corners) if following.has_tip else paint.line(corners))
        x += column.width + _GUTTER
    return Picture("".join(parts), x - _GUTTER, height, 0, ())
