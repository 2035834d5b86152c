"""Occlusion finds the place that decides, and an overlay shows it."""

import numpy as np

from headstart.explanation.occlusion import occlusion
from headstart.explanation.overlay import overlay


def bright_corner(photos):
    """A classifier that looks at the upper left quarter only."""
    side = photos.shape[1] // 2
    p = photos[:, :side, :side].mean(axis=(1, 2, 3)) / 300
    return np.stack([1 - p, p], axis=1).astype(np.float32)


def test_the_place_that_decides_is_hot_and_others_are_cold() -> None:
    photo = np.random.default_rng(0).integers(0, 60, (1, 32, 32, 3)).astype(np.uint8)
    photo[:, :16, :16] = 250
    (heat,) = occlusion(bright_corner, photo, np.array([1]))
    assert heat.shape == (8, 8)
    assert heat.max() == 1
    assert heat[:4, :4].min() > 10 * heat[5:, 5:].max()


def test_a_photo_of_one_colour_has_nothing_to_hide() -> None:
    photo = np.full((1, 16, 16, 3), 99, np.uint8)
    assert occlusion(bright_corner, photo, np.array([1])).max() == 0


def test_the_other_class_is_explained_by_other_places() -> None:
    photo = np.full((1, 32, 32, 3), 200, np.uint8)
    photo[:, :8, :8] = 0  # dark, which speaks against the class that loves light
    heat = [occlusion(bright_corner, photo, np.array([number]))[0] for number in (0, 1)]
    assert heat[0][:2, :2].mean() > heat[1][:2, :2].mean()


def test_an_overlay_colours_hot_places_and_leaves_cold_ones_grey() -> None:
    photo = np.full((40, 40, 3), 120, np.uint8)
    heat = np.zeros((4, 4))
    heat[:, :1] = 1
    shown = overlay(photo, heat).astype(int)
    assert shown.shape == photo.shape
    assert np.ptp(shown[20, 35]) < 5
    assert np.ptp(shown[20, 2]) > 60
