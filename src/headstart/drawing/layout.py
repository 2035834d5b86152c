"""Where everything stands: series top to bottom, paths side by side, frames around modules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from headstart.drawing.box_picture import box_width, draw_box
from headstart.drawing.boxes import Box
from headstart.drawing.frames import draw_frame
from headstart.drawing.kinds import groups
from headstart.drawing.naming import GROUPED, SIDE, boxes_of, parts_of
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
            case Module():
                return self._framed(item, [item])
            case Repeated(copies):
                return self._repeated(copies)

    def _repeated(self, copies: Sequence[Item]) -> Picture:
        _note_alike(copies, self.alike)
        first = copies[0]
        return self._framed(
            first if isinstance(first, Module) else Module("", Series((first,))), copies
        )

    def _framed(self, module: Module, copies: Sequence[Item]) -> Picture:
        inside = self.series(module.body)
        boxes = list(boxes_of(module))
        note = ""
        if module.name == GROUPED:
            note = f"{groups(boxes[0].main)} groups"
        if module.name == SIDE:
            inside = replace(inside, outs=())
        ends = [boxes[0].layers[0].name, list(boxes_of(copies[-1]))[-1].layers[-1].name]
        return draw_frame(
            inside,
            name=module.name,
            counts=[_count(copy) for copy in copies],
            note=note,
            layers=f"{module.name or 'repeated'}: {' … '.join(dict.fromkeys(ends))}",
        )


def _count(item: Item) -> int:
    return sum(box.parameters for box in boxes_of(item))


def _note_alike(copies: Sequence[Item | Series], alike: dict[int, list[Box]]) -> None:
    """Writes down which boxes the first of equal parts stands for, those of folds in it too."""
    first = copies[0]
    if isinstance(first, Repeated):
        inner = [each for copy in copies if isinstance(copy, Repeated) for each in copy.copies]
        _note_alike(inner, alike)
        return
    if isinstance(first, Box):
        alike[first.number] = [copy for copy in copies if isinstance(copy, Box)]
        return
    for parts in zip(*(parts_of(copy) for copy in copies), strict=True):
        _note_alike(parts, alike)
