"""Colours for light and dark paper, as rules that hold inside one drawing only."""

from __future__ import annotations

from dataclasses import dataclass

FONT = 'system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif'
TITLE, SMALL, CHIP = 12.5, 11.0, 10.0
"""Sizes of the text on boxes in pixels."""


@dataclass(frozen=True, slots=True)
class Colour:
    """Light and dark: what a shape is filled with, and its outline."""

    fill: tuple[str, str]
    edge: tuple[str, str]


COLOURS = {
    "input": Colour(("#f3f4f6", "#22272f"), ("#4b5563", "#9aa4b2")),
    "convolution": Colour(("#e4eefe", "#19294a"), ("#3f76dd", "#6c9bf2")),
    "pooling": Colour(("#dcf5e8", "#12342a"), ("#1f9268", "#3fbd8f")),
    "dense": Colour(("#eee6fd", "#2c2148"), ("#7c4fd0", "#a989ea")),
    "concatenate": Colour(("#fdf0d0", "#3a2d0e"), ("#b97f0b", "#e0ad45")),
    "add": Colour(("#fee6dc", "#42231a"), ("#d05a2c", "#f08a61")),
    "activation": Colour(("#fde3ec", "#431c2b"), ("#c93c6c", "#ee7fa3")),
    "normalisation": Colour(("#d9f2f8", "#0f323c"), ("#1888a5", "#4bb9d4")),
    "dropout": Colour(("#e9ebee", "#2b3038"), ("#727d8c", "#929dab")),
    "attention": Colour(("#f8e2f6", "#3b1c39"), ("#a93aa2", "#db7dd4")),
    "other": Colour(("#f1eee2", "#2f2b20"), ("#857a51", "#b3a87c")),
}
"""Of each family of `kinds.FAMILIES`."""

_INK = ("#16202c", "#eaeef4")
_SOFT = ("#4d5866", "#a9b4c1")
_LINE = ("#66717f", "#8e99a8")
_SKIP = ("#d8572a", "#f28b5e")
_ICE = ("#2f7fc1", "#7db9ee")
PAPER = ("#ffffff", "#10151b")


def rules(drawing: str, theme: str) -> str:
    """Returns the style sheet of a drawing.

    Args:
        drawing: id of its `<svg>` element; no rule reaches further.
        theme: "light", "dark", or "auto" for the page's own.

    Returns:
        CSS. What a program does not know of it, older rules before it replace.
    """

    def pick(name: str, pair: tuple[str, str]) -> str:
        if theme == "auto":
            # Programs that don't know light-dark() keep the light colour.
            return f"{name}:{pair[0]};{name}:light-dark({pair[0]},{pair[1]})"
        return f"{name}:{pair[theme == 'dark']}"

    lines = [
        f"font-family:{FONT};font-size:{SMALL}px",
        f".hs-i{{{pick('fill', _INK)}}}",
        f".hs-s{{{pick('fill', _SOFT)}}}",
        f".hs-b{{font-weight:bold;font-size:{TITLE}px;{pick('fill', _INK)}}}",
        f".hs-c{{font-size:{CHIP}px;{pick('fill', _INK)}}}",
        f".hs-l{{fill:none;stroke-width:1.4;{pick('stroke', _LINE)}}}",
        f".hs-t{{{pick('fill', _LINE)}}}",
        f".hs-k{{fill:none;stroke-width:2;{pick('stroke', _SKIP)}}}",
        f".hs-kt{{{pick('fill', _SKIP)}}}",
        f".hs-f{{stroke-width:1.2;{pick('stroke', ('#a9b4c2', '#475464'))};"
        f"{pick('fill', ('#8797ad14', '#8797ad1c'))}}}",
        f".hs-g{{stroke-width:1.2;{pick('stroke', ('#a9b4c2', '#475464'))};"
        f"{pick('fill', ('#f7f9fb', '#161c24'))}}}",
        f".hs-n{{{pick('fill', ('#3b4654', '#c6d0dc'))}}}",
        f".hs-w{{font-weight:bold;font-size:{SMALL}px;{pick('fill', PAPER)}}}",
        f".hs-p{{{pick('fill', PAPER)}}}",
        f".hs-z{{fill:none;stroke-width:1.3;stroke-linecap:round;{pick('stroke', _ICE)}}}",
        f".hs-y{{stroke-width:1.2;stroke-dasharray:4 3;{pick('stroke', _ICE)}}}",
        f".hs-h{{font-weight:bold;font-size:20px;{pick('fill', _INK)}}}",
        f".hs-d{{font-size:12.5px;{pick('fill', _SOFT)}}}",
        "text{text-rendering:geometricPrecision}",
    ]
    for name, colour in COLOURS.items():
        lines.append(
            f".hs-{name}{{stroke-width:1.2;{pick('fill', colour.fill)};"
            f"{pick('stroke', colour.edge)}}}"
        )
        lines.append(f".hs-{name}-e{{{pick('fill', colour.edge)}}}")
    first, *rest = lines
    return f"#{drawing}{{{first}}}" + "".join(f"#{drawing} {line}" for line in rest)
