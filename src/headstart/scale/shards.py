"""Features in shards: what a pass over a cluster leaves, and how heads and journeys read it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.listing import SetAside
from headstart.errors import EngineError, PhotosError
from headstart.heads.totals import Features, Labels, Shard, Sum, Total
from headstart.scale.place import Place
from headstart.scale.shard import features_of, read_shard

if TYPE_CHECKING:
    import pyarrow

FORMAT = 1
AHEAD = 64
"""Shards that are worked on at once; more would only wait in memory."""


@dataclass(frozen=True, slots=True)
class FeatureShards:
    """Shards of one network over one source.

    Attributes:
        place: the folder or bucket they lie in.
        names: of the files, in the order of the source.
        counts: rows of each.
        shape: of one photo's features.
        precision: they were computed in.
        class_names: sorted.
        set_aside: photos that could not be read, with reasons.
        size_bytes: of all shards.
        kept: shards that were there already.
    """

    place: Place
    names: tuple[str, ...]
    counts: tuple[int, ...]
    shape: tuple[int, ...]
    precision: str
    class_names: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    size_bytes: int = 0
    kept: int = 0

    def __len__(self) -> int:
        return sum(self.counts)

    def manifest(self, evaluated: Any) -> dict[str, Any]:
        """Returns what `manifest` files say of it, as plain values."""
        return {
            "format": FORMAT,
            "network": evaluated.network.digest,
            "engine": evaluated.engine,
            "precision": self.precision,
            "image_size": evaluated.image_size,
            "shape": list(self.shape),
            "class_names": list(self.class_names),
            "shards": [{"name": name, "rows": rows}
                       for name, rows in zip(self.names, self.counts, strict=True)],
            "set_aside": [asdict(item) for item in self.set_aside],
        }  # fmt: skip

    def tables(self, *columns: str) -> "Iterator[pyarrow.Table]":
        """Yields some columns of one shard after the other.

        Raises:
            EngineError: when a shard is gone or damaged; running the pass again makes it anew.
        """
        for name in self.names:
            yield _table(self.place, name, columns)

    def table(self, number: int, *columns: str) -> "pyarrow.Table":
        """Returns some columns of one shard; see `tables`."""
        return _table(self.place, self.names[number], columns)

    def shards(self, split: str | None = None) -> Iterator[Shard]:
        """Yields features (N, D) and labels (N,) of one shard after the other.

        Args:
            split: only photos of this one; None for all. Photos without a label are left out.
        """
        for name in self.names:
            yield _labelled(self.place, name, self.class_names, split)

    def total(self, split: str | None = None) -> Total:
        """Returns what adds up over the shards on the cluster that this process is connected to.

        Args:
            split: only photos of this one; None for all.
        """
        import ray

        def apply(
            function: Callable[[Features, Labels], Sum], place: Place, name: str, classes: Any
        ) -> Sum:
            return function(*_labelled(place, name, classes, split))

        remote = ray.remote(apply).options(num_cpus=1, max_retries=3)

        def total(function: Callable[[Features, Labels], Sum]) -> Sum:
            given = ray.put(function)
            running = [
                remote.remote(given, self.place, name, self.class_names)
                for name in self.names[:AHEAD]
            ]
            waiting = iter(self.names[AHEAD:])
            result: Sum | None = None
            while running:
                part = ray.get(running.pop(0))
                result = part if result is None else result + part
                for name in waiting:
                    running.append(remote.remote(given, self.place, name, self.class_names))
                    break
            if result is None:
                raise PhotosError("There are no shards to add up.")
            return result

        return total


def _table(place: Place, name: str, columns: tuple[str, ...]) -> "pyarrow.Table":
    try:
        return read_shard(place, name, columns)
    except (OSError, ValueError) as error:
        raise EngineError(
            f"The shard {place.base}/{name} cannot be read from this machine ({error}). It is made "
            "anew when the command runs again; every machine must reach the folder of --shards."
        ) from error


def _labelled(
    place: Place, name: str, class_names: tuple[str, ...], split: str | None
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    table = _table(place, name, ("label", "split", "features"))
    number_of = {each: number for number, each in enumerate(class_names)}
    labels = np.array([number_of.get(each, -1) for each in table["label"].to_pylist()], np.int32)
    wanted = labels >= 0
    if split is not None:
        wanted &= np.array([each == split for each in table["split"].to_pylist()], bool)
    return features_of(table)[wanted], labels[wanted]
