"""Arrays as photos: what comes as `(X, y)` is written once as PNG files and then treated alike."""

import csv
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from headstart.errors import ArgumentError
from headstart.files import atomic_folder

_TABLE = "photos.csv"


def write_arrays(
    images: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None, *, into: Path
) -> Path:
    """Writes pictures into class folders, without loss, under the digest of their content.

    Args:
        images: uint8 (N, H, W, 3) RGB or (N, H, W) grey, 0..255.
        labels: N class names or numbers.
        weights: N numbers, 0 or more: how much each counts in training; None for all alike.
        into: the folder that holds such folders.

    Returns:
        The folder of class folders, or a CSV in it that names the weights; written only the first
        time.

    Raises:
        ArgumentError: when the shapes or the dtype do not fit.
    """
    pictures, names = np.asarray(images), np.asarray(labels)
    _check(pictures, names)
    digest = hashlib.sha256(np.ascontiguousarray(pictures).data)
    digest.update(repr((pictures.shape, names.tolist())).encode())
    if weights is not None:
        weights = _checked_weights(weights, len(pictures))
        digest.update(repr(weights.tolist()).encode())
    folder = into / digest.hexdigest()
    if not folder.is_dir():
        with atomic_folder(folder) as temporary:
            files = [f"{name}/{number:07d}.png" for number, name in enumerate(names)]
            for file, picture in zip(files, pictures, strict=True):
                (temporary / file).parent.mkdir(exist_ok=True)
                Image.fromarray(picture).save(temporary / file)
            if weights is not None:
                with (temporary / _TABLE).open("w", newline="", encoding="utf-8") as table:
                    writer = csv.writer(table)
                    writer.writerow(["path", "label", "weight"])
                    writer.writerows(zip(files, names, weights.tolist(), strict=True))
    return folder if weights is None else folder / _TABLE


def _checked_weights(weights: ArrayLike, count: int) -> NDArray[np.float64]:
    found = np.asarray(weights, np.float64)
    if found.shape != (count,) or not np.isfinite(found).all() or (found < 0).any():
        raise ArgumentError(
            f"photos: {count} pictures but weights of shape {found.shape}, from "
            f"{found.min(initial=0):g}; expected one number a picture, 0 or more: how much it "
            "counts in training."
        )
    return found


def _check(pictures: NDArray[Any], names: NDArray[Any]) -> None:
    fits = pictures.ndim == 3 or (pictures.ndim == 4 and pictures.shape[3] == 3)
    if pictures.dtype != np.uint8 or not fits:
        raise ArgumentError(
            f"photos: got an array of {pictures.dtype} with shape {pictures.shape}; expected uint8 "
            "(N, H, W, 3) RGB or (N, H, W) grey, 0..255. For floats in [0, 1]: "
            "(X * 255).round().astype('uint8')."
        )
    if names.shape != (len(pictures),):
        raise ArgumentError(
            f"photos: {len(pictures)} pictures but labels of shape {names.shape}; "
            "expected one label a picture."
        )
    bad = [str(name) for name in np.unique(names) if not _is_folder_name(str(name))]
    if bad:
        raise ArgumentError(f"photos: labels {bad} cannot name a folder. Use names without '/'.")


def _is_folder_name(name: str) -> bool:
    return bool(name) and "/" not in name and "\\" not in name and not name.startswith(".")
