"""The legend: only what occurs in the drawing, and how to read a box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headstart.drawing import paint
from headstart.drawing.boxes import Box
from headstart.drawing.kinds import FAMILIES
from headstart.drawing.naming import boxes_of, parts_of
from headstart.drawing.paint import Picture
from headstart.drawing.structure import Item, Repeated, Series, Split, Tangle

_ROW = 26.0
_SIGN = 22.0
_BESIDE = 26.0


def draw_legend(series: Series, *, width: float) -> Picture:
    """Draws the legend in rows.

    Args:
        series: the network, folded.
        width: to fill, in pixels.
    """
    entries = list(_entries(series))
    parts: list[str] = []
    x = y = 0.0
    for sign, room, text in entries:
        needed = room + 8 + paint.small_width(text) + _BESIDE
        if x and x + needed - _BESIDE > width:
            x, y = 0.0, y + _ROW
        parts.append(paint.placed(sign, x, y))
        parts.append(paint.words(text, x + room + 8, y + 13, kind="s"))
        x += needed
    return Picture("".join(parts), width, y + 20, 0, ())


def _entries(series: Series) -> Iterator[tuple[str, float, str]]:
    boxes = [box for item in series.items for box in boxes_of(item)]
    occurring = {box.family for box in boxes}
    occurring |= {family for box in boxes for chips in box.chips for family, text in chips}
    for name, words in FAMILIES.items():
        if name in occurring:
            yield _swatch(name), _SIGN, words
    parts = list(_parts(series.items))
    if any(box.parameters for box in boxes):
        yield _sample(), _SIGN, "height × width × channels of its output; parameters"
    if any(isinstance(part, Split) and part.join and not part.branches[-1].items for part in parts):
        sign = paint.line([(1, 9), (17, 9)], kind="k") + paint.tip(24, 9, kind="kt", to="right")
        yield sign, 24, "skip connection"
    if any(isinstance(part, Repeated) for part in parts):
        yield paint.pill("× 3", 0, 9), paint.pill_width("× 3"), "drawn once, there so many times"
    if any(isinstance(part, Tangle) and part.ports > 1 for part in parts):
        text = "from 2 back"
        sign = paint.chip(text, 0, 9, family="input")
        yield sign, paint.chip_width(text), "the output of the part before the last one"
    yield from _learning(boxes)


def _learning(boxes: Sequence[Box]) -> Iterator[tuple[str, float, str]]:
    owners = [box for box in boxes if box.parameters]
    frozen = [box for box in owners if box.is_frozen]
    if not frozen:
        return
    sign = paint.rectangle(0, 1, 22, 16, kind="convolution y", radius=4) + paint.snowflake(11, 9)
    yield sign, _SIGN, "frozen: keeps its weights"
    if len(frozen) < len(owners):
        sign = paint.rectangle(0, 1, 22, 16, kind="convolution", radius=4)
        yield sign, _SIGN, "trainable"


def _parts(items: Sequence[Item | Series]) -> Iterator[Item | Series]:
    """Every part that is drawn."""
    for item in items:
        yield item
        yield from _parts(item.copies[:1] if isinstance(item, Repeated) else parts_of(item))


def _swatch(family: str) -> str:
    return paint.rectangle(0, 1, 22, 16, kind=family, radius=4)


def _sample() -> str:
    return (
        paint.rectangle(0, 1, 22, 16, kind="input", radius=4)
        + paint.line([(3.5, 12.5), (10, 12.5)])
        + paint.line([(14, 12.5), (19, 12.5)])
    )
