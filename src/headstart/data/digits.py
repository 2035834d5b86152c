"""The embedded photos: scikit-learn's 1,797 handwritten digits.

They come with a package that is installed anyway, so the demo needs no download. Each digit was
written on paper by one of 43 people and scanned to 32 x 32 black and white; ink was counted in
4 x 4 cells, which gives 8 x 8 cells of 0..16.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, doi:10.24432/C50P49 (the test part of it).
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.files import atomic_folder

DIGIT_CLASS_NAMES = tuple("0123456789")


def load_digit_arrays() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Returns the digits as RGB arrays.

    Returns:
        X: uint8 (1797, 8, 8, 3), white ink (255) on black (0), the three channels equal.
        y: int64 (1797,), 0..9.

    Example:
        >>> X, y = load_digit_arrays()
        >>> X.shape, X.dtype.name, int(X.max()), len(set(y.tolist()))
        ((1797, 8, 8, 3), 'uint8', 255, 10)
    """
    grey, labels = _grey_digits()
    return np.repeat(grey[..., None], 3, axis=3), labels


def digit_photos() -> tuple[list[bytes], NDArray[np.int64]]:
    """Returns the digits as PNG files in memory (8 x 8, greyscale), and their labels 0..9.

    Example:
        >>> photos, labels = digit_photos()
        >>> len(photos), photos[0][1:4], int(labels[0])
        (1797, b'PNG', 0)
    """
    grey, labels = _grey_digits()
    return [_png(digit) for digit in grey], labels


def write_digit_photos(folder: Path) -> Path:
    """Writes the digits as PNG files (8 x 8, greyscale) into class folders `0` to `9`.

    Args:
        folder: must not exist yet; it appears when every photo is in it.

    Returns:
        `folder`, holding `0/digit_0000.png`, `1/digit_0001.png` and so on; the number is the
        digit's place in scikit-learn's array.

    Raises:
        ArgumentError: when `folder` exists.
        DiskFullError: when there is no room; nothing stays behind.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as parent:
        ...     photos = write_digit_photos(Path(parent, "digits"))
        ...     sorted(path.name for path in photos.iterdir())[:3]
        ['0', '1', '2']
    """
    photos, labels = digit_photos()
    with atomic_folder(folder) as temporary:
        for name in DIGIT_CLASS_NAMES:
            (temporary / name).mkdir()
        for number, (photo, label) in enumerate(zip(photos, labels, strict=True)):
            class_name = DIGIT_CLASS_NAMES[label]
            (temporary / class_name / f"digit_{number:04d}.png").write_bytes(photo)
    return folder


def _grey_digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return grey, np.asarray(digits.target, np.int64)


def _png(grey: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()
