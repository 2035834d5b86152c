"""A photo as the network wants it, by NumPy and Pillow alone."""

from typing import Any

import numpy as np
from PIL import Image, ImageOps


def preprocess(file: Any, size: int) -> Any:
    """Returns a photo as float32 (size, size, 3), RGB, 0..255; `size` is in contract.json."""
    with Image.open(file) as photo:
        if photo.mode in ("RGB", "L"):
            photo.draft(photo.mode, (640, 640))  # large JPEGs are unpacked at 1/2, 1/4 or 1/8
        image = ImageOps.exif_transpose(photo)
        if image.has_transparency_data:
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image.convert("RGBA"))
        rgb = image.convert("RGB")
        small = rgb.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
        return np.asarray(small, np.float32)
