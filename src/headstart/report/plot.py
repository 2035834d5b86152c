"""What all plots share: the sheet, the colours, the rules across it."""

from collections.abc import Sequence
from html import escape

# Okabe and Ito's colours, told apart by colour-blind readers, on white and on dark paper.
BLUE, ORANGE, GREY = "#0090d0", "#d55e00", "#7f7f7f"

PAPER = "var(--paper, Canvas)"
"""Around letters that a line may pass behind: the colour of the page."""

_OWN_INK = "<style>svg{color:#1c2430}@media(prefers-color-scheme:dark){svg{color:#e8ecf2}}</style>"


def sheet(
    width: int, height: int, label: str, *, parts: Sequence[str], stands_alone: bool = False
) -> str:
    """Puts the parts of a plot on a sheet.

    Args:
        width: in pixels.
        height: in pixels.
        label: for those who cannot see it.
        parts: SVG elements; what has no colour of its own takes that of the text around.
        stands_alone: whether it is a file of its own, with ink for light and for dark.

    Example:
        >>> sheet(100, 50, "nothing yet", parts=[])[:4]
        '<svg'
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" aria-label="{escape(label)}" fill="currentColor" '
        'style="font:13px system-ui,sans-serif;max-width:100%;height:auto">'
        f"{_OWN_INK if stands_alone else ''}{''.join(parts)}</svg>"
    )


def heading(left: float, text: str) -> str:
    """A title above a plot, its left edge at `left`."""
    return f'<text x="{left}" y="20" font-size="16" font-weight="600">{escape(text)}</text>'


def rule(left: float, right: float, y: float, *, label: str) -> str:
    """A thin line across, with what it stands for at its left."""
    return (
        f'<path d="M{left} {y:.1f}H{right}" stroke="currentColor" stroke-opacity=".18"/>'
        f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def below(x: float, y: float, text: str) -> str:
    """A text centred at `x`, such as the number at a tick."""
    return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{text}</text>'
