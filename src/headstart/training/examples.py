"""What a training is fed with: rows that are kept, or photos that are varied anew."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Inputs = NDArray[Any]
Mix = Callable[[Inputs, NDArray[np.float32], int], tuple[Inputs, NDArray[np.float32]]]
"""Mixes a batch of photos and its one-hot targets; the last argument counts steps."""


class Examples(Protocol):
    """Labelled inputs of a network."""

    @property
    def labels(self) -> NDArray[np.int32]:
        """The classes, int32 (N,)."""

    def inputs(self, positions: NDArray[np.int64], epoch: int) -> Inputs:
        """Returns a batch as the network takes it, (B, ...), for an epoch counted from 0."""


@dataclass(frozen=True)
class KeptRows:
    """Rows computed once: of one view of each photo, or of several.

    Attributes:
        labels: int32 (N,).
        views: each (N, ...); epoch e sees view e modulo their number.
    """

    labels: NDArray[np.int32]
    views: tuple[Inputs, ...]

    def inputs(self, positions: NDArray[np.int64], epoch: int) -> Inputs:
        """Returns float32 rows."""
        return self.views[epoch % len(self.views)][positions].astype(np.float32)


@dataclass(frozen=True)
class FreshPhotos:
    """Photos themselves, each epoch another view of them.

    Attributes:
        labels: int32 (N,).
        read: gives photos (B, S, S, 3) for positions and an epoch.
    """

    labels: NDArray[np.int32]
    read: Callable[[NDArray[np.int64], int], Inputs]

    def inputs(self, positions: NDArray[np.int64], epoch: int) -> Inputs:
        """Returns float32 photos, 0..255."""
        return self.read(positions, epoch).astype(np.float32)
