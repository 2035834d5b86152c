"""The frozen pass on a cluster: parts of the photos out, shards of features back.

Ray Data hands one part after the other to a pool of actors. A part is read, decoded, evaluated and
written by the actor that takes it: photos and features never pass through another process, and the
driver holds only summaries.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import PIL

from headstart.data.decode import DECODE_VERSION
from headstart.data.listing import SetAside
from headstart.data.store import CachePlace
from headstart.errors import EngineError, HeadstartError, PhotosError
from headstart.features.engine import backend_name
from headstart.features.frozen_pass import Network
from headstart.features.graph import graph_of
from headstart.process import error_of
from headstart.progress import Progress
from headstart.scale.cluster import Workers, cluster, worker_count
from headstart.scale.place import Place
from headstart.scale.shard import SHARD_VERSION
from headstart.scale.shards import FeatureShards
from headstart.scale.source import Part, Source
from headstart.scale.worker import ATTEMPTS, Job, Worker, own_version, shard_name

_SETTLED = "precision.txt"


@dataclass(frozen=True, slots=True)
class OnRay:
    """Where and how a cluster works.

    Attributes:
        address: see `headstart.scale.cluster.cluster`.
        shards: folder or URI that every machine can write to and this one can read.
        workers: the pool of actors.
    """

    address: str
    shards: str
    workers: Workers = field(default_factory=Workers)

    @staticmethod
    def at(address: str, shards: str | None, place: CachePlace) -> "OnRay":
        """Takes the cache for the shards where no place is named."""
        return OnRay(address, shards or str(place.folder / "shards"))


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Which network, and how it is evaluated.

    Attributes:
        network: what it computes, and how it is converted.
        image_size: side of its input in pixels.
        engine: "openvino" or "keras".
        precision: "auto", "float32", "bfloat16" or "float16".
        is_proven_elsewhere: the caller compares the rows himself; needs a named precision.
    """

    network: Network
    image_size: int
    engine: str = "openvino"
    precision: str = "auto"
    is_proven_elsewhere: bool = False

    @property
    def key(self) -> str:
        """Names the folder of its shards: everything but the photos that decides what they hold."""
        decoder = f"v{DECODE_VERSION}-pillow{PIL.__version__}"
        how = f"{self.engine}-{self.precision}-{decoder}-{self.image_size}px"
        return f"v{SHARD_VERSION}-{self.network.digest[:32]}-{how}"


def extract(
    source: Source, evaluated: Evaluated, *, on: OnRay, place: CachePlace, progress: Progress
) -> FeatureShards:
    """Evaluates a network over all photos of a source; shards that are there whole are kept.

    Killed at any moment and begun again, it goes on with the shards that are missing.

    Args:
        source: the photos, in parts.
        evaluated: the network and how.
        on: the cluster.
        place: the cache, for the converted network.
        progress: told about every part that is done.

    Returns:
        The shards and what could not be read.

    Raises:
        EngineError: when the cluster does not answer, or a worker fails again and again.
        PhotosError: when no photo can be read, or a file of photos is damaged.
    """
    shards = Place(f"{on.shards.rstrip('/')}/{evaluated.key}")
    with cluster(on.address), _ray_errors():
        job = job_of(evaluated, shards, on.workers.cores, place)
        if job.precision == "auto":
            job = replace(job, precision=_settle(job, source, shards, on.workers))
        summaries, done = list[dict[str, Any]](), 0
        for summary in _summaries(job, source, on.workers):
            summaries.append(summary)
            done += summary["files"]
            progress.step("features on Ray", done, source.file_count)
    found = _gather(shards, source, summaries, job.precision)
    shards.write(f"{source.digest}.json", json.dumps(found.manifest(evaluated)).encode())
    return found


def job_of(evaluated: Evaluated, shards: Place, cores: int, place: CachePlace) -> Job:
    """Describes to workers what to do; converts the network where that was not done yet."""
    return Job(
        digest=evaluated.network.digest,
        engine=evaluated.engine,
        precision=evaluated.precision,
        is_proven_elsewhere=evaluated.is_proven_elsewhere,
        image_size=evaluated.image_size,
        shards=shards.base,
        cores=cores,
        version=own_version(),
        network=_network_files(evaluated, place),
    )


def _network_files(evaluated: Evaluated, place: CachePlace) -> dict[str, bytes]:
    """Converts the network once, here; workers get its files."""
    if evaluated.engine == "keras":
        with TemporaryDirectory() as folder:
            file = Path(folder, "model.keras")
            evaluated.network.build().save(file)
            return {file.name: file.read_bytes()}
    graph = graph_of(place, evaluated.network.digest)
    if not graph.is_ready:
        evaluated.network.convert(graph).result()
    return {path.name: path.read_bytes() for path in (graph.file, graph.file.with_suffix(".bin"))}


def _settle(job: Job, source: Source, shards: Place, workers: Workers) -> str:
    """Chooses the precision on the cluster, once: every shard of the folder has the same."""
    import ray

    try:
        return shards.read(_SETTLED).decode()
    except OSError:
        pass

    def settle(job: Job, part: Part) -> str | None:
        return Worker(job).settle(part)

    worker_count(workers)
    remote = ray.remote(settle).options(
        num_cpus=workers.cores, num_gpus=workers.gpus, max_retries=ATTEMPTS, runtime_env=_env()
    )
    reference = ray.put(job)
    for part in source.parts:
        precision: str | None = ray.get(remote.remote(reference, part))
        if precision is not None:
            shards.write(_SETTLED, precision.encode())
            return precision
    raise _unreadable(source)


def _summaries(job: Job, source: Source, workers: Workers) -> Iterator[dict[str, Any]]:
    import ray
    import ray.data

    count = min(worker_count(workers), len(source.parts))
    lines = [{"part": part.as_json()} for part in source.parts]
    parts = ray.data.from_items(lines, override_num_blocks=len(lines))
    done = parts.map_batches(
        Worker,
        fn_constructor_args=(ray.put(job),),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=count),
        num_cpus=workers.cores,
        num_gpus=workers.gpus,
        runtime_env=_env(),
    )
    for row in done.iter_rows():
        summary = dict(json.loads(row["summary"]))
        if "error" in summary:
            raise error_of(summary["error"], summary["message"])
        yield summary


def _env() -> dict[str, Any]:
    return {"env_vars": {"KERAS_BACKEND": backend_name(), "TF_CPP_MIN_LOG_LEVEL": "3"}}


def _gather(
    shards: Place, source: Source, summaries: list[dict[str, Any]], precision: str
) -> FeatureShards:
    names = [shard_name(part) for part in source.parts]
    by_name = {summary["name"]: summary for summary in summaries}
    lost = [name for name in names if name not in by_name]
    if lost:
        raise EngineError(f"{len(lost)} parts came back without a shard. Run the command again.")
    shapes = [tuple(summary["shape"]) for summary in summaries if summary["rows"]]
    if not shapes:
        raise _unreadable(source)
    found = sorted({label for summary in summaries for label in summary["labels"]})
    aside = [SetAside(*item) for name in names for item in by_name[name]["unreadable"]]
    return FeatureShards(
        place=shards,
        names=tuple(names),
        counts=tuple(by_name[name]["rows"] for name in names),
        shape=shapes[0],
        precision=precision,
        class_names=source.class_names or tuple(found),
        set_aside=(*source.set_aside, *aside),
        size_bytes=sum(by_name[name]["bytes"] for name in names),
        kept=sum(by_name[name]["is_kept"] for name in names),
    )


def _unreadable(source: Source) -> PhotosError:
    return PhotosError(
        f"None of the {source.file_count:,} files can be read as a photo on the cluster. "
        "`headstart check` says what is wrong with each."
    )


@contextmanager
def _ray_errors() -> Iterator[None]:
    """Turns what Ray raises into one sentence; an error of this package comes through as it is."""
    from ray.exceptions import RayError

    try:
        yield
    except RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, HeadstartError):
            raise cause from None
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineError(
            f"Ray gave up: {words[-1][:300]}. Shards that were written are kept; run the command "
            "again to go on."
        ) from error
