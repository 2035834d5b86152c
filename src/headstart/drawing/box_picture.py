"""One box: title, marks, shape and parameters, and what is told when a reader points at it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from headstart.drawing import paint
from headstart.drawing.boxes import Box
from headstart.drawing.naming import is_grouped
from headstart.drawing.style import SMALL, TITLE
from headstart.drawing.text import shortened, text_width

_LOW, _HIGH = 26.0, 42.0
_PAD, _GAP = 9.0, 5.0
_BAR = 5.0
_LONGEST_TITLE = 230.0
_LONGEST_SHAPE = 190.0
_UNTOLD = ("initializer", "trainable", "data_format", "renorm", "regularizer", "constraint")


def draw_box(copies: Sequence[Box], *, width: float = 0) -> paint.Picture:
    """Draws a box.

    Args:
        copies: the box, and where it is folded those that it stands for, in order.
        width: that it has at least, in pixels.
    """
    box = copies[0]
    before, after = box.chips
    title = shortened(span([each.title for each in copies]), TITLE, room=_LONGEST_TITLE, bold=True)
    shape = shortened(shape_text(copies), SMALL, room=_LONGEST_SHAPE)
    count = count_text([each.parameters for each in copies])
    width = max(width, box_width(copies))
    height = _HIGH if count else _LOW
    middle = 14.0 if count else height / 2
    parts = [
        paint.tooltip(_told(copies)),
        paint.rectangle(0, 0, width, height, kind=box.family + (" y" if box.is_frozen else "")),
        f'<path class="hs-{box.family}-e" d="M6 0H{_BAR}V{height}H6A6 6 0 0 1 0 {height - 6}V6'
        'A6 6 0 0 1 6 0z"/>',
    ]
    if is_grouped(box):
        parts.append(_stripes(width, height))
    x = _BAR + _PAD
    for family, text in before:
        parts.append(paint.chip(text, x, middle, family=family))
        x += paint.chip_width(text) + _GAP
    parts.append(paint.words(title, x, middle + 4.4, kind="b"))
    x += paint.title_width(title) + _GAP + 2
    for family, text in after:
        parts.append(paint.chip(text, x, middle, family=family))
        x += paint.chip_width(text) + _GAP
    if count:
        parts.append(paint.words(shape, _BAR + _PAD, 34, kind="s"))
        parts.append(paint.words(count, width - _PAD, 34, kind="s", end=True))
        if box.is_frozen:
            place = width - _PAD - paint.small_width(count) - 11
            parts.append(paint.snowflake(place, 30))
    else:
        parts.append(paint.words(shape, width - _PAD, middle + 4, kind="s", end=True))
    svg = f'<g class="hs-box">{"".join(parts)}</g>'
    return paint.Picture(svg, width, height, width / 2, (width / 2,))


def box_width(copies: Sequence[Box]) -> float:
    """Returns how wide a box must be for its words, in pixels.

    Args:
        copies: as `draw_box` takes them.
    """
    box = copies[0]
    title = span([each.title for each in copies])
    top = min(text_width(title, TITLE, bold=True), _LONGEST_TITLE) + 2
    for chips in box.chips:
        top += sum(paint.chip_width(text) + _GAP for _, text in chips)
    shape = min(paint.small_width(shape_text(copies)), _LONGEST_SHAPE)
    count = count_text([each.parameters for each in copies])
    if not count:
        return top + 10 + shape + _BAR + 2 * _PAD
    ice = 18 if box.is_frozen else 0
    return max(top, shape + 16 + ice + paint.small_width(count)) + _BAR + 2 * _PAD


def span(texts: Sequence[str]) -> str:
    """Returns one text for several: itself where they are equal, else the first and the last.

    Example:
        >>> span(["64", "96", "128"]), span(["Dropout 0.1", "Dropout 0.2"])
        ('64 … 128', 'Dropout 0.1 … 0.2')
    """
    first, last = texts[0], texts[-1]
    if all(text == first for text in texts):
        return first
    word, _, rest = first.rpartition(" ")
    if word and rest and last.startswith(f"{word} "):
        last = last.removeprefix(f"{word} ")
    return f"{first} …" if first == last else f"{first} … {last}"


def shape_text(copies: Sequence[Box]) -> str:
    """Returns the shape of a box's output, height × width × channels.

    Args:
        copies: as `draw_box` takes them.
    """
    shapes = [box.shape for box in copies]
    if len({len(shape) for shape in shapes}) > 1:
        return span([" × ".join(map(_side, shape)) for shape in shapes])
    return " × ".join(span([_side(side) for side in sides]) for sides in zip(*shapes, strict=True))


def count_text(counts: Sequence[int]) -> str:
    """Returns numbers of parameters as one text; nothing where there are none.

    Example:
        >>> count_text([1000, 1000]), count_text([0]), count_text([10, 30])
        ('1,000', '', '10 … 30')
    """
    return span([f"{count:,}" for count in counts]) if any(counts) else ""


def _side(side: int | None) -> str:
    return "?" if side is None else str(side)


def _stripes(width: float, height: float) -> str:
    """The groups of a convolution, as cuts along its lower edge."""
    count = 16
    step = (width - _BAR) / count
    cuts = "".join(f"M{paint.number(_BAR + step * at)} {height - 4}v4" for at in range(1, count))
    return f'<path class="hs-l" d="{cuts}"/>'


def _told(copies: Sequence[Box]) -> str:
    box = copies[0]
    lines = []
    for layer in box.layers:
        size = " × ".join(map(_side, _sides(layer.output_shape)))
        lines.append(f"{layer.name}: {layer.kind}, output {size}")
        told = {name: value for name, value in layer.settings.items() if _is_telling(name, value)}
        if told:
            lines.append("  " + ", ".join(f"{name} {_plain(each)}" for name, each in told.items()))
        if layer.weights:
            learns = "frozen" if box.is_frozen or not layer.trainable else "trainable"
            shapes = ", ".join(
                f"{name} {'×'.join(map(str, shape))}" for name, shape in layer.weights.items()
            )
            lines.append(f"  {layer.parameters:,} parameters, {learns}: {shapes}")
        if layer.shared_with:
            lines.append(f"  the same weights as {layer.shared_with}")
    if len(copies) > 1:
        lines.append(f"and {len(copies) - 1} more like it, up to {copies[-1].main.name}")
    return "\n".join(lines)


def _sides(shape: Sequence[object]) -> list[int | None]:
    first = shape[0] if shape and isinstance(shape[0], tuple) else shape
    return list(first)[1:]


def _is_telling(name: str, value: object) -> bool:
    if any(word in name for word in _UNTOLD) or value in (None, False, "linear"):
        return False
    if name in ("groups", "dilation_rate", "depth_multiplier") and value in (1, [1, 1], (1, 1)):
        return False
    return isinstance(value, int | float | str | list | tuple) and len(str(value)) > 0


def _plain(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
