"""Paths: one thing below the other, several side by side, and what hangs aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from headstart.drawing import paint
from headstart.drawing.box_picture import box_width, draw_box
from headstart.drawing.boxes import Box
from headstart.drawing.paint import Picture

STEP = 18.0
"""Between one thing and the next, in pixels: an arrow's length."""

_FAN = 30.0
_BESIDE = 18.0
_LANE = 18.0
_ROUND = 14.0


@dataclass(slots=True)
class Canvas:
    """Collects elements, and how far they reach to both sides of where it began."""

    parts: list[str] = field(default_factory=list)
    low: float = 0.0
    high: float = 0.0

    def add(self, *parts: str) -> None:
        """Adds elements that don't reach further than what is there."""
        self.parts += parts

    def reach(self, *places: float) -> None:
        """Makes room up to places."""
        self.low, self.high = min(self.low, *places), max(self.high, *places)

    def put(self, picture: Picture, x: float, y: float) -> None:
        """Adds a picture with its corner at a place."""
        self.reach(x, x + picture.width)
        self.add(paint.placed(picture.svg, x, y))

    def picture(
        self,
        *,
        height: float,
        axis: float,
        outs: Sequence[float],
        has_tip: bool = False,
        has_entry: bool = True,
    ) -> Picture:
        """Returns all of it, moved so that its corner is at 0."""
        return Picture(
            paint.placed("".join(self.parts), -self.low, 0),
            self.high - self.low,
            height,
            axis - self.low,
            tuple(out - self.low for out in outs),
            has_tip=has_tip,
            has_entry=has_entry,
        )


def stacked(pictures: Sequence[Picture]) -> Picture:
    """Puts pictures below each other on one axis, with arrows between.

    Args:
        pictures: at least one.
    """
    canvas, y = Canvas(), 0.0
    outs: list[float] = []
    for at, picture in enumerate(pictures):
        if at and picture.has_entry:
            step = STEP if len(outs) == 1 else _FAN
            for out in outs:
                canvas.add(_down((out, y), (0.0, y + step), has_tip=picture.has_tip))
            y += step
        canvas.put(picture, -picture.axis, y)
        y += picture.height
        outs = [out - picture.axis for out in picture.outs]
    return canvas.picture(
        height=y,
        axis=0.0,
        outs=outs,
        has_tip=pictures[0].has_tip,
        has_entry=pictures[0].has_entry,
    )


def draw_split(
    branches: Sequence[Picture], *, join: Sequence[Box] | None, skips: bool, has_fork: bool
) -> Picture:
    """Puts paths side by side.

    Args:
        branches: from left to right.
        join: the box where they meet, with those that it stands for; None where they don't.
        skips: whether a connection skips them all.
        has_fork: whether they come from one place.
    """
    canvas = Canvas()
    x, tops, places = 0.0, [], []
    for branch in branches:
        places.append(x)
        tops.append(x + branch.axis)
        x += branch.width + _BESIDE
    adds = join is not None and join[0].family == "add"
    axis = tops[0] if adds and has_fork else (tops[0] + tops[-1]) / 2
    fan = 0.0 if not has_fork else _FAN if len(branches) > 1 else STEP + 4
    tallest = max(branch.height for branch in branches)
    bottom = fan + tallest
    outs = []
    for branch, place, top in zip(branches, places, tops, strict=True):
        room = tallest - branch.height
        y = fan + (room / 2 if has_fork else room)
        if has_fork:
            bend = fan - 14
            corners = [(axis, 0.0), (axis, bend), (top, bend), (top, y)]
            canvas.add(_along(corners, has_tip=branch.has_tip))
        canvas.put(branch, place, y)
        for out in branch.outs:
            outs.append(place + out)
            canvas.add(paint.line([(place + out, y + branch.height), (place + out, bottom)]))
    if join is None:
        if skips:
            lane = canvas.high + _LANE
            canvas.add(paint.line([(axis, 0), (axis, 5), (lane, 5), (lane, bottom)]))
            canvas.reach(lane + 4)
            outs.append(lane)
        return canvas.picture(height=bottom, axis=axis, outs=outs, has_entry=has_fork)
    return _joined(canvas, join, outs, skips=skips, axis=axis, top=bottom, has_fork=has_fork)


def _joined(
    canvas: Canvas,
    join: Sequence[Box],
    outs: Sequence[float],
    *,
    skips: bool,
    axis: float,
    top: float,
    has_fork: bool,
) -> Picture:
    """Adds the box where paths meet, so wide that all of them come straight down."""
    needed = box_width(join)
    low, high = min([*outs, axis]) - 26, max([*outs, axis]) + 26
    if high - low < needed:
        middle = axis if len(outs) == 1 else (low + high) / 2
        low, high = middle - needed / 2, middle + needed / 2
    picture = draw_box(join, width=high - low)
    y = top + STEP
    for out in outs:
        canvas.add(paint.arrow([(out, top), (out, y)]))
    canvas.put(picture, low, y)
    height = y + picture.height
    if skips:
        lane, middle = canvas.high + _LANE, y + picture.height / 2
        corners = [(axis, 4.0), (lane, 4.0), (lane, middle), (high + 7, middle)]
        canvas.add(paint.line(corners, kind="k", radius=_ROUND))
        canvas.add(paint.tip(high, middle, kind="kt", to="left"))
        canvas.add(paint.dot(axis, 4.0))
        if len(outs) == 1 or not has_fork:
            canvas.add(paint.line([(axis, 0), (axis, 8)]))
        canvas.reach(lane + 3)
    return canvas.picture(height=height, axis=axis, outs=(axis,), has_entry=has_fork)


def draw_aside(picture: Picture, side: Sequence[Picture]) -> Picture:
    """Draws what hangs on a part to the right of the line that leaves it.

    Args:
        picture: the part.
        side: what hangs on it.
    """
    canvas = Canvas()
    canvas.put(picture, -picture.axis, 0)
    top = picture.height
    tallest = max(each.height for each in side) + STEP + 12
    x = 40.0
    for each in side:
        corners = [(0.0, top + 8), (x + each.axis, top + 8), (x + each.axis, top + STEP + 12)]
        canvas.add(_along(corners, has_tip=each.has_tip))
        canvas.put(each, x, top + STEP + 12)
        x += each.width + _BESIDE
    canvas.add(paint.line([(0, top), (0, top + tallest)]), paint.dot(0, top + 8, kind="t"))
    return canvas.picture(
        height=top + tallest,
        axis=0.0,
        outs=(0.0,),
        has_tip=picture.has_tip,
        has_entry=picture.has_entry,
    )


def _down(start: tuple[float, float], end: tuple[float, float], *, has_tip: bool) -> str:
    middle = start[1] + 8
    return _along([start, (start[0], middle), (end[0], middle), end], has_tip=has_tip)


def _along(corners: Sequence[tuple[float, float]], *, has_tip: bool) -> str:
    return paint.arrow(corners) if has_tip else paint.line(corners)
