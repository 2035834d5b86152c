"""Features of many candidates, here or on a cluster: one frozen pass each, on one engine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.backbones.catalogue import find_backbone
from headstart.data.batches import photo_batches
from headstart.data.index import ImageIndex
from headstart.features.frozen_pass import SAMPLE_COUNT, FrozenPass
from headstart.features.networks import Averaged, FrozenNetwork
from headstart.features.speed import Speed, keep_speed, kept_speed, measure_pass
from headstart.selection.candidate import Candidate
from headstart.workflow.tools import Tools

MAX_ENGINES = 8
"""Networks held in memory at once."""


class CandidateFeatures:
    """`headstart.selection.halving.Extract` and `SpeedOf`; rows are kept.

    Speeds are those of this machine, also where a cluster computes the features.
    """

    def __init__(self, given: Tools, *, may_fall_back: bool) -> None:
        self._given = given
        self._index: ImageIndex | None = None
        self._may_fall_back = may_fall_back
        self._passes: dict[Candidate, FrozenPass] = {}

    def begin(self, candidates: Sequence[Candidate]) -> None:
        """Has networks converted, one after another, while photos are read and evaluated."""
        for candidate in candidates[:MAX_ENGINES]:
            self._pass(candidate).begin()

    def use(self, index: ImageIndex) -> None:
        """Says which photos positions mean."""
        self._index = index

    def __call__(self, candidate: Candidate, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the features (N, D) of some photos."""
        assert self._index is not None
        rows, _ = self._pass(candidate).rows(
            self._index,
            positions,
            image_size=candidate.spec.image_size,
            station=candidate.name,
        )
        return np.asarray(rows).reshape(len(positions), -1)

    def speed(self, candidate: Candidate) -> Speed:
        """Measures a candidate, or finds what was measured before."""
        assert self._index is not None
        spec, place = candidate.spec, self._given.place
        is_own = spec.image_size == find_backbone(spec.backbone).image_size
        # Weights don't decide the speed.
        name = spec.backbone if is_own else f"{spec.backbone} {spec.image_size} px"
        found = kept_speed(place, name)
        if found is None or found.engine != self._given.engine:
            photos = next(
                photo_batches(
                    self._index,
                    np.arange(min(SAMPLE_COUNT, len(self._index))),
                    image_size=spec.image_size,
                    batch_size=SAMPLE_COUNT,
                    place=place,
                )
            )
            found = measure_pass(self._pass(candidate), photos)
            keep_speed(place, name, found)
        return found

    def _pass(self, candidate: Candidate) -> FrozenPass:
        if candidate not in self._passes:
            spec, caller = candidate.spec, self._given.caller
            network = (
                FrozenNetwork(spec, caller)
                if candidate.layer is None
                else Averaged(spec, candidate.layer, caller)
            )
            self._passes[candidate] = self._given.make_pass(
                network,
                engine=self._given.engine,
                may_fall_back=self._may_fall_back,
                precision="auto",
            )
            while len(self._passes) > MAX_ENGINES:
                # The first begun; it starts again from what is kept, should it be needed.
                del self._passes[next(iter(self._passes))]
        return self._passes[candidate]
