"""Whether a photo is like those that a classifier learnt from at all.

A classifier of cats and dogs has to call a parrot one of the two. What tells it is out of its depth
is not its probabilities but the distance of the photo's features to those of the training photos.

Measured with MobileNetV2 on 1,684 cats and dogs, limits set on photos outside the references: 2.3 %
of 1,000 test photos are flagged, and all of 40 odd pictures, a parrot and a sunflower. (Centred or
standardised features, 5 or 10 neighbours: the same within a per cent; a limit set on the
references themselves would be 0 and flag everything.)
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_REFERENCES = 1000
"""500 did nearly as well as 1,684."""

SHARE_FLAGGED = 0.02
"""Of photos like the training photos that may be flagged."""

_CHUNK = 4096

Rows = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Familiarity:
    """Training photos to compare with, and how far from them is too far.

    Attributes:
        references: int8 (M, D), features of training photos; only their directions count.
        limit: cosine distance to the nearest of them above which a photo is unfamiliar.
    """

    references: NDArray[np.int8]
    limit: float

    @staticmethod
    def fit(train: Rows, held_out: Rows, *, seed: int = 0) -> "Familiarity":
        """Chooses references and sets the limit on photos that are not among them.

        Args:
            train: (N, D) features of training photos.
            held_out: (M, D) of others of the same kind; may be empty.
            seed: of the choice.

        Example:
            >>> random = np.random.default_rng(0)
            >>> cats = random.normal(5, 1, (300, 8))
            >>> learnt = Familiarity.fit(cats[:200], cats[200:])
            >>> bool(learnt.distances(-cats[:1])[0] > learnt.limit)
            True
        """
        chosen = np.arange(len(train))
        if len(train) > MAX_REFERENCES:
            chosen = np.sort(np.random.default_rng(seed).permutation(len(train))[:MAX_REFERENCES])
        references = _as_bytes(np.asarray(train[chosen]))
        others = np.delete(np.arange(len(train)), chosen)
        directions = _unit(references)
        far = [_nearest(held_out, directions), _nearest(train[others], directions)]
        # Each reference against all others, so that few photos still give enough distances.
        far.append(_nearest(train[chosen], directions, skip_own=True))
        known = np.concatenate(far)
        limit = float(np.quantile(known, 1 - SHARE_FLAGGED, method="higher")) if len(known) else 2.0
        return Familiarity(references, limit)

    def distances(self, features: Rows) -> NDArray[np.float64]:
        """Returns each photo's cosine distance to the nearest reference: (N, D) to (N,), 0..2."""
        return _nearest(features, self._directions)

    @cached_property
    def _directions(self) -> NDArray[np.float32]:
        """Made once: for the few photos of a request it would take longer than the network."""
        return _unit(self.references)


def _as_bytes(rows: Rows) -> NDArray[np.int8]:
    """Keeps directions to one part in a hundred, an eighth of the size of float64."""
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-30)
    return np.asarray(np.round(rows / largest * 127), np.int8)


def _unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    values = np.asarray(rows, np.float32)
    lengths = np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return np.asarray(values / lengths, np.float32)


def _nearest(
    rows: Rows, known: NDArray[np.float32], *, skip_own: bool = False
) -> NDArray[np.float64]:
    if not len(rows) or len(known) <= skip_own:
        return np.zeros(0)
    found = np.empty(len(rows))
    for start in range(0, len(rows), _CHUNK):
        likeness = _unit(rows[start : start + _CHUNK]) @ known.T
        if skip_own:
            numbers = np.arange(len(likeness))
            likeness[numbers, numbers + start] = -1
        found[start : start + _CHUNK] = 1 - likeness.max(axis=1)
    return found
