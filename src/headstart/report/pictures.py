"""Photos inside a page: small, and as text that needs no other file."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

THUMB = 96
"""Side in pixels of a thumbnail; 1,000 of them take about 4 MB."""

SHOWN = 224
"""Side in pixels of a photo with its heat map."""


def data_uri(pixels: NDArray[np.uint8], side: int) -> str:
    """Returns a photo as a `data:` address of a JPEG, never larger than `side`.

    Args:
        pixels: uint8 (S, S, 3).
        side: in pixels.

    Example:
        >>> data_uri(np.zeros((8, 8, 3), np.uint8), 4)[:23]
        'data:image/jpeg;base64,'
    """
    image = Image.fromarray(pixels)
    if max(image.size) > side:
        image = image.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    target: Any = io.BytesIO()
    image.save(target, "JPEG", quality=72)
    return "data:image/jpeg;base64," + base64.b64encode(target.getvalue()).decode("ascii")
