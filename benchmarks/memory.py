"""Anonymous memory of `headstart train` with 2,000 and with 20,000 photos.

    python benchmarks/memory.py --photos ../shared/data/photos/cats_dogs/train \
        --keras-home ../shared/data/keras_home

The photos are copies with small changes (another crop, another JPEG quality). Measured is the peak
of RssAnon summed over its processes, read from /proc twenty times a second: mapped caches,
which the system takes back when it needs to, do not count. Results are in docs/performance.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from PIL import Image

from machine import DATA, describe


def multiply(source: Path, target: Path, count: int) -> None:
    """Writes `count` changed copies of the photos below a folder of class folders."""
    files = sorted(source.rglob("*.jpg"))
    for number in range(count):
        file = files[number % len(files)]
        turn = number // len(files)
        place = target / file.parent.name / f"{file.stem}_{turn}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as image:
            changed = image.crop((turn, turn, image.width - turn, image.height - 2 * turn))
            changed.save(place, quality=90 - turn)


def anonymous_bytes(process: psutil.Process, *, with_children: bool = True) -> int:
    """Sums RssAnon over a process and all below it."""
    total = 0
    try:
        family = [process, *(process.children(recursive=True) if with_children else ())]
    except psutil.NoSuchProcess:
        return 0
    for member in family:
        try:
            status = Path(f"/proc/{member.pid}/status").read_text()
        except OSError:
            continue
        total += sum(
            int(line.split()[1]) * 1024
            for line in status.splitlines()
            if line.startswith("RssAnon")
        )
    return total


def peak(command: list[str], environment: dict[str, str]) -> tuple[int, float]:
    """Runs a command and returns its peak of anonymous memory in bytes, and its seconds."""
    begin = time.perf_counter()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    process, highest = psutil.Process(child.pid), 0
    while child.poll() is None:
        highest = max(highest, anonymous_bytes(process))
        time.sleep(0.05)
    if child.returncode:
        sys.exit(f"{' '.join(command)} failed")
    return highest, time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs" / "train")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    parser.add_argument("--counts", type=int, nargs="+", default=[2000, 20_000])
    arguments = parser.parse_args()
    print(describe())
    for count in arguments.counts:
        with tempfile.TemporaryDirectory() as folder:
            multiply(arguments.photos, Path(folder, "photos"), count)
            command = [sys.executable, "-m", "headstart", "train", f"{folder}/photos"]
            command += ["--backbone", "MobileNetV2", "--out", f"{folder}/run"]
            environment = {
                **os.environ,
                "KERAS_HOME": str(arguments.keras_home),
                "HEADSTART_CACHE": f"{folder}/cache",
            }
            highest, seconds = peak(command, environment)
            print(f"{count} photos: peak RssAnon {highest / 2**20:.0f} MiB, {seconds:.1f} s")


if __name__ == "__main__":
    main()
