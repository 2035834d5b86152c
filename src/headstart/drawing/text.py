"""How wide a text will be, without a font library: the layout leaves room for a wide font."""

import unicodedata

# Advance widths in hundredths of the font's size, rounded up, of DejaVu Sans and DejaVu Sans Bold
# (measured once): with Verdana the widest of the usual fonts, so that any other fits.
_REGULAR = {
    28: "'ijl", 30: "IJ", 32: " ,.·", 34: "/:;\\|", 36: "f", 37: "-", 40: "()[]t", 41: "!²",
    42: "r", 46: '"', 50: "*_`–", 53: "sz", 54: "?", 55: "c", 56: "L", 58: "Fk", 60: "vxy", 61: "P",
    62: "TYaeo", 64: "$0123456789ESbdghnpqu{}µ", 66: "Kα", 69: "ABVXZ", 70: "CR", 74: "U", 75: "N",
    76: "H", 78: "&DG", 79: "OQ", 82: "w", 84: "#+<=>^~×→−≥≤", 87: "M", 96: "%", 98: "m", 99: "W",
    100: "@…—",
}  # fmt: skip
_BOLD = {
    31: "'", 35: " ijl", 37: "/\\|", 38: ",.IJ·", 40: ":;", 42: "-", 44: "f²", 46: "!()[]", 48: "t",
    50: "_`r–", 53: '"*', 59: "?z", 60: "cs", 64: "L", 65: "x", 66: "vy", 67: "k", 68: "ae",
    69: "EFToα", 70: "$0123456789", 72: "bdghnpqu{}", 73: "SYZ", 74: "CPµ", 77: "B", 78: "AKRVX",
    82: "U", 83: "G", 84: "#+<=>DHN^~×→−≥≤", 86: "OQ", 88: "&", 93: "w", 100: "@M…—", 101: "%",
    105: "m", 111: "W",
}  # fmt: skip
_WIDTHS = {
    bold: {letter: width / 100 for width, letters in table.items() for letter in letters}
    for bold, table in ((False, _REGULAR), (True, _BOLD))
}
_UNKNOWN = 1.2
"""Of letters of other alphabets; emoji and ideographs of usual fonts are at most so wide."""


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Returns the width in pixels that a text may need in a usual sans-serif font.

    Args:
        text: one line.
        size: of the font in pixels.
        bold: whether it is set in bold.

    Example:
        >>> text_width("Conv 3×3", 10) < text_width("Conv 3×3", 10, bold=True) < 60
        True
    """
    widths = _WIDTHS[bold]
    return size * sum(
        widths.get(letter, 0.0 if unicodedata.combining(letter) else _UNKNOWN) for letter in text
    )


def shortened(text: str, size: float, *, room: float, bold: bool = False) -> str:
    """Returns the text, cut with an ellipsis where it would be wider than `room` pixels.

    Example:
        >>> shortened("a_very_long_name", 10, room=60)
        'a_very_lo…'
    """
    if text_width(text, size, bold=bold) <= room:
        return text
    while text and text_width(f"{text}…", size, bold=bold) > room:
        text = text[:-1]
    return f"{text}…"
