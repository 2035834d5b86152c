"""Where everything stands: series top to bottom, paths side by side, frames around modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from headstart.drawing.box_picture import box_width, draw_box
from headstart.drawing.boxes import Box
from headstart.drawing.frames import draw_frame
from headstart.drawing.naming import boxes_of
from headstart.drawing.paint import Picture
from headstart.drawing.paths import draw_aside, draw_split, stacked
from headstart.drawing.structure import (
    Aside,
    Item,
    Module,
    Repeated,
    Series,
    Split,
    Tangle,
)
from headstart.drawing.tangle import draw_tangle


@dataclass(frozen=True, slots=True)
class Layout:
    """Turns parts of a network into pictures.

    Attributes:
        alike: for a box that is folded, all boxes that it stands for, by its number.
    """

    alike: dict[int, list[Box]] = field(default_factory=dict)

    def series(self, series: Series) -> Picture:
        """Draws items one below the other, on one axis.

        Args:
            series: of at least one item.
        """
        return stacked(self.items(series.items))

    def items(self, items: Sequence[Item]) -> list[Picture]:
        """Draws each item; boxes of one series are equally wide.

        Args:
            items: of a series.
        """
        boxes = [item for item in items if isinstance(item, Box)]
        width = max((box_width(self.copies(box)) for box in boxes), default=0)
        return [
            draw_box(self.copies(item), width=width) if isinstance(item, Box) else self.item(item)
            for item in items
        ]

    def copies(self, box: Box) -> list[Box]:
        """Returns the box, or all that it stands for.

        Args:
            box: that is drawn.
        """
        return self.alike.get(box.number, [box])

    def item(self, item: Item) -> Picture:
        """Draws one part.

        Args:
            item: of a series.
        """
        match item:
            case Box():
                return draw_box(self.copies(item))
            case Split(branches, join, has_fork):
                return draw_split(
                    [self.series(each) for each in branches if each.items],
                    join=None if join is None else self.copies(join),
                    skips=not branches[-1].items,
                    has_fork=has_fork,
                )
            case Tangle(nodes, links, join, _):
                return draw_tangle(
                    [self.series(node) for node in nodes],
                    links,
                    join=None if join is None else self.copies(join),
                )
            case Aside(inner, side):
                return draw_aside(self.item(inner), [self.series(each) for each in side])
            case Module(name, body):
                return draw_frame(self.series(body), name=name, counts=[_count(item)])
            case Repeated(copies):
                return self._repeated(copies)

    def _repeated(self, copies: Sequence[Item]) -> Picture:
        _note_alike(copies, self.alike)
        first = copies[0]
        counts = [_count(copy) for copy in copies]
        if isinstance(first, Module):
            return draw_frame(self.series(first.body), name=first.name, counts=counts)
        return draw_frame(self.item(first), name="", counts=counts)


def _count(item: Item) -> int:
    return sum(box.parameters for box in boxes_of(item))


def _note_alike(copies: Sequence[Item], alike: dict[int, list[Box]]) -> None:
    """Writes down which boxes the first of equal parts stands for, those of folds in it too."""
    first = copies[0]
    if isinstance(first, Repeated):
        inner = [each for copy in copies if isinstance(copy, Repeated) for each in copy.copies]
        _note_alike(inner, alike)
        return
    if isinstance(first, Box):
        alike[first.number] = [copy for copy in copies if isinstance(copy, Box)]
        return
    for parts in zip(*(_parts(copy) for copy in copies), strict=True):
        _note_alike(parts, alike)


def _parts(item: Item) -> list[Item]:
    match item:
        case Split(branches, join, _):
            inside = [each for branch in branches for each in branch.items]
            return inside if join is None else [*inside, join]
        case Tangle(nodes, _, join, _):
            inside = [each for node in nodes for each in node.items]
            return inside if join is None else [*inside, join]
        case Aside(inner, side):
            return [inner, *(each for series in side for each in series.items)]
        case Module(_, body):
            return list(body.items)
    return [item]
