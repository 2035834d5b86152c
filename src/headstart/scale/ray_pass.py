"""A frozen pass whose rows come from a cluster; the stations that use it don't notice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.augment import View
from headstart.data.index import ImageIndex
from headstart.features.engine import Rows
from headstart.features.frozen_pass import FrozenPass, Network
from headstart.scale.extraction import Evaluated, OnRay, extract
from headstart.scale.index import index_of, source_of_index
from headstart.scale.shard import features_of
from headstart.scale.shards import FeatureShards
from headstart.scale.source import Source


class RayPass(FrozenPass):
    """Evaluates one network over photos on a cluster; varied views are still made here."""

    def __init__(self, network: Network, *, on: OnRay, **settings: Any) -> None:
        """Prepares a pass; nothing is computed yet.

        Args:
            network: what to evaluate.
            on: the cluster.
            **settings: as `FrozenPass` takes them; the engine is that of every machine, and only
                what is evaluated here falls back.
        """
        super().__init__(network, **settings)
        self._on = on
        self._shards: list[FeatureShards] = []
        self._where: dict[bytes, tuple[int, int, int]] = {}

    def read(self, source: Source, *, image_size: int) -> ImageIndex:
        """Reads all photos of a source, and evaluates the network over them on the way.

        Args:
            source: the photos.
            image_size: side of the network's input in pixels.
        """
        return index_of(source, self._extract(source, image_size))

    def rows(
        self,
        index: ImageIndex,
        positions: Sequence[int] | NDArray[np.int64],
        *,
        image_size: int,
        station: str,
        view: View | None = None,
    ) -> tuple[Rows, str]:
        """Returns the network's output for some photos; see `FrozenPass.rows`."""
        if view is not None:
            return super().rows(index, positions, image_size=image_size, station=station, view=view)
        keys = [bytes.fromhex(index.digests[position]) for position in positions]
        missing = [int(at) for at, key in zip(positions, keys, strict=True)
                   if key not in self._where]  # fmt: skip
        if missing:
            self._extract(source_of_index(index, missing), image_size)
        shape = self._shards[-1].shape if self._shards else ()
        rows = self._allocate((len(keys), *shape))
        self._fill(rows, keys)
        return rows, self._precision

    def _extract(self, source: Source, image_size: int) -> FeatureShards:
        evaluated = Evaluated(
            self._network, image_size, self._engine_name, self._wanted, self._is_proven_elsewhere
        )
        found = extract(source, evaluated, on=self._on, place=self._place, progress=self._progress)
        self._precision = found.precision
        number = len(self._shards)
        self._shards.append(found)
        for shard, table in enumerate(found.tables("digest")):
            for row, digest in enumerate(table["digest"].to_pylist()):
                self._where[digest] = number, shard, row
        return found

    def _fill(self, rows: NDArray[Any], keys: list[bytes]) -> None:
        """Copies rows out of the shards, each of which is opened once."""
        wanted: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for at, key in enumerate(keys):
            number, shard, row = self._where[key]
            wanted.setdefault((number, shard), []).append((at, row))
        for (number, shard), pairs in sorted(wanted.items()):
            table = self._shards[number].table(shard, "features")
            into, out = np.array(pairs).T
            rows[into] = features_of(table)[out].reshape(len(out), *rows.shape[1:])
