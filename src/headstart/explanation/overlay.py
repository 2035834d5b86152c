"""A heat map laid over its photo."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Dark violet over red to yellow: grows lighter all the way, so that it reads in grey as well.
_STOPS = np.array(
    [[20, 11, 52], [95, 19, 110], [170, 44, 93], [230, 92, 48], [251, 165, 10], [252, 245, 140]],
    np.float32,
)
_STRONGEST = 0.65


def overlay(photo: NDArray[np.uint8], heat: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Lays a heat map over a photo; where it is 0, the grey photo shows.

    Args:
        photo: uint8 (S, S, 3).
        heat: (h, w) in [0, 1], of any size.

    Returns:
        uint8 (S, S, 3).

    Example:
        >>> photo = np.full((4, 4, 3), 100, np.uint8)
        >>> overlay(photo, np.zeros((2, 2)))[0, 0].tolist()
        [100, 100, 100]
    """
    height, width = photo.shape[:2]
    small = Image.fromarray(np.asarray(np.clip(heat, 0, 1), np.float32))
    smooth = np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
    values = np.clip(smooth, 0, 1)
    places = values * (len(_STOPS) - 1)
    lower = np.minimum(places.astype(int), len(_STOPS) - 2)
    part = (places - lower)[..., None]
    colours = _STOPS[lower] * (1 - part) + _STOPS[lower + 1] * part
    grey = np.asarray(Image.fromarray(photo).convert("L"), np.float32)[..., None]
    strength = (_STRONGEST * np.sqrt(values))[..., None]
    return np.asarray(grey * (1 - strength) + colours * strength, np.uint8)
