"""Paths that cross: drawn in layers, each thing just above what needs it.

The steps are those of Sugiyama, Tagawa and Toda (1981): layers, order in each layer by the middle
of the neighbours, places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from headstart.drawing import paint
from headstart.drawing.box_picture import box_width, draw_box
from headstart.drawing.boxes import Box
from headstart.drawing.paint import Picture
from headstart.drawing.paths import Canvas

_BESIDE = 16.0
_BETWEEN = 44.0
_THIN = (4.0, 4.0)
_SWEEPS = 12


def draw_tangle(
    nodes: Sequence[Picture], links: Sequence[tuple[int, int]], *, join: Sequence[Box] | None
) -> Picture:
    """Draws paths that cross.

    Args:
        nodes: each after all that it depends on.
        links: pairs of positions in `nodes`, from and to; -1 is the item before the tangle, -2 the
            one before that; the number of nodes is `join`.
        join: the box where all meet, with those that it stands for, or None.
    """
    layers = _Layers.of(len(nodes), links, has_join=join is not None)
    pictures = dict(enumerate(nodes))
    for place in layers.ports:
        pictures[place] = _port(-place)
    layers.order()
    xs = layers.places(
        {place: (picture.axis, picture.width - picture.axis) for place, picture in pictures.items()}
    )
    canvas, y = Canvas(low=min(xs.values()), high=min(xs.values())), 0.0
    tops: dict[int, float] = {}
    bottoms: dict[int, float] = {}
    for row in layers.rows:
        height = max((pictures[each].height for each in row if each in pictures), default=0.0)
        for each in row:
            tops[each], bottoms[each] = y, y + height
            if each in pictures:
                picture = pictures[each]
                tops[each] = y + (height - picture.height) / 2
                canvas.put(picture, xs[each] - picture.axis, tops[each])
                for out in picture.outs:
                    x = xs[each] - picture.axis + out
                    canvas.add(paint.line([(x, tops[each] + picture.height), (x, y + height)]))
            else:
                canvas.add(paint.line([(xs[each], y), (xs[each], y + height)]))
                canvas.reach(xs[each])
        y += height + _BETWEEN
    end = y - _BETWEEN
    for start, to in layers.links:
        if to in tops:
            has_tip = to in pictures and pictures[to].has_tip
            canvas.add(
                _bent((xs[start], bottoms[start]), (xs[to], tops[to]),
                      row_top=tops[to] if to not in pictures else _row_top(layers, to, tops),
                      has_tip=has_tip)
            )  # fmt: skip
    axis = xs.get(-1, 0.0)
    if join is None:
        outs = [xs[each] for each in layers.rows[-1]]
        return canvas.picture(height=end, axis=axis, outs=outs, has_entry=-1 in xs)
    incoming = [(start, xs[start]) for start, to in layers.links if to == layers.sink]
    joined = _joined(canvas, join, incoming, bottoms, axis=axis, top=end)
    return replace(joined, has_entry=-1 in xs)


def _row_top(layers: _Layers, place: int, tops: dict[int, float]) -> float:
    row = next(row for row in layers.rows if place in row)
    return min(tops[each] for each in row)


def _bent(
    start: tuple[float, float], end: tuple[float, float], *, row_top: float, has_tip: bool
) -> str:
    """A curve through the room between two layers, then straight down."""
    low = row_top - (9 if has_tip else 0)
    drawn = paint.curve(start, (end[0], low))
    if end[1] > low or has_tip:
        down = [(end[0], low), end]
        drawn += paint.arrow(down) if has_tip else paint.line(down)
    return drawn


def _joined(
    canvas: Canvas,
    join: Sequence[Box],
    incoming: Sequence[tuple[int, float]],
    bottoms: dict[int, float],
    *,
    axis: float,
    top: float,
) -> Picture:
    low = min([axis, *(x for _, x in incoming)]) - 26
    high = max([axis, *(x for _, x in incoming)]) + 26
    room = max(box_width(join) - (high - low), 0) / 2
    picture = draw_box(join, width=high - low + 2 * room)
    y = top + _BETWEEN / 2
    for start, x in incoming:
        canvas.add(paint.arrow([(x, bottoms[start]), (x, y)]))
    canvas.put(picture, low - room, y)
    return canvas.picture(height=y + picture.height, axis=axis, outs=(axis,))


def _port(back: int) -> Picture:
    """The output of the item before, or a sign for one further up."""
    if back == 1:
        down = paint.line([(1, 0), (1, paint.CHIP_HEIGHT)])
        return Picture(down, 2, paint.CHIP_HEIGHT, 1, (1,), has_tip=False)
    text = f"from {back} back"
    width = paint.chip_width(text)
    svg = paint.chip(text, 0, 8, family="input")
    return Picture(svg, width, paint.CHIP_HEIGHT, width / 2, (width / 2,), has_tip=False)


@dataclass(slots=True)
class _Layers:
    """Which layer each node is in; long links pass through layers as thin nodes of their own."""

    rows: list[list[int]]
    links: list[tuple[int, int]]
    ports: list[int]
    sink: int
    above: dict[int, list[int]] = field(default_factory=dict)
    below: dict[int, list[int]] = field(default_factory=dict)

    @staticmethod
    def of(count: int, links: Sequence[tuple[int, int]], *, has_join: bool) -> _Layers:
        sink = count
        depth = [0] * (count + 1)
        for node in range(count - 1, -1, -1):
            depth[node] = 1 + max((depth[to] for start, to in links if start == node), default=0)
        ports = sorted({start for start, _ in links if start < 0}, reverse=True)
        deepest = 1 + max(depth)
        level = {node: deepest - depth[node] for node in range(count)}
        level |= dict.fromkeys(ports, 0) | {sink: deepest}
        found = _Layers([[] for _ in range(deepest)], [], ports, sink)
        for node in (*ports, *range(count)):
            found.rows[level[node]].append(node)
        thin = sink + 1
        for start, to in sorted(links, key=lambda link: (link[1], link[0])):
            if to == sink and not has_join:
                continue
            place = start
            for between in range(level[start] + 1, level[to]):
                found.rows[between].append(thin)
                found.links.append((place, thin))
                place, thin = thin, thin + 1
            found.links.append((place, to))
        for start, to in found.links:
            found.below.setdefault(start, []).append(to)
            found.above.setdefault(to, []).append(start)
        return found

    def order(self) -> None:
        """Orders each layer by the middle of the neighbours, down and up again and again."""
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(_SWEEPS):
            neighbours = self.above if sweep % 2 == 0 else self.below
            for row in self.rows if sweep % 2 == 0 else reversed(self.rows):
                rank = {each: at for line in self.rows for at, each in enumerate(line)}
                middle = {
                    each: _mean(
                        [rank[n] for n in neighbours.get(each, []) if n in rank], rank[each]
                    )
                    for each in row
                }
                row.sort(key=middle.__getitem__)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def _crossings(self) -> int:
        rank = {each: at for row in self.rows for at, each in enumerate(row)}
        level = {each: at for at, row in enumerate(self.rows) for each in row}
        count = 0
        for at in range(len(self.rows)):
            pairs = [
                (rank[start], rank[to])
                for start, to in self.links
                if level[start] == at and to in rank
            ]
            count += sum(
                (a - c) * (b - d) < 0
                for number, (a, b) in enumerate(pairs)
                for c, d in pairs[number + 1 :]
            )
        return count

    def places(self, reaches: dict[int, tuple[float, float]]) -> dict[int, float]:
        """Axes of all nodes: near their neighbours, with room for what is on both sides."""
        xs: dict[int, float] = {}
        for row in self.rows:
            starts = _apart([0.0] * len(row), [reaches.get(each, _THIN) for each in row])
            xs.update(zip(row, starts, strict=True))
        for sweep in range(_SWEEPS):
            rows = self.rows if sweep % 2 else list(reversed(self.rows))
            for row in rows:
                room = [reaches.get(each, _THIN) for each in row]
                wanted = [
                    _mean(
                        [xs[n] for n in (*self.above.get(each, []), *self.below.get(each, []))
                         if n in xs],
                        xs[each],
                    )
                    for each in row
                ]  # fmt: skip
                for each, x in zip(row, _apart(wanted, room), strict=True):
                    xs[each] = x
        return xs


def _apart(wanted: Sequence[float], reaches: Sequence[tuple[float, float]]) -> list[float]:
    """Places near the wanted ones, in order, that don't touch: the mean of both ways to push."""
    gaps = [one[1] + other[0] + _BESIDE for one, other in pairwise(reaches)]
    right = list(wanted)
    for at, gap in enumerate(gaps):
        right[at + 1] = max(right[at + 1], right[at] + gap)
    left = list(wanted)
    for at in range(len(gaps) - 1, -1, -1):
        left[at] = min(left[at], left[at + 1] - gaps[at])
    return [(one + other) / 2 for one, other in zip(left, right, strict=True)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
