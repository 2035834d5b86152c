"""Frames around modules: name, how often, parameters."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.drawing import paint
from headstart.drawing.paint import Picture

_PAD = 14.0
_TOP = 38.0
_SHADOW = 4.0


def draw_frame(
    inside: Picture, *, name: str, counts: Sequence[int], note: str = "", layers: str = ""
) -> Picture:
    """Draws a frame; where it stands for several, more frames are seen behind it.

    Args:
        inside: what is in it.
        name: of the module; empty where it has none.
        counts: parameters of each of the modules that it stands for.
        note: what is told in place of the parameters.
        layers: what a reader is told who points at it.
    """
    repeats = len(counts) > 1
    badge = f"× {len(counts)}" if repeats else ""
    told = f"{sum(counts):,} parameters" if sum(counts) else ""
    if repeats and told:
        told = f"{told} in all"
    told = note or told
    named = 12 + (paint.title_width(name) + 8 if name else 0)
    left_words = named + (paint.pill_width(badge) if badge else 0)
    left = max(inside.axis + _PAD, left_words + 12)
    right = max(inside.width - inside.axis + _PAD, paint.small_width(told) + 26)
    width, height = left + right, inside.height + _TOP + _PAD
    grown = 2 * _SHADOW if repeats else 0.0
    parts = [paint.tooltip(layers) if layers else ""]
    parts += [
        paint.rectangle(back * _SHADOW, back * _SHADOW, width, height, kind="g", radius=9)
        for back in ((2, 1, 0) if repeats else ())
    ] or [paint.rectangle(0, 0, width, height, kind="f", radius=9)]
    parts.append(paint.words(name, 12, 21.5, kind="b") if name else "")
    parts.append(paint.pill(badge, named, 17) if badge else "")
    parts.append(paint.words(told, width - 12, 21, kind="s", end=True) if told else "")
    shift, bottom = left - inside.axis, _TOP + inside.height
    if inside.has_entry:
        down = [(left, 0.0), (left, _TOP)]
        parts.append(paint.arrow(down) if inside.has_tip else paint.line(down))
    outs = tuple(out + shift for out in inside.outs)
    parts += [paint.line([(out, bottom), (out, height + grown)]) for out in outs]
    parts.append(paint.placed(inside.svg, shift, _TOP))
    return Picture(
        f'<g class="hs-module">{"".join(parts)}</g>',
        width + grown,
        height + grown,
        left,
        outs,
        has_tip=False,
        has_entry=inside.has_entry,
    )
