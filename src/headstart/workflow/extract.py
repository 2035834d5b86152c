"""Features of many candidates, here or on a cluster: one frozen pass each, on one engine."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.backbones.catalogue import find_backbone
from headstart.data.batches import photo_batches
from headstart.data.index import ImageIndex
from headstart.features.frozen_pass import SAMPLE_COUNT, FrozenPass, Network
from headstart.features.networks import Averaged, FrozenNetwork
from headstart.features.speed import Speed, keep_speed, kept_speed, measure_pass, measure_speed
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
            self.pass_of(candidate).begin()

    def use(self, index: ImageIndex) -> None:
        """Says which photos positions mean."""
        self._index = index

    def __call__(self, candidate: Candidate, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the features (N, D) of some photos."""
        assert self._index is not None
        rows, _ = self.pass_of(candidate).rows(
            self._index,
            positions,
            image_size=candidate.spec.image_size,
            station=candidate.name,
        )
        return np.asarray(rows).reshape(len(positions), -1)

    def speed(self, candidate: Candidate) -> Speed:
        """Measures a candidate, or finds what was measured before."""
        spec, place = candidate.spec, self._given.place
        is_own = spec.image_size == find_backbone(spec.backbone).image_size
        # Weights don't decide the speed.
        name = spec.backbone if is_own else f"{spec.backbone} {spec.image_size} px"
        found = kept_speed(place, name)
        if found is None or found.engine != self._given.engine:
            found = self._measured(candidate)
            keep_speed(place, name, found)
        return found

    def _measured(self, candidate: Candidate) -> Speed:
        assert self._index is not None
        given, size = self._given, candidate.spec.image_size
        if given.on is not None:
            # The photos are in reach of the cluster, perhaps of nobody else.
            network = self._network(candidate)
            return measure_speed(
                network, engine=given.engine, image_size=size, progress=given.progress
            )
        batches = photo_batches(
            self._index,
            np.arange(min(SAMPLE_COUNT, len(self._index))),
            image_size=size,
            batch_size=SAMPLE_COUNT,
            place=given.place,
        )
        return measure_pass(self.pass_of(candidate), next(batches))

    def _network(self, candidate: Candidate) -> Network:
        spec, caller = candidate.spec, self._given.caller
        if candidate.layer is None:
            return FrozenNetwork(spec, caller)
        return Averaged(spec, candidate.layer, caller)

    def pass_of(self, candidate: Candidate) -> FrozenPass:
        """Returns the pass over a candidate's network."""
        if candidate not in self._passes:
            self._passes[candidate] = self._given.make_pass(
                self._network(candidate),
                engine=self._given.engine,
                may_fall_back=self._may_fall_back,
                precision="auto",
            )
            while len(self._passes) > MAX_ENGINES:
                # The first begun; it starts again from what is kept, should it be needed.
                del self._passes[next(iter(self._passes))]
        return self._passes[candidate]
