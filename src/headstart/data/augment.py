"""Other looks at the same photo: what may differ from view to view, and the views themselves.

A view is decided by the photo's digest, its number and a seed, never by the order of the work or
the number of threads: the rows of a frozen pass can be kept, and a training run can be repeated.
View 0 is the photo as it is. Whole batches can also be mixed, which only end-to-end training can
use: what comes out is no longer a view of one photo.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.errors import ArgumentError, near_matches

AUGMENT_VERSION = 1
"""Part of every view's key; raised when `view_of` gives other pixels for the same arguments."""

SMALLEST_CROP = 0.08
"""Of the photo's area: what Szegedy et al. (2015) go down to."""

LARGEST_RATIO = 4 / 3
"""Width to height of a crop, and the other way round. Source: Szegedy et al. (2015)."""

_RANGES = {
    "crop": (SMALLEST_CROP, 1.0, "0.7"),
    "turn": (0.0, 180.0, "10"),
    "colour": (0.0, 1.0, "0.2"),
    "rand_augment": (0.0, 1.0, "0.3"),
    "mixup": (0.0, 1.0, "0.2"),
}
_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601, as everywhere in Pillow


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What may differ between the views of a photo.

    Attributes:
        flip: every second view is mirrored left to right.
        crop: the smallest share of the photo's area that a view shows, 0.08 to 1; 1 for all of it.
            The share is drawn evenly, the crop's ratio of sides goes from 3/4 to 4/3 (Szegedy et
            al., 2015, https://arxiv.org/abs/1409.4842).
        turn: degrees to either side, 0 to 180. A turned view shows as much less of the photo as it
            takes to have no empty corners: at 10 degrees, 74 per cent.
        colour: strength in [0, 1]; brightness, contrast and saturation are each multiplied by a
            factor between 1 / (1 + colour) and 1 + colour.
        rand_augment: magnitude in [0, 1] of Keras' RandAugment; see `mix_batch`.
        mixup: alpha in [0, 1] of Keras' MixUp; see `mix_batch`.
    """

    flip: bool = False
    crop: float = 1.0
    turn: float = 0.0
    colour: float = 0.0
    rand_augment: float = 0.0
    mixup: float = 0.0

    @property
    def is_none(self) -> bool:
        """Tells whether nothing ever changes."""
        return not (self.changes_photos or self.changes_batches)

    @property
    def changes_photos(self) -> bool:
        """Tells whether the views of a photo differ, so that a frozen pass can use them."""
        return self.flip or self.crop < 1 or self.turn > 0 or self.colour > 0

    @property
    def changes_batches(self) -> bool:
        """Tells whether `mix_batch` has work to do, which takes end-to-end training."""
        return self.rand_augment > 0 or self.mixup > 0

    @property
    def key(self) -> str:
        """Names all that decides the views of a photo, in letters that a folder's name can have."""
        words = [f"v{AUGMENT_VERSION}"]
        words += ["flip"] if self.flip else []
        words += [f"crop{self.crop!r}"] if self.crop < 1 else []
        words += [f"turn{self.turn!r}"] if self.turn > 0 else []
        words += [f"colour{self.colour!r}"] if self.colour > 0 else []
        return "-".join(words)


STANDARD = Augmentation(flip=True, crop=0.7, colour=0.2)
"""What `standard` stands for: views that a person would take for other photos of the same thing."""


def parse_augmentation(text: str) -> Augmentation:
    """Reads the argument `augment`.

    Args:
        text: `none`, `standard` (flip,crop:0.7,colour:0.2), or words with their numbers, such as
            `flip,crop:0.7,turn:10,colour:0.2,rand_augment:0.3,mixup:0.2`.

    Raises:
        ArgumentError: for a word that is unknown or repeated, or a number out of its range.

    Example:
        >>> parse_augmentation("flip,crop:0.8").crop
        0.8
    """
    if text in ("none", "standard"):
        return STANDARD if text == "standard" else Augmentation()
    settings: dict[str, Any] = {}
    for part in text.split(","):
        word, colon, number = (piece.strip() for piece in part.partition(":"))
        if word in settings:
            raise ArgumentError(f"augment={text!r} says {word!r} twice. Keep one of them.")
        if word == "flip" and not colon:
            settings[word] = True
        elif word in _RANGES:
            settings[word] = _number(word, number, text)
        else:
            raise ArgumentError(_unknown(word, text))
    return Augmentation(**settings)


def _number(word: str, number: str, text: str) -> float:
    lowest, highest, usual = _RANGES[word]
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not lowest <= value <= highest:
        raise ArgumentError(
            f"augment={text!r}: got {number!r} for {word}; expected a number from {lowest:g} to "
            f"{highest:g}, as in {word}:{usual}."
        )
    return value


def _unknown(word: str, text: str) -> str:
    if word == "flip":
        return f"augment={text!r}: flip takes no number. Write flip alone, or leave it out."
    if word in ("none", "standard"):
        return (
            f"augment={text!r}: {word} stands alone. "
            "To change standard, write it out: flip,crop:0.7,colour:0.2."
        )
    return (
        f"augment={text!r}: {word!r} is unknown. Expected none, standard, or words out of flip, "
        f"{', '.join(_RANGES)} between commas, as in flip,crop:0.7,turn:10."
        f"{near_matches(word, ['none', 'standard', 'flip', *_RANGES])}"
    )


@dataclass(frozen=True, slots=True)
class View:
    """One look at every photo.

    Attributes:
        augmentation: what may differ.
        number: 0 for the photos as they are, then as many as are wanted; an epoch, for instance.
        seed: of the run, not negative.
    """

    augmentation: Augmentation
    number: int
    seed: int

    @property
    def key(self) -> str:
        """Names all that decides the view's pixels, for a cache; `whole` for the photo as it is."""
        if self.number == 0 or not self.augmentation.changes_photos:
            return "whole"
        return f"{self.augmentation.key}-seed{self.seed}-view{self.number}"

    def apply(self, photo: NDArray[np.uint8], digest: str) -> NDArray[np.uint8]:
        """Returns this view of a photo: uint8 (S, S, 3); see `view_of`."""
        return view_of(photo, self.augmentation, digest=digest, view=self.number, seed=self.seed)


def view_of(
    photo: NDArray[np.uint8], augmentation: Augmentation, *, digest: str, view: int, seed: int
) -> NDArray[np.uint8]:
    """Returns one view of a photo, always the same for the same arguments.

    What is drawn is the same on every machine and in every thread; the pixels are those of the
    installed Pillow. A 224 x 224 photo takes 0.9 ms with flip, crop and colour, 1.7 ms with turn as
    well (one core of an AMD EPYC, Pillow 13).

    Args:
        photo: uint8 (S, S, 3), RGB, 0..255.
        augmentation: what may differ.
        digest: the SHA-256 of the photo's file, 64 hexadecimal digits.
        view: 0 for the photo as it is.
        seed: of the run, not negative.

    Returns:
        uint8 (S, S, 3); the photo itself, not a copy, where nothing changes.

    Example:
        >>> photo = np.zeros((8, 8, 3), np.uint8)
        >>> photo[:, 0] = 255
        >>> mirror = Augmentation(flip=True)
        >>> [int(view_of(photo, mirror, digest="5" * 64, view=n, seed=0)[0, 0, 0]) for n in (0, 6)]
        [255, 0]
    """
    if view == 0 or not augmentation.changes_photos:
        return photo
    words = np.frombuffer(bytes.fromhex(digest), "<u4").tolist()
    # Always as many draws in the same order: one setting never changes what another one does.
    draws = np.random.default_rng([*words, view, seed]).random(9).tolist()
    image = Image.fromarray(photo)
    image = _moved(image, _window(image.width, augmentation, draws[:5]))
    if augmentation.flip and draws[5] < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if augmentation.colour > 0:
        factors = [(1 + augmentation.colour) ** (2 * draw - 1) for draw in draws[6:]]
        # Every eighth pixel is plenty for a mean.
        image = _tinted(image, factors, around=float(photo[::8, ::8].mean(axis=(0, 1)) @ _GREY))
    return np.asarray(image, np.uint8)


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a photo that a view shows; pixels, centre (x, y), radians."""

    width: float
    height: float
    x: float
    y: float
    angle: float


def _window(side: int, augmentation: Augmentation, draws: list[float]) -> _Window:
    area = 1 - (1 - augmentation.crop) * draws[0]
    # No wider a range of ratios than fits into the photo, so that the area stays what was drawn.
    ratio = min(LARGEST_RATIO, 1 / area) ** (2 * draws[1] - 1)
    angle = math.radians(augmentation.turn * (2 * draws[2] - 1))
    width, height = side * math.sqrt(area * ratio), side * math.sqrt(area / ratio)
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    across, down = width * cos + height * sin, width * sin + height * cos
    shrink = min(1.0, side / max(across, down))
    x = shrink * across / 2 + (side - shrink * across) * draws[3]
    y = shrink * down / 2 + (side - shrink * down) * draws[4]
    return _Window(shrink * width, shrink * height, x, y, angle)


def _moved(image: Image.Image, window: _Window) -> Image.Image:
    """Crops, turns and resizes in one go: every pixel is interpolated once."""
    side = image.width
    if window.angle == 0:
        # Twice as fast as the general way. Rounding must not take the box out of the photo.
        left, top = max(0.0, window.x - window.width / 2), max(0.0, window.y - window.height / 2)
        box = (left, top, min(side, left + window.width), min(side, top + window.height))
        return image.resize((side, side), Image.Resampling.BILINEAR, box=box)
    cos, sin = math.cos(window.angle), math.sin(window.angle)
    across, down = window.width / side, window.height / side
    # Of each source coordinate: its step to the right, its step down, its value at the upper left.
    row_x = (cos * across, -sin * down, window.x - (cos * across - sin * down) * side / 2)
    row_y = (sin * across, cos * down, window.y - (sin * across + cos * down) * side / 2)
    return image.transform(
        (side, side), Image.Transform.AFFINE, (*row_x, *row_y), Image.Resampling.BILINEAR
    )


def _tinted(image: Image.Image, factors: list[float], *, around: float) -> Image.Image:
    """Multiplies brightness, contrast (around a grey level) and saturation, as one 3 x 4 matrix."""
    brightness, contrast, saturation = factors
    gain = brightness * contrast
    shift = brightness * (1 - contrast) * around
    matrix: list[float] = []
    for channel in range(3):
        row = [gain * (1 - saturation) * weight for weight in _GREY]
        row[channel] += gain * saturation
        matrix += [*row, shift]
    return image.convert("RGB", tuple(matrix))


def mix_batch(
    photos: NDArray[np.uint8] | NDArray[np.float32],
    targets: NDArray[np.float32],
    augmentation: Augmentation,
    *,
    seed: int,
    step: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Applies Keras' RandAugment, then Keras' MixUp, to a batch of an end-to-end training.

    RandAugment (Cubuk et al., 2019, https://arxiv.org/abs/1909.13719) draws two operations out of
    eleven for the batch and their strengths for each photo. Two of the eleven stay strong however
    small the magnitude: posterization keeps one or two bits, solarization inverts most pixels. And
    it computes all eleven each time: a photo of 224 x 224 pixels takes 60 ms with TensorFlow and
    200 ms with JAX or PyTorch on two busy cores. MixUp (Zhang et al., 2018,
    https://arxiv.org/abs/1710.09412) takes 2 ms.

    Args:
        photos: (B, S, S, 3), RGB, 0..255.
        targets: (B, K), one-hot.
        augmentation: what may differ; only `rand_augment` and `mixup` matter here.
        seed: of the run, not negative.
        step: of the training: the same seed and step give the same batch on the same backend.

    Returns:
        float32 photos (B, S, S, 3) in 0..255, and float32 targets (B, K) whose rows add up to 1.

    Raises:
        ArgumentError: when the targets are not (B, K).

    Example:
        >>> photos, targets = np.zeros((2, 8, 8, 3), np.uint8), np.eye(2, dtype=np.float32)
        >>> mixed = mix_batch(photos, targets, Augmentation(mixup=0.2), seed=0, step=7)
        >>> mixed[1].sum(axis=1).round(5).tolist()
        [1.0, 1.0]
    """
    if targets.ndim != 2 or len(targets) != len(photos):
        raise ArgumentError(
            f"targets: got shape {targets.shape} for {len(photos)} photos; expected (B, K), one "
            "row a photo and one column a class. For labels: np.eye(class_count)[labels]."
        )
    batch = {"images": np.asarray(photos, np.float32), "labels": np.asarray(targets, np.float32)}
    if augmentation.changes_batches:
        batch = _mixed(batch, augmentation, np.random.SeedSequence([seed, step]))
    return np.clip(batch["images"], 0, 255), batch["labels"]


def _mixed(
    batch: dict[str, Any], augmentation: Augmentation, seeds: np.random.SeedSequence
) -> dict[str, Any]:
    import keras

    # 31 bits: what every backend takes as a seed. New layers each time: a layer's generator moves
    # on with every call, and threads may call.
    first, second = (int(word) >> 1 for word in seeds.generate_state(2))
    _ignore_backend_remarks()
    if (factor := augmentation.rand_augment) > 0:
        batch = keras.layers.RandAugment(factor=factor, seed=first, dtype="float32")(batch)
    if (alpha := augmentation.mixup) > 0:
        batch = keras.layers.MixUp(alpha=alpha, seed=second, dtype="float32")(batch)
    return {name: keras.ops.convert_to_numpy(array) for name, array in batch.items()}


def _ignore_backend_remarks() -> None:
    """Silences what JAX and PyTorch remark on Keras' own code in these two layers (3.15).

    For good: filters that are put back afterwards are put back under the feet of other threads.
    """
    warnings.filterwarnings("ignore", "Explicitly requested dtype", UserWarning)
    warnings.filterwarnings("ignore", "Tensor.T is deprecated", UserWarning)
