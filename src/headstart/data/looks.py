"""The closer look: are two thumbnails the same picture, whatever their light and contrast?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_RMS = 12.0
"""Grey levels (root of the mean square) between thumbnails of equal mean and contrast."""

MIN_CORRELATION = 0.95
"""Between thumbnails; different photos stay below 0.90."""

MAX_CONTRAST_RATIO = 1.3
"""Between thumbnails; a tenth more light changes it by 1.1."""

MAX_BRIGHTENING = 30.0
"""Grey levels between the means of thumbnails; a tenth more light changes them by up to 22."""

_CHUNK = 16_384


@dataclass(frozen=True, eq=False)
class Looks:
    """Thumbnails with what is needed to compare pairs of them fast.

    Attributes:
        thumbnails: uint8 (N, 256), grey levels of 16 x 16 cells.
        mean: float32 (N,), grey levels.
        contrast: float32 (N,), standard deviation in grey levels.
        coarse: float32 (N, 16), means of 4 x 4 blocks when mean is 0 and contrast 1.
    """

    thumbnails: NDArray[np.uint8]
    mean: NDArray[np.float32]
    contrast: NDArray[np.float32]
    coarse: NDArray[np.float32]

    @classmethod
    def of(cls, thumbnails: NDArray[np.uint8]) -> "Looks":
        """Measures thumbnails, uint8 (N, 256), in chunks: float copies of all would fill memory."""
        count = len(thumbnails)
        mean, contrast = np.empty(count, np.float32), np.empty(count, np.float32)
        coarse = np.empty((count, 16), np.float32)
        for start in range(0, count, _CHUNK):
            part = slice(start, start + _CHUNK)
            grey = thumbnails[part].astype(np.float32)
            mean[part], contrast[part] = grey.mean(axis=1), grey.std(axis=1)
            grey -= mean[part, None]
            grey /= np.maximum(contrast[part, None], np.float32(1e-6))
            coarse[part] = grey.reshape(-1, 4, 4, 4, 4).mean(axis=(2, 4)).reshape(-1, 16)
        return cls(thumbnails, mean, contrast, coarse)

    def alike(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tells for each pair of positions, int64 (M,) twice, whether the pictures are copies."""
        alike = np.zeros(len(one), np.bool_)
        for start in range(0, len(one), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            likely = start + np.flatnonzero(self._likely(one[chunk], other[chunk]))
            alike[likely] = self._surely(one[likely], other[likely])
        return alike

    def _likely(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Rules out what sixteen numbers can rule out; never a pair that `_surely` would take."""
        ratio = self.contrast[one] / self.contrast[other]
        brightening = np.abs(self.mean[one] - self.mean[other])
        # Block means can only be nearer than the cells themselves: 16 |c|^2 <= 256 * 2 (1 - r).
        difference = self.coarse[one] - self.coarse[other]
        squared = np.einsum("ij,ij->i", difference, difference)
        contrast = self.contrast[one] * self.contrast[other]
        allowed = np.minimum(2 * (1 - MIN_CORRELATION), MAX_RMS**2 / contrast)
        return np.asarray(
            (squared <= 16 * allowed * 1.001)
            & (ratio <= MAX_CONTRAST_RATIO)
            & (ratio >= 1 / MAX_CONTRAST_RATIO)
            & (brightening <= MAX_BRIGHTENING)
        )

    def _surely(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        # 256 products of two bytes stay below 2^24: exact in float32.
        product = np.einsum(
            "ij,ij->i",
            self.thumbnails[one].astype(np.float32),
            self.thumbnails[other].astype(np.float32),
        )
        contrast = self.contrast[one] * self.contrast[other]
        correlation = (product / 256 - self.mean[one] * self.mean[other]) / contrast
        squared = 2 * (1 - correlation) * contrast
        return np.asarray((squared <= MAX_RMS**2) & (correlation >= MIN_CORRELATION))
