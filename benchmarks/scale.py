"""Features of 10,000 photos on Ray against one process on the same cores, and the driver's memory.

    python benchmarks/scale.py --what speed
    python benchmarks/scale.py --what memory

Speed: two workers of one core each against the plain engine, which scans and evaluates in one
process with two threads; both write what they compute. Ray's start-up (the cluster, and a pool of
workers that take one photo each) is timed apart. Memory: the peak of RssAnon of the process that
asks, while 2,000 and then 20,000 photos are evaluated. The photos are copies whose files differ by
a few bytes behind the picture. Results are in docs/performance.md and docs/scale.md.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from frozen import DATA
from headstart.backbones.catalogue import find_backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import find_weights
from headstart.data.listing import list_photos
from headstart.data.scan import scan
from headstart.data.store import CachePlace
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.process import KerasProcess, keras_process
from headstart.progress import Silent
from headstart.scale.cluster import Workers, cluster
from headstart.scale.extraction import Evaluated, OnRay, extract
from headstart.scale.source import Source, source_of_listing
from machine import describe
from memory import anonymous_bytes

CORES = 2


def multiply(source: Path, target: Path, count: int) -> None:
    """Writes `count` copies whose bytes, but not whose pixels, differ."""
    files = sorted(source.rglob("*.jpg"))
    for number in range(count):
        file = files[number % len(files)]
        place = target / file.parent.name / f"{file.stem}_{number}.jpg"
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


def compare_speed(network: FrozenNetwork, folder: Path, arguments: argparse.Namespace) -> None:
    size = network.spec.image_size
    multiply(arguments.photos, folder / "few", 64)
    multiply(arguments.photos, folder / "many", arguments.count)
    place = CachePlace(folder / "cache", 10**12)
    plain(network, folder / "few", place)  # converts the network and measures its precisions
    seconds, precision = plain(network, folder / "many", place)
    print(f"one process, {CORES} cores: {arguments.count / seconds:.1f} photos/s ({precision})")

    begin = time.perf_counter()
    with cluster("local"):
        joined = time.perf_counter() - begin
        on = OnRay("local", str(folder / "shards"), Workers(CORES, 1))
        evaluated = Evaluated(network, size, precision=precision)
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
        found = extract(source_of_listing(list_photos(folder / "many")), evaluated, on=on,
                        place=place, progress=Silent())  # fmt: skip
        whole = time.perf_counter() - begin
    assert len(found) == arguments.count
    on_ray = whole - starts[1]
    print(f"Ray's start: cluster {joined:.1f} s, a pool of {CORES} workers {starts[0]:.1f} s the "
          f"first time and {starts[1]:.1f} s again")  # fmt: skip
    print(f"Ray, {CORES} workers: {arguments.count / on_ray:.1f} photos/s without the start "
          f"({whole:.1f} s with the pool's)")  # fmt: skip
    print(f"slower by {on_ray / seconds - 1:+.1%}; bar: 25 %")
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--what", choices=("speed", "memory"), default="speed")
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
    print(f"{backbone} at {size} px")
    with tempfile.TemporaryDirectory() as folder, keras_process("openvino") as child:
        os.environ["HEADSTART_CACHE"] = f"{folder}/nodes"
        network = network_of(backbone, size, child)
        (compare_speed if is_speed else compare_memory)(network, Path(folder), arguments)


if __name__ == "__main__":
    main()
