"""A view is decided by the photo, its number and the seed, and looks like a photo."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from headstart.data.augment import (
    STANDARD,
    Augmentation,
    View,
    _tinted,
    mix_batch,
    parse_augmentation,
    view_of,
)
from headstart.errors import ArgumentError

EVERYTHING = Augmentation(flip=True, crop=0.5, turn=20.0, colour=0.4)
DIGEST = hashlib.sha256(b"a photo").hexdigest()


def noise(size: int = 48) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)


def coordinates(size: int = 256) -> np.ndarray:
    """A photo whose red is x and whose green is y, so that a view shows where it came from."""
    y, x = np.mgrid[:size, :size]
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


def slopes(view: np.ndarray) -> np.ndarray:
    """How red and green change along x and along y of a view of `coordinates`, 2 x 2."""
    middle = view[4:-4, 4:-4, :2].astype(float)
    down, across = np.gradient(middle, axis=(0, 1))
    return np.stack([across.mean(axis=(0, 1)), down.mean(axis=(0, 1))])


def test_the_first_view_is_the_photo_as_it_is() -> None:
    photo = noise()
    assert view_of(photo, EVERYTHING, digest=DIGEST, view=0, seed=3) is photo
    assert view_of(photo, Augmentation(mixup=0.2), digest=DIGEST, view=4, seed=3) is photo


@pytest.mark.parametrize("augmentation", [STANDARD, EVERYTHING], ids=["standard", "everything"])
def test_photo_number_and_seed_each_give_another_view(augmentation: Augmentation) -> None:
    others = [(DIGEST, 1, 0), (DIGEST, 2, 0), (DIGEST, 1, 1), ("0" * 64, 1, 0)]
    views = [view_of(noise(), augmentation, digest=d, view=v, seed=s) for d, v, s in others]
    assert all(view.shape == (48, 48, 3) and view.dtype == np.uint8 for view in views)
    assert len({view.tobytes() for view in views}) == 4


def test_another_process_makes_the_same_view() -> None:
    code = (
        "import hashlib, numpy as np\n"
        "from headstart.data.augment import Augmentation, view_of\n"
        "photo = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)\n"
        "everything = Augmentation(flip=True, crop=0.5, turn=20.0, colour=0.4)\n"
        f"view = view_of(photo, everything, digest={DIGEST!r}, view=5, seed=2)\n"
        "print(hashlib.sha256(view.tobytes()).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    here = view_of(noise(), EVERYTHING, digest=DIGEST, view=5, seed=2)
    assert child.stdout.strip() == hashlib.sha256(here.tobytes()).hexdigest()


def test_what_is_drawn_stays_the_same_from_release_to_release() -> None:
    photo = coordinates(8)
    mirrored = [
        bool(view_of(photo, Augmentation(flip=True), digest="ab" * 32, view=n, seed=7)[0, 0, 0])
        for n in range(1, 17)
    ]
    # Written down once, from NumPy 2.4's PCG64 alone, on x86-64.
    assert "".join("01"[int(m)] for m in mirrored) == "1001010010111000"


@pytest.mark.parametrize("turn", [0.0, 3.0, 45.0, 180.0])
@pytest.mark.parametrize("crop", [0.08, 0.7, 1.0])
def test_no_view_has_an_empty_corner(turn: float, crop: float) -> None:
    photo = np.full((31, 31, 3), 200, np.uint8)
    augmentation = Augmentation(flip=True, crop=crop, turn=turn)
    for number in range(1, 60):
        view = view_of(photo, augmentation, digest=DIGEST, view=number, seed=0)
        assert (view == 200).all()


def test_a_crop_shows_the_share_and_the_shape_that_were_asked_for() -> None:
    crop = Augmentation(crop=0.4)
    views = [view_of(coordinates(), crop, digest=DIGEST, view=n, seed=0) for n in range(1, 200)]
    sides = np.array([np.diag(slopes(view)) for view in views])
    areas, ratios = sides.prod(axis=1), sides[:, 0] / sides[:, 1]
    assert 0.39 < areas.min() < 0.45
    assert 0.93 < areas.max() <= 1.01
    assert 0.74 < ratios.min() < 0.8
    assert 1.25 < ratios.max() < 1.35


def test_a_turn_stays_within_its_degrees_to_either_side() -> None:
    turn = Augmentation(turn=10.0)
    views = [view_of(coordinates(), turn, digest=DIGEST, view=n, seed=0) for n in range(1, 100)]
    both = [slopes(view) for view in views]
    angles = np.array([np.degrees(np.arctan2(s[0, 1], s[0, 0])) for s in both])
    lengths = np.array([np.hypot(*s[0]) for s in both])
    assert -10.1 < angles.min() < -9
    assert 9 < angles.max() < 10.1
    radians = np.radians(np.abs(angles))
    np.testing.assert_allclose(lengths, 1 / (np.cos(radians) + np.sin(radians)), atol=0.01)


def test_half_of_the_views_are_mirrored() -> None:
    flip = Augmentation(flip=True)
    views = [view_of(coordinates(), flip, digest=DIGEST, view=n, seed=0) for n in range(1, 201)]
    mirrored = [np.array_equal(view, coordinates()[:, ::-1]) for view in views]
    assert all(m or np.array_equal(v, coordinates()) for m, v in zip(mirrored, views, strict=True))
    assert 80 < sum(mirrored) < 120


def test_colour_keeps_grey_grey_and_its_brightness_within_the_strength() -> None:
    photo = np.full((16, 16, 3), 120, np.uint8)
    colour = Augmentation(colour=0.25)
    views = [view_of(photo, colour, digest=DIGEST, view=n, seed=0) for n in range(1, 200)]
    assert all(np.ptp(view) == 0 for view in views)
    levels = [int(view[0, 0, 0]) for view in views]
    assert 96 <= min(levels) < 98
    assert 148 < max(levels) <= 150


@pytest.mark.parametrize(
    "factors", [(1.2, 1.0, 1.0), (1.0, 0.8, 1.0), (1.0, 1.0, 0.5), (0.9, 1.1, 1.2)]
)
def test_colours_change_as_pillow_enhances_them(factors: tuple[float, float, float]) -> None:
    image = Image.fromarray(noise() // 3 + 80)
    expected = image
    kinds = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    for enhance, factor in zip(kinds, factors, strict=True):
        expected = enhance(expected).enhance(factor)
    around = float(np.asarray(image.convert("L")).mean())
    changed = np.asarray(_tinted(image, list(factors), around=around), float)
    # Pillow cuts off to whole grey levels three times.
    np.testing.assert_allclose(changed, np.asarray(expected, float), atol=3.5)


def test_a_view_is_named_by_all_that_decides_it() -> None:
    assert View(STANDARD, 0, 5).key == View(Augmentation(mixup=0.2), 3, 5).key == "whole"
    assert View(STANDARD, 2, 5).key == "v1-flip-crop0.7-colour0.2-seed5-view2"
    settings = ["flip", "crop:0.9", "turn:5", "colour:0.1", "flip,turn:5", "turn:5.000001"]
    assert len({parse_augmentation(text).key for text in settings}) == 6
    applied = View(EVERYTHING, 4, 1).apply(noise(), DIGEST)
    expected = view_of(noise(), EVERYTHING, digest=DIGEST, view=4, seed=1)
    np.testing.assert_array_equal(applied, expected)


def test_the_argument_is_read() -> None:
    assert parse_augmentation("none") == Augmentation()
    assert parse_augmentation("standard") == parse_augmentation("flip,crop:0.7,colour:0.2")
    text = "flip, crop:0.7,turn:10, colour:0.2,rand_augment:0.3,mixup:0.2"
    assert parse_augmentation(text) == Augmentation(True, 0.7, 10.0, 0.2, 0.3, 0.2)


def test_what_frozen_passes_and_what_only_training_can_use_is_told_apart() -> None:
    none, mixup = parse_augmentation("none"), parse_augmentation("mixup:0.2")
    assert (none.is_none, none.changes_photos, none.changes_batches) == (True, False, False)
    assert (mixup.is_none, mixup.changes_photos, mixup.changes_batches) == (False, False, True)
    assert parse_augmentation("crop:1,turn:0").is_none
    assert STANDARD.changes_photos
    assert not STANDARD.changes_batches


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colr:0.2", r"augment='colr:0\.2': 'colr' is unknown\. .*Did you mean colour\?"),
        ("standart", r"'standart' is unknown\. Expected none, standard, .*Did you mean standard\?"),
        ("", r"augment='': '' is unknown"),
        ("flip,flip", r"says 'flip' twice\. Keep one"),
        ("crop:0.7,crop:0.8", r"says 'crop' twice"),
        ("crop:1.5", r"got '1\.5' for crop; expected a number from 0\.08 to 1, as in crop:0\.7"),
        ("turn:-5", r"got '-5' for turn; expected a number from 0 to 180"),
        ("colour", r"got '' for colour; expected a number from 0 to 1, as in colour:0\.2"),
        ("mixup:much", r"got 'much' for mixup"),
        ("rand_augment:nan", r"got 'nan' for rand_augment"),
        ("flip:1", r"flip takes no number"),
        ("standard,turn:10", r"standard stands alone\. .*flip,crop:0\.7,colour:0\.2"),
    ],
)
def test_a_mistake_in_the_argument_is_explained(text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        parse_augmentation(text)


def batch() -> tuple[np.ndarray, np.ndarray]:
    photos = np.random.default_rng(1).integers(0, 256, (6, 24, 24, 3), np.uint8)
    return photos, np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]


def test_a_batch_that_nothing_mixes_only_becomes_float32() -> None:
    photos, targets = mix_batch(*batch(), STANDARD, seed=0, step=0)
    np.testing.assert_array_equal(photos, batch()[0])
    np.testing.assert_array_equal(targets, batch()[1])
    assert photos.dtype == targets.dtype == np.float32


@pytest.mark.neutral
@pytest.mark.parametrize("text", ["mixup:0.4", "rand_augment:0.5", "rand_augment:1,mixup:1"])
def test_a_mixed_batch_is_decided_by_seed_and_step(text: str) -> None:
    augmentation = parse_augmentation(text)
    steps = [(0, 0), (0, 0), (0, 1), (1, 0)]
    mixed = [mix_batch(*batch(), augmentation, seed=seed, step=step) for seed, step in steps]
    for photos, targets in mixed:
        assert photos.shape == (6, 24, 24, 3)
        assert photos.dtype == targets.dtype == np.float32
        assert photos.min() >= 0
        assert photos.max() <= 255
        np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(mixed[0][0], mixed[1][0])
    np.testing.assert_array_equal(mixed[0][1], mixed[1][1])
    assert len({photos.tobytes() for photos, _ in mixed}) == 3


@pytest.mark.neutral
def test_mixup_gives_photos_and_targets_the_same_shares() -> None:
    photos = np.repeat(np.arange(4, dtype=np.uint8) * 60, 12).reshape(4, 2, 2, 3)
    levels = np.arange(4, dtype=np.float32) * 60
    mixed, targets = mix_batch(
        photos, np.eye(4, dtype=np.float32), Augmentation(mixup=1.0), seed=3, step=0
    )
    np.testing.assert_allclose(mixed[:, 0, 0, 0], targets @ levels, atol=1e-3)
    assert (targets.max(axis=1) < 0.999).any()


@pytest.mark.neutral
def test_rand_augment_leaves_targets_alone() -> None:
    _, targets = mix_batch(*batch(), Augmentation(rand_augment=0.5), seed=0, step=0)
    np.testing.assert_array_equal(targets, batch()[1])


def test_targets_that_are_labels_are_refused() -> None:
    photos, _ = batch()
    with pytest.raises(ArgumentError, match=r"targets: got shape \(6,\) for 6 photos; expected"):
        mix_batch(photos, np.zeros(6, np.float32), Augmentation(mixup=0.2), seed=0, step=0)
