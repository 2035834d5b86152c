"""What the starter is pretrained on: letters and symbols of matplotlib's fonts, no digit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# One string a class; letters that look alike once scaled to one height share a class.
LATIN = (
    "A B Cc D E F G H Il J Kk L M N Oo Pp Q R Ss T Uu Vv Ww Xx Yy Zz a b d e f g h i j m n q r t"
)
GREEK = "Γ Δ Θθ Λ Ξ Π Σ Φφ Ψψ Ω α β γ δ ε ζ η λ μ ξ π σ τ ω ς"
CYRILLIC = "Б б Д Ж З И Й Л Ц Ч Ш Щ Ъ Ы Э Ю Я в ф"
ARMENIAN = " ".join(map(chr, (*range(0x531, 0x557), *range(0x561, 0x587))))
GEORGIAN = " ".join(map(chr, range(0x10D0, 0x10F1)))
HEBREW = " ".join(map(chr, range(0x5D0, 0x5EB)))
LAO = "ກ ຂ ຄ ງ ຈ ຊ ຍ ດ ຕ ຖ ທ ນ ບ ປ ຜ ຝ ພ ຟ ມ ຢ ຣ ລ ວ ສ ຫ ອ ຮ"
SYMBOLS = (
    "& @ # % $ € £ ¥ § ¶ ? ! + = < > / \\ { } [ ] ( ) * ~ ∞ ∂ ∫ √ ∇ ∀ ∃ ∈ ⊂ ∪ ⊕ ⊗ "
    "♠ ♣ ♥ ♦ ← → ↑ ↓ ★ ß æ þ ø đ"
)
CLASSES = tuple(
    " ".join((LATIN, GREEK, CYRILLIC, ARMENIAN, GEORGIAN, HEBREW, LAO, SYMBOLS)).split()
)
GLYPHS = tuple(dict.fromkeys("".join(CLASSES)))

UNICODE_FONTS = (
    *(f"DejaVuSans{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
)
# TeX fonts put other signs at many code points; their Latin letters are where they belong.
TEX_FONTS = ("cmb10", "cmmi10", "cmr10", "cmss10", "cmti10", "cmtt10")
TEX_CAPITALS = ("cmsy10",)  # calligraphic capitals
FONTS = (*UNICODE_FONTS, *TEX_FONTS, *TEX_CAPITALS)

GLYPH_SIDE = 64  # a glyph in the bank
GLYPH_BODY = 44  # its longer side, the rest is margin


def glyph_bank() -> dict[str, Any]:
    """Renders every class in every font that has it.

    Returns:
        `distance` (G, 2, 64, 64) float32: distance in pixels to the glyph's outline (negative
        inside) and to its skeleton; `label` (G,) class numbers; `of_class`: rows of each class.
    """
    import numpy as np
    from scipy.ndimage import distance_transform_edt as distance

    bitmaps, labels = [], []
    for label, members in enumerate(CLASSES):
        for glyph in members:
            for image in _renderings(glyph):
                bitmaps.append(image)
                labels.append(label)
    ink = np.stack(bitmaps)
    bones = skeletons(ink)
    maps = np.stack(
        [
            np.stack([distance(~glyph) - distance(glyph), distance(~bone)])
            for glyph, bone in zip(ink, bones, strict=True)
        ]
    )
    label_of = np.array(labels)
    rows = [np.flatnonzero(label_of == label) for label in range(len(CLASSES))]
    return {"distance": maps.astype(np.float32), "label": label_of, "of_class": rows}


def _renderings(glyph: str) -> list[Any]:
    import matplotlib
    from matplotlib.ft2font import FT2Font

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    latin = glyph.isascii() and glyph.isalpha()
    names = list(UNICODE_FONTS)
    names += TEX_FONTS if latin else ()
    names += TEX_CAPITALS if latin and glyph.isupper() else ()
    paths = [folder / f"{name}.ttf" for name in names]
    return [_render(glyph, path) for path in paths if ord(glyph) in FT2Font(path).get_charmap()]


def _render(glyph: str, path: Path) -> Any:
    """One glyph as (64, 64) bool, its longer side 44 pixels, in the middle."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.new("L", (400, 400))
    ImageDraw.Draw(sheet).text((100, 100), glyph, fill=255, font=ImageFont.truetype(path, 160))
    box = sheet.getbbox()
    if box is None:
        raise SystemExit(f"{path.name} draws nothing for {glyph!r}")
    cut = sheet.crop(box)
    scale = GLYPH_BODY / max(cut.size)
    cut = cut.resize([max(1, round(side * scale)) for side in cut.size], Image.Resampling.BOX)
    tile = Image.new("L", (GLYPH_SIDE, GLYPH_SIDE))
    tile.paste(cut, tuple((GLYPH_SIDE - side) // 2 for side in cut.size))
    return np.asarray(tile) >= 128


def skeletons(ink: Any) -> Any:
    """Thins (G, H, W) bool bitmaps to lines: a pen's path, as handwriting has.

    Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", 1984.
    """
    import numpy as np

    ink = ink.copy()
    active = np.arange(len(ink))
    while len(active):
        part = ink[active]
        before = part.copy()
        for first in (True, False):
            part &= ~_removable(part, first=first)
        ink[active] = part
        active = active[(part != before).any(axis=(1, 2))]
    return ink


def _removable(ink: Any, *, first: bool) -> Any:
    import numpy as np

    padded = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    height, width = ink.shape[1:]
    # Neighbours clockwise from north.
    ring = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
    around = [padded[:, y : y + height, x : x + width] for y, x in ring]
    count = np.sum(around, axis=0, dtype=np.int8)
    turns = np.sum(
        [~a & b for a, b in zip(around, around[1:] + around[:1], strict=True)],
        axis=0,
        dtype=np.int8,
    )
    north, east, south, west = around[0], around[2], around[4], around[6]
    if first:
        edge = ~(north & east & south) & ~(east & south & west)
    else:
        edge = ~(north & east & west) & ~(north & south & west)
    return ink & (count >= 2) & (count <= 6) & (turns == 1) & edge
