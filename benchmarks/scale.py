"""Features of 10,000 photos on Ray against one process on the same cores, and the driver's memory.

    python benchmarks/scale.py --what speed
    python benchmarks/scale.py --what memory
    python benchmarks/scale.py --what heads

Speed: two workers of one core each against the plain engine, which scans and evaluates in one
process with two threads; both write what they compute, the plain engine the decoded pixels too. So
the workers' own code is timed as well, in one process without Ray. Ray's start-up (the cluster, and
a pool of workers that take one photo each) is timed apart.

Memory: the peak of RssAnon of the process that asks, while 2,000 and then 20,000 photos are
evaluated. The photos are copies whose files differ by a few bytes behind the picture. Results are
in docs/performance.md and docs/scale.md.

Heads: seconds of one pass over 100,000 rows of 1,280 drawn features, on one core, and of solving.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import find_weights
from headstart.data.listing import list_photos
from headstart.data.scan import scan
from headstart.data.store import CachePlace
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.heads.closed_form import discriminant, statistics_of
from headstart.heads.linear import one_blas_thread
from headstart.heads.streaming import slope
from headstart.heads.totals import total_of
from headstart.process import KerasProcess, keras_process
from headstart.progress import Silent
from headstart.scale.cluster import Workers, cluster
from headstart.scale.extraction import Evaluated, OnRay, extract, job_of
from headstart.scale.place import Place
from headstart.scale.source import Source, source_of_listing
from headstart.scale.worker import Job, Worker
from machine import DATA, describe
from memory import anonymous_bytes

CORES = 2


def multiply(source: Path, target: Path, count: int) -> None:
    """Writes `count` copies whose bytes, but not whose pixels, differ; far apart by name."""
    files = sorted(source.rglob("*.jpg"))
    for number in range(count):
        file = files[number % len(files)]
        place = target / file.parent.name / f"{number:06d}_{file.stem}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes() + number.to_bytes(4, "big"))


def network_of(backbone: str, image_size: int, child: KerasProcess) -> FrozenNetwork:
    row = find_backbone(backbone)
    source = find_weights(row, row.default_weights)
    path = None if source.path is None else str(source.path)
    spec = FrozenSpec(backbone, image_size, "avg", source.kind, path, source.digest, 0)
    return FrozenNetwork(spec, child)


def plain(network: FrozenNetwork, photos: Path, place: CachePlace) -> tuple[float, str]:
    """Reads, evaluates and keeps all photos in this process; returns seconds and precision."""
    begin = time.perf_counter()
    size = network.spec.image_size
    index = scan(list_photos(photos), place=place, image_size=size)
    frozen = FrozenPass(
        network,
        engine="openvino",
        may_fall_back=False,
        precision="auto",
        place=place,
        progress=Silent(),
    )
    _, precision = frozen.rows(index, range(len(index)), image_size=size, station="features")
    return time.perf_counter() - begin, precision


def without_ray(job: Job, source: Source) -> float:
    """Makes the same shards by the same code in this process, with all cores; returns seconds."""
    begin, worker = time.perf_counter(), Worker(job)
    for part in source.parts:
        worker.make(part)
    return time.perf_counter() - begin


def compare_speed(network: FrozenNetwork, folder: Path, arguments: argparse.Namespace) -> None:
    size = network.spec.image_size
    multiply(arguments.photos, folder / "few", 64)
    multiply(arguments.photos, folder / "many", arguments.count)
    place = CachePlace(folder / "cache", 10**12)
    plain(network, folder / "few", place)  # converts the network and measures its precisions
    seconds, precision = plain(network, folder / "many", place)
    print(f"one process, {CORES} cores: {arguments.count / seconds:.1f} photos/s ({precision})")

    source = source_of_listing(list_photos(folder / "many"))
    evaluated = Evaluated(network, size, precision=precision)
    job = job_of(evaluated, Place(str(folder / "alone")), CORES, place)
    alone = without_ray(job, source)
    print(
        f"one process, {CORES} cores, the workers' own code: {arguments.count / alone:.1f} photos/s"
    )
    begin = time.perf_counter()
    with cluster("local"):
        joined = time.perf_counter() - begin
        on = OnRay("local", str(folder / "shards"), Workers(CORES, 1))
        few = source_of_listing(list_photos(folder / "few"), part_size=1)
        starts = []
        for turn in range(2):
            # A photo for each worker: what is timed is the pool's start, first and again.
            parts = few.parts[turn * CORES : (turn + 1) * CORES]
            begin = time.perf_counter()
            extract(Source(parts, few.class_names), evaluated, on=on, place=place,
                    progress=Silent())  # fmt: skip
            starts.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        found = extract(source, evaluated, on=on, place=place, progress=Silent())
        whole = time.perf_counter() - begin
    assert len(found) == arguments.count
    on_ray = whole - starts[1]
    print(f"Ray's start: cluster {joined:.1f} s, a pool of {CORES} workers {starts[0]:.1f} s the "
          f"first time and {starts[1]:.1f} s again")  # fmt: skip
    print(f"Ray, {CORES} workers: {arguments.count / on_ray:.1f} photos/s without the start "
          f"({whole:.1f} s with the pool's)")  # fmt: skip
    print(f"slower by {on_ray / seconds - 1:+.1%} than the plain engine, {on_ray / alone - 1:+.1%} "
          "than the workers' own code; bar: 25 %")  # fmt: skip
    print(f"{found.size_bytes / len(found):.0f} bytes of shard a photo")


@contextmanager
def watched(peaks: list[int]) -> Iterator[None]:
    """Appends the peak of this process' own anonymous memory during a block."""
    own, ended, highest = psutil.Process(), threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.05):
            highest[0] = max(highest[0], anonymous_bytes(own, with_children=False))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        peaks.append(highest[0])


def compare_memory(network: FrozenNetwork, folder: Path, arguments: argparse.Namespace) -> None:
    place, peaks = CachePlace(folder / "cache", 10**12), list[int]()
    multiply(arguments.photos, folder / "photos", max(arguments.counts))
    listed = source_of_listing(list_photos(folder / "photos"), part_size=256)
    with cluster("local"):
        for count in arguments.counts:
            parts = listed.parts[: -(-count // 256)]
            on = OnRay("local", str(folder / f"shards-{count}"), Workers(CORES, 1))
            evaluated = Evaluated(network, network.spec.image_size, precision="float32")
            with watched(peaks):
                found = extract(Source(parts, listed.class_names), evaluated, on=on, place=place,
                                progress=Silent())  # fmt: skip
            print(f"{len(found)} photos: driver's peak RssAnon {peaks[-1] / 2**20:.0f} MiB")


def time_heads() -> None:
    rows, width, classes = 100_000, 1280, 10
    random = np.random.default_rng(0)
    shard = random.normal(size=(10_000, width)).astype(np.float32)
    labels = random.integers(0, classes, len(shard))
    total = total_of(lambda: ((shard, labels) for _ in range(rows // len(shard))))
    with one_blas_thread():
        begin = time.perf_counter()
        statistics = statistics_of(total, class_count=classes)
        summed = time.perf_counter() - begin
        begin = time.perf_counter()
        discriminant(statistics)
        solved = time.perf_counter() - begin
        kernel, bias = np.zeros((width, classes)), np.zeros(classes)
        begin = time.perf_counter()
        total(partial(slope, kernel=kernel, bias=bias))
        stepped = time.perf_counter() - begin
    print(
        f"{rows} rows of {width}: sums for the closed forms {summed:.2f} s, solving {solved:.2f} s"
    )
    print(f"one step of softmax regression, {classes} classes: {stepped:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--what", choices=("speed", "memory", "heads"), default="speed")
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs" / "train")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    parser.add_argument("--backbone", default=None)
    parser.add_argument("--image-size", type=int, default=None)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--counts", type=int, nargs="+", default=[2000, 20_000])
    arguments = parser.parse_args()
    os.environ["KERAS_HOME"] = str(arguments.keras_home)
    is_speed = arguments.what == "speed"
    backbone = arguments.backbone or ("MobileNetV2" if is_speed else "Starter")
    size = arguments.image_size or find_backbone(backbone).image_size
    print(describe())
    if arguments.what == "heads":
        return time_heads()
    print(f"{backbone} at {size} px")
    with tempfile.TemporaryDirectory() as folder, keras_process("openvino") as child:
        os.environ["HEADSTART_CACHE"] = f"{folder}/nodes"
        network = network_of(backbone, size, child)
        (compare_speed if is_speed else compare_memory)(network, Path(folder), arguments)
    return None


if __name__ == "__main__":
    main()
