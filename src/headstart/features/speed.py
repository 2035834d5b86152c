"""How fast this machine evaluates a network, measured once and kept."""

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from headstart.data.store import CachePlace
from headstart.features.engine import Engine, KerasEngine
from headstart.features.frozen_pass import FrozenPass, Network
from headstart.features.graph import graph_of
from headstart.files import atomic_file
from headstart.progress import Progress

PHOTO_COUNT = 16
ROUNDS = 3
"""Each round takes a second or more; the best one counts, the one least disturbed."""

_ROUND_SECONDS = 1.0
_SHORT_SECONDS = 0.3
_LATENCY_ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured.

    Attributes:
        photos_per_second: decoded photos through the network without its top.
        engine: "openvino" or "keras".
        precision: the fastest that agrees with float32.
        machine: processor and number of cores.
        latency_ms: milliseconds for one photo that comes alone. The engine's batch has a fixed
            size, so that one photo costs as much as a whole batch: other runtimes may be quicker.
    """

    photos_per_second: float
    engine: str
    precision: str
    machine: str
    latency_ms: float


def measure_speed(network: Network, *, engine: str, image_size: int, progress: Progress) -> Speed:
    """Measures a network on drawn photos, on an engine started for that alone.

    Args:
        network: what to evaluate.
        engine: "openvino" or "keras".
        image_size: side of its input in pixels.
        progress: told when a precision had to be given up.
    """
    photos = np.random.default_rng(0).integers(
        0, 256, (PHOTO_COUNT, image_size, image_size, 3), np.uint8
    )
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        started = _start(network, engine, photos, folder=Path(folder), progress=progress)
        size = started.batch_size
        batches = [photos[begin : begin + size] for begin in range(0, len(photos), size)]

        def evaluate(parts: "list[np.ndarray]") -> None:
            list(started.run(parts))

        evaluate(batches)
        best = max(_one_round(evaluate, batches, _ROUND_SECONDS) for _ in range(ROUNDS))
        latency = _latency_ms(evaluate, photos)
    return Speed(round(best, 2), started.name, started.precision, machine_name(), latency)


def measure_pass(frozen: FrozenPass, photos: "np.ndarray") -> Speed:
    """Measures a frozen pass that is at work anyway, in a second or two.

    Args:
        frozen: the pass; its engine is started when it was not.
        photos: uint8 (N, S, S, 3), a few real ones.
    """
    frozen.evaluate(photos)

    def evaluate(parts: "list[np.ndarray]") -> None:
        for part in parts:
            frozen.evaluate(part)

    begin, rates = perf_counter(), [0.0]
    while len(rates) <= ROUNDS and perf_counter() - begin < 2 * _ROUND_SECONDS:
        rates.append(_one_round(evaluate, [photos], _SHORT_SECONDS))
    latency = _latency_ms(evaluate, photos)
    return Speed(
        round(max(rates), 2), frozen.engine_name, frozen.precision, machine_name(), latency
    )


def kept_speed(place: CachePlace, name: str) -> Speed | None:
    """Returns what was measured of a backbone on this machine, or None."""
    try:
        return Speed(**json.loads(_file(place, name).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def keep_speed(place: CachePlace, name: str, speed: Speed) -> None:
    """Keeps what was measured of a backbone."""
    with atomic_file(_file(place, name)) as temporary:
        temporary.write_text(json.dumps(asdict(speed)), "utf-8")


def machine_name() -> str:
    """Returns the processor's name and how many of its cores this process may use."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{(named or [platform.processor() or platform.machine()])[0]}, {cores} cores"


def _file(place: CachePlace, name: str) -> Path:
    # Caches are shared between machines sometimes; speeds are not.
    machine = hashlib.sha256(machine_name().encode()).hexdigest()[:12]
    return place.folder / "speeds" / machine / f"{name}.json"


def _start(
    network: Network, engine: str, photos: "np.ndarray", *, folder: Path, progress: Progress
) -> Engine:
    if engine == "keras":
        return KerasEngine(network.build())
    from headstart.features.openvino import fastest_engine

    graph = graph_of(CachePlace(folder), network.digest)
    network.convert(graph).result()
    return fastest_engine(graph, photos, precision="auto", progress=progress)


def _one_round(
    evaluate: Callable[["list[np.ndarray]"], None], batches: "list[np.ndarray]", length: float
) -> float:
    begin, done = perf_counter(), 0
    while (seconds := perf_counter() - begin) < length:
        evaluate(batches)
        done += sum(map(len, batches))
    return done / seconds


def _latency_ms(evaluate: Callable[["list[np.ndarray]"], None], photos: "np.ndarray") -> float:
    seconds: list[float] = []
    while len(seconds) < _LATENCY_ROUNDS and sum(seconds) < _ROUND_SECONDS:
        begin = perf_counter()
        evaluate([photos[len(seconds) % len(photos) :][:1]])
        seconds.append(perf_counter() - begin)
    return round(1000 * float(np.median(seconds)), 2)
