"""What runs on a machine of the cluster: a part of the photos in, a shard of features out."""

import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from headstart.data.bounded import bounded_map
from headstart.data.decode import PhotoFacts, examine, pillow_warnings_ignored
from headstart.data.store import CachePlace
from headstart.errors import EngineError, HeadstartError, PhotoError, PhotosError
from headstart.features.engine import Engine, KerasEngine
from headstart.features.graph import graph_of
from headstart.files import atomic_file
from headstart.progress import Silent
from headstart.scale.contents import Found, contents
from headstart.scale.place import Place
from headstart.scale.shard import Rows, check_shard, write_shard
from headstart.scale.source import Part

SAMPLE_COUNT = 16
"""Photos on which every worker compares its engine with float32 before it is trusted."""

ATTEMPTS = 5
"""Workers that may end over one part. Ray starts them again without end: a machine that went comes
back, a photo that makes its reader crash or eats all memory stays."""


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs to know; small but for the network itself.

    Attributes:
        digest: of the network.
        engine: "openvino" or "keras".
        precision: to compute in; "auto" while it is being settled.
        is_proven_elsewhere: the caller compares the rows himself.
        image_size: side of the network's input in pixels.
        shards: folder or URI that shards are written to.
        cores: threads to decode and to evaluate with.
        version: see `own_version`, on the machine that asks.
        network: what the engine reads: the graph's `.xml` and `.bin`, or a `.keras` file.
    """

    digest: str
    engine: str
    precision: str
    is_proven_elsewhere: bool
    image_size: int
    shards: str
    cores: int
    version: str
    network: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class _Reading:
    found: Found
    digest: bytes
    facts: PhotoFacts | None
    pixels: NDArray[np.uint8] | None
    reason: str


class Worker:
    """An actor: starts its engine once, then makes shards."""

    def __init__(self, job: Any) -> None:
        """Takes the job, or Ray's reference to it."""
        if not isinstance(job, Job):
            import ray

            job = ray.get(job)
        self._job: Job = job
        self._engine: Engine | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Makes the shard of one part, or finds it whole; called by Ray Data.

        An error of this package travels as data: Ray would wrap it until nobody knows it again.
        """
        answers = []
        for line in batch["part"]:
            try:
                answer = self.make(Part.from_json(str(line)))
            except HeadstartError as error:
                answer = {"error": type(error).__name__, "message": str(error)}
            answers.append(json.dumps(answer))
        return {"summary": np.array(answers)}

    def _check_version(self) -> None:
        job = self._job
        if job.version != own_version():
            raise EngineError(
                f"{platform.node()} has {own_version()}, and {job.version} asks. Install the same "
                "on every machine of the cluster."
            )

    def make(self, part: Part) -> dict[str, Any]:
        """Makes a part's shard where it isn't there or isn't whole, and returns its summary."""
        self._check_version()
        begin, name = perf_counter(), shard_name(part)
        place = Place(self._job.shards)
        summary = check_shard(place, name)
        is_kept = summary is not None
        if summary is None:
            note = f"{part.key}.attempts"
            _count_attempt(place, note, part)
            try:
                summary = write_shard(place, name, self._rows(part))
            finally:
                # What Python can tell is told; only a worker that was killed leaves its note.
                place.remove(note)
        seconds = perf_counter() - begin
        more = {"name": name, "is_kept": is_kept, "seconds": seconds, "files": len(part.photos)}
        return summary | more

    def settle(self, part: Part) -> str | None:
        """Says which precision is the fastest good one; None where no photo can be read."""
        self._check_version()
        readings = self._readings(part, SAMPLE_COUNT)
        pixels = [each.pixels for each in readings if each.pixels is not None]
        return self._start(np.stack(pixels)).precision if pixels else None

    def _rows(self, part: Part) -> Rows:
        rows, count = Rows(), 0
        waiting: list[_Reading] = []

        def batches() -> Iterator[NDArray[np.uint8]]:
            for reading in self._readings(part):
                if reading.pixels is None or reading.facts is None:
                    rows.unreadable.append((reading.found.path, reading.reason))
                    continue
                found = reading.found
                names = (found.path, found.label, found.split)
                rows.add(names, reading.digest, reading.facts)
                waiting.append(reading)
                if len(waiting) >= SAMPLE_COUNT:
                    yield stacked()
            if waiting:
                yield stacked()

        def stacked() -> NDArray[np.uint8]:
            pixels = np.stack([each.pixels for each in waiting])  # type: ignore[misc]
            waiting.clear()
            return pixels

        for chunk in self._run(batches()):
            rows.features.append(chunk)
            count += len(chunk)
        gone = sum(reason.endswith("No such file or directory") for _, reason in rows.unreadable)
        if not count and gone == len(rows.unreadable) > 0:
            raise PhotosError(
                f"{platform.node()} sees none of the {gone} photos in {part.base}. Every machine "
                "of the cluster must reach them by the same path: share the folder, or give a URI."
            )
        return rows

    def _run(self, chunks: Iterator[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        first = next(chunks, None)
        if first is None:
            return
        engine = self._engine or self._start(first)

        def parts() -> Iterator[NDArray[np.uint8]]:
            for chunk in chain([first], chunks):
                yield from _split(chunk, engine.batch_size)

        yield from engine.run(parts())

    def _readings(self, part: Part, limit: int | None = None) -> Iterator[_Reading]:
        found = contents(part)
        if limit is not None:
            found = islice(found, limit)
        cores = self._job.cores
        with pillow_warnings_ignored():
            yield from bounded_map(self._read, found, threads=cores, ahead=4 * cores)

    def _read(self, found: Found) -> _Reading:
        try:
            data = found.read()
            facts, pixels = examine(data, image_size=self._job.image_size)
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
            return _Reading(found, b"", None, None, reason)
        except PhotoError as error:
            return _Reading(found, b"", None, None, str(error))
        return _Reading(found, hashlib.sha256(data).digest(), facts, pixels, "")

    def _start(self, samples: NDArray[np.uint8]) -> Engine:
        job = self._job
        if job.engine == "keras":
            self._engine = KerasEngine(_load(job.network))
            return self._engine
        from headstart.features.openvino import fastest_engine, trusted_engine

        graph = graph_of(CachePlace.default(), job.digest)
        if not graph.is_ready:
            # The weights first: a graph counts as ready when its `.xml` is there.
            for name in ("model.bin", "model.xml"):
                with atomic_file(graph.folder / name) as temporary:
                    temporary.write_bytes(job.network[name])
        if job.is_proven_elsewhere:
            self._engine = trusted_engine(graph, job.precision, threads=job.cores)
        else:
            self._engine = fastest_engine(
                graph, samples, precision=job.precision, progress=Silent(), threads=job.cores
            )
        return self._engine


def own_version() -> str:
    """Names what decides the pixels of a photo and what is done with them."""
    try:
        own = version("headstart")
    except PackageNotFoundError:
        own = "from source"
    return f"headstart {own} with Pillow {PIL.__version__}"


def shard_name(part: Part) -> str:
    """Names a part's shard by all that decides what is in it."""
    return f"{part.key}.parquet"


def _count_attempt(place: Place, note: str, part: Part) -> None:
    try:
        before = len(place.read(note))
    except OSError:
        before = 0
    if before >= ATTEMPTS:
        place.remove(note)
        raise EngineError(
            f"{before} workers ended over the same {len(part.photos)} files, {part.photos[0].path} "
            f"to {part.photos[-1].path} in {part.base}. Take the photo out that is the cause, or "
            "give workers more memory."
        )
    place.write(note, b"." * (before + 1))


def _split(photos: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    for at in range(0, len(photos), size):
        yield photos[at : at + size]


def _load(network: dict[str, bytes]) -> Any:
    import keras

    with TemporaryDirectory() as folder:
        file = Path(folder, "network.keras")
        file.write_bytes(network["model.keras"])
        return keras.models.load_model(file, compile=False)
