"""The photos of a problem once each has been read: names, labels and facts, no pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.listing import SetAside


@dataclass(frozen=True)
class ImageIndex:
    """Every usable photo of a problem, N in all.

    Attributes:
        root: `root / path` opens a photo.
        paths: N names relative to `root`, with `/`.
        labels: int32 (N,), positions in `class_names`.
        class_names: sorted.
        splits: N times "train", "validation", "test" or None, as the folders or the table say.
        digests: N times the SHA-256 of the file, 64 hexadecimal digits.
        widths: int32 (N,), pixels with orientation applied.
        heights: int32 (N,), likewise.
        formats: N times "JPEG", "PNG", ...: by content.
        modes: N times Pillow's mode before conversion.
        orientations: uint8 (N,), EXIF 1-8.
        fingerprints: uint8 (N, 16), see `headstart.data.decode.fingerprint`.
        thumbnails: uint8 (N, 16, 16), grey levels.
        set_aside: files that are not used, each with its reason.
        weights: float64 (N,), how much each counts in training; None for all alike.
    """

    root: Path
    paths: tuple[str, ...]
    labels: NDArray[np.int32]
    class_names: tuple[str, ...]
    splits: tuple[str | None, ...]
    digests: tuple[str, ...]
    widths: NDArray[np.int32]
    heights: NDArray[np.int32]
    formats: tuple[str, ...]
    modes: tuple[str, ...]
    orientations: NDArray[np.uint8]
    fingerprints: NDArray[np.uint8]
    thumbnails: NDArray[np.uint8]
    set_aside: tuple[SetAside, ...]
    weights: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.paths)

    def files(self, positions: Sequence[int] | NDArray[np.int64]) -> list[Path]:
        """Returns the files of some photos, in the order asked for."""
        return [self.root / self.paths[position] for position in positions]


def take(index: ImageIndex, positions: Sequence[int] | NDArray[np.int64]) -> ImageIndex:
    """Returns some of the photos, in the order asked for; classes stay as they are."""
    chosen = np.asarray(positions, np.int64)

    def some(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(values[at] for at in chosen.tolist())

    return replace(
        index,
        paths=some(index.paths),
        labels=index.labels[chosen],
        splits=some(index.splits),
        digests=some(index.digests),
        widths=index.widths[chosen],
        heights=index.heights[chosen],
        formats=some(index.formats),
        modes=some(index.modes),
        orientations=index.orientations[chosen],
        fingerprints=index.fingerprints[chosen],
        thumbnails=index.thumbnails[chosen],
        weights=None if index.weights is None else index.weights[chosen],
    )
