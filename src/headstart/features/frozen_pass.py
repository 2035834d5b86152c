"""The frozen pass: each photo through a network once, and kept.

Rows are filed under everything that decides them (photo, decoding, network, engine, precision,
view), so that adding ten photos computes ten, and a killed run goes on where it was.
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import numpy as np
import PIL
from numpy.typing import NDArray

from headstart.data.augment import View
from headstart.data.batches import photo_batches
from headstart.data.decode import DECODE_VERSION
from headstart.data.index import ImageIndex
from headstart.data.store import CachePlace, Store
from headstart.errors import EngineError
from headstart.features.engine import Engine, KerasEngine, Rows
from headstart.features.graph import Graph, graph_of
from headstart.files import disk_full_as_error
from headstart.progress import Progress

SAMPLE_COUNT = 16
"""Real photos on which an engine is compared with float32 before it is trusted."""

IN_MEMORY_BYTES = 256 * 2**20
"""Larger arrays of rows live in an unnamed file of the cache: memory stays flat."""


class Network(Protocol):
    """What a frozen pass needs to know of a network."""

    @property
    def digest(self) -> str:
        """Names everything that decides what the network computes."""

    def convert(self, graph: Graph) -> "Future[Any]":
        """Begins to write the network as a graph."""

    def build(self) -> Any:
        """Returns the network as a Keras model on this process' backend."""


class FrozenPass:
    """Evaluates one network over photos, lazily and only where no row is kept yet."""

    def __init__(
        self,
        network: Network,
        *,
        engine: str,
        may_fall_back: bool,
        is_proven_elsewhere: bool = False,
        precision: str,
        place: CachePlace,
        progress: Progress,
        row_dtype: type[np.floating[Any]] = np.float32,
    ) -> None:
        """Prepares a pass; nothing is computed yet.

        Args:
            network: what to evaluate.
            engine: "openvino" or "keras".
            may_fall_back: whether Keras is used when OpenVINO fails on this network.
            is_proven_elsewhere: the caller compares the rows with others that were proven, so
                that comparing them with float32 here would only cost time.
            precision: "auto", "float32", "bfloat16" or "float16".
            place: where graphs and rows are kept.
            progress: told about every photo, and about a fall-back.
            row_dtype: in which rows are kept: float32, or float16 for the many numbers of a cut.
        """
        self._network = network
        self._engine_name = engine
        self._may_fall_back = may_fall_back
        self._is_proven_elsewhere = is_proven_elsewhere
        self._wanted = precision
        self._place = place
        self._progress = progress
        self._precision = "float32"
        self._row_dtype = np.dtype(row_dtype)
        self._graph = graph_of(place, network.digest)
        self._conversion: Future[Any] | None = None
        self._engine: Engine | None = None

    def begin(self) -> None:
        """Starts what another process can do meanwhile."""
        if self._engine_name == "openvino" and not self._graph.is_ready:
            self._conversion = self._network.convert(self._graph)

    @property
    def engine_name(self) -> str:
        """The engine in use: "openvino" or "keras"."""
        return self._engine_name

    @property
    def precision(self) -> str:
        """The precision of the rows that were asked for last: "float32" until there are some."""
        return self._precision

    def rows(
        self,
        index: ImageIndex,
        positions: Sequence[int] | NDArray[np.int64],
        *,
        image_size: int,
        station: str,
        view: View | None = None,
    ) -> tuple[Rows, str]:
        """Returns the network's output for some photos, and the precision it was computed in.

        Args:
            index: the photos.
            positions: N of them.
            image_size: the network's input side in pixels.
            station: what to call the work in the progress bar.
            view: which look at each photo; None for the photos as they are.

        Returns:
            (N, ...) of `row_dtype`, and "float32", "bfloat16" or "float16".

        Raises:
            EngineError: when no engine can evaluate the network.
        """
        precision, shape = self._settle(index, positions, image_size)
        self._precision = precision
        store = self._store(precision, shape, view)
        rows = self._allocate((len(positions), *shape))
        missing = []
        for row_number, position in enumerate(positions):
            row = store.row(index.digests[position])
            if row is None:
                missing.append(row_number)
            else:
                rows[row_number] = row
        if missing:
            todo = [int(positions[number]) for number in missing]
            engine = self._ready_engine(index, positions, image_size)
            done = 0
            batches = photo_batches(
                index,
                todo,
                image_size=image_size,
                batch_size=engine.batch_size,
                place=self._place,
                view=view,
            )
            with store.writer() as writer:
                for part in engine.run(batches):
                    for offset, row in enumerate(self._as_kept(part)):
                        rows[missing[done + offset]] = row
                        writer.add(index.digests[todo[done + offset]], row)
                    done += len(part)
                    self._progress.step(station, done, len(missing))
        return rows, precision

    def evaluate(self, photos: NDArray[np.uint8]) -> Rows:
        """Returns the network's output for photos (N, S, S, 3) that are in memory; none is kept."""
        if self._engine is None:
            self._engine = self._start(photos[:SAMPLE_COUNT])
        self._precision = self._engine.precision
        size = self._engine.batch_size
        parts = (photos[start : start + size] for start in range(0, len(photos), size))
        return np.concatenate(list(self._engine.run(parts)))

    def _settle(
        self, index: ImageIndex, positions: Sequence[int] | NDArray[np.int64], image_size: int
    ) -> tuple[str, tuple[int, ...]]:
        """Finds precision and row shape: noted by an earlier run, or by starting the engine."""
        note = self._graph.note("rows") if self._engine_name == "openvino" else None
        if self._engine is None and note is not None and self._wanted in note["precision"]:
            return note["precision"][self._wanted], tuple(note["shape"])
        engine = self._ready_engine(index, positions, image_size)
        probe = photo_batches(
            index, positions[:1], image_size=image_size, batch_size=1, place=self._place
        )
        shape = next(iter(engine.run(probe))).shape[1:]
        if self._engine_name == "openvino":
            chosen = (note or {}).get("precision", {}) | {self._wanted: engine.precision}
            self._graph.write_note("rows", {"precision": chosen, "shape": list(shape)})
        return engine.precision, shape

    def _ready_engine(
        self, index: ImageIndex, positions: Sequence[int] | NDArray[np.int64], image_size: int
    ) -> Engine:
        if self._engine is None:
            samples = next(
                photo_batches(
                    index,
                    positions[:SAMPLE_COUNT],
                    image_size=image_size,
                    batch_size=SAMPLE_COUNT,
                    place=self._place,
                )
            )
            self._engine = self._start(samples)
        return self._engine

    def _start(self, samples: NDArray[np.uint8]) -> Engine:
        if self._engine_name == "openvino":
            try:
                return self._start_openvino(samples)
            except EngineError as error:
                if not self._may_fall_back:
                    raise
                self._progress.say(f"Falling back to Keras, which is slower: {error}")
                self._engine_name = "keras"
        return KerasEngine(self._network.build())

    def _start_openvino(self, samples: NDArray[np.uint8]) -> Engine:
        from headstart.features.openvino import fastest_engine, trusted_engine

        if self._conversion is None and not self._graph.is_ready:
            self._conversion = self._network.convert(self._graph)
        if self._conversion is not None:
            self._conversion.result()
        if self._is_proven_elsewhere:
            return trusted_engine(self._graph, self._wanted)
        return fastest_engine(self._graph, samples, precision=self._wanted, progress=self._progress)

    def _store(self, precision: str, shape: tuple[int, ...], view: View | None) -> Store:
        decoder = f"v{DECODE_VERSION}-pillow{PIL.__version__}"
        look = "whole" if view is None else view.key
        key = f"{self._network.digest}-{self._engine_name}-{precision}-{decoder}-{look}"
        return self._place.store("features", key, row_shape=shape, dtype=self._row_dtype)

    def _as_kept(self, rows: Rows) -> Rows:
        if self._row_dtype == np.float32:
            return rows
        # Rare, and less wrong than infinity: the joined network is compared with these rows later.
        largest = np.finfo(self._row_dtype).max
        return np.clip(rows, -largest, largest).astype(self._row_dtype)

    def _allocate(self, shape: tuple[int, ...]) -> Rows:
        size = int(np.prod(shape)) * self._row_dtype.itemsize
        if size <= IN_MEMORY_BYTES:
            return np.empty(shape, self._row_dtype)
        self._place.folder.mkdir(parents=True, exist_ok=True)
        place = self._place.folder
        with disk_full_as_error(place), tempfile.TemporaryFile(dir=place) as file:
            # Claimed now: a hole in a full disk would kill the process on first touch.
            _claim(file.fileno(), size)
            return np.memmap(file, self._row_dtype, "r+", shape=shape)


def _claim(file_number: int, size: int) -> None:
    import os

    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file_number, 0, size)
    else:
        os.ftruncate(file_number, size)
