"""Occlusion: what a classifier says when a part of the photo is hidden. Needs no gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Photos (N, S, S, 3) uint8 in, probabilities (N, K) out."""

CELLS = 8
_LEAST = 1e-6


def occlusion(
    classify: Classify,
    photos: NDArray[np.uint8],
    classes: NDArray[np.integer[Any]],
    *,
    cells: int = CELLS,
) -> NDArray[np.float32]:
    """Returns a heat map for each photo: how much the class loses when a place is hidden.

    A square of a quarter of the photo's side, in the photo's mean colour, is moved over a grid; a
    place counts by the mean loss of log odds of the squares that hide it.
    Source: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014.

    Args:
        classify: the classifier.
        photos: uint8 (N, S, S, 3).
        classes: int (N,), which class to explain.
        cells: of the grid, a side; the classifier sees cells * cells + 1 pictures a photo.

    Returns:
        float32 (N, cells, cells) in [0, 1]; the largest of each map is 1, unless all are 0.

    Example:
        >>> def left_side_is_bright(photos):
        ...     p = photos[:, :, :4].mean(axis=(1, 2, 3)) / 256
        ...     return np.stack([1 - p, p], axis=1).astype(np.float32)
        >>> photo = np.zeros((1, 8, 8, 3), np.uint8)
        >>> photo[:, :, :4] = 255
        >>> heat = occlusion(left_side_is_bright, photo, np.array([1]), cells=4)
        >>> bool(heat[0, :, 0].min() > heat[0, :, 3].max())
        True
    """
    return np.stack(
        [
            _of_one(classify, photo, int(number), cells)
            for photo, number in zip(photos, classes, strict=True)
        ]
    )


def _of_one(
    classify: Classify, photo: NDArray[np.uint8], number: int, cells: int
) -> NDArray[np.float32]:
    side = photo.shape[0]
    edges = np.linspace(0, side, cells + 1).round().astype(int)
    colour = photo.mean(axis=(0, 1)).astype(np.uint8)
    reach = max(0, cells // 4 - 1)
    pictures, windows = [photo], []
    for row in range(cells):
        for column in range(cells):
            top, left = max(0, row - reach // 2), max(0, column - reach // 2)
            down, right = min(cells, top + reach + 1), min(cells, left + reach + 1)
            hidden = photo.copy()
            hidden[edges[top] : edges[down], edges[left] : edges[right]] = colour
            pictures.append(hidden)
            windows.append((slice(top, down), slice(left, right)))
    p = np.clip(classify(np.stack(pictures))[:, number].astype(np.float64), _LEAST, 1 - _LEAST)
    odds = np.log(p) - np.log1p(-p)
    losses, seen = np.zeros((cells, cells)), np.zeros((cells, cells))
    for window, value in zip(windows, odds[1:], strict=True):
        losses[window] += odds[0] - value
        seen[window] += 1
    heat = np.maximum(losses / np.maximum(seen, 1), 0)
    largest = heat.max()
    return np.asarray(heat / largest if largest > 0 else heat, np.float32)
