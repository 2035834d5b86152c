"""A frozen backbone and a new head: `headstart train` against the plain Keras recipe.

    python benchmarks/frozen.py --photos ../shared/data/photos/cats_dogs \
        --keras-home ../shared/data/keras_home

Both are timed as whole processes, with the same photos and the same ImageNet weights: imports,
decoding, conversion, training, evaluation and writing count. Cold means an empty cache of ours;
warm means the same command once more. Results are in docs/performance.md.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from machine import DATA, HERE, describe, timed


def ours(photos: Path, folder: Path, name: str, environment: dict[str, str]) -> tuple[float, float]:
    """Trains with an empty or a filled cache; returns seconds and test top-1."""
    command = [sys.executable, "-m", "headstart", "train", str(photos), "--backbone", "MobileNetV2"]
    command += ["--out", str(folder / name), "--json"]
    seconds, result = timed(command, environment)
    return seconds, float(result["metrics"]["top_1"])  # type: ignore[index, arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    parser.add_argument("--runs", type=int, default=3, help="of ours, cold and warm each")
    arguments = parser.parse_args()
    if not arguments.photos.is_dir():
        sys.exit(f"no photos at {arguments.photos}: name a folder with train and test (--photos)")
    environment = {
        **os.environ,
        "KERAS_HOME": str(arguments.keras_home),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    print(describe())
    cold, warm = [], []
    for number in range(arguments.runs):
        with tempfile.TemporaryDirectory() as folder:
            own = environment | {"HEADSTART_CACHE": f"{folder}/cache"}
            cold.append(ours(arguments.photos, Path(folder), "cold", own))
            warm.append(ours(arguments.photos, Path(folder), "warm", own))
        print(f"run {number + 1}: cold {cold[-1][0]:.1f} s, warm {warm[-1][0]:.1f} s")
    command = [sys.executable, str(HERE / "plain_keras.py"), str(arguments.photos)]
    plain, result = timed(command, environment)
    for name, runs in (("cold", cold), ("warm", warm)):
        seconds = statistics.median(run[0] for run in runs)
        print(f"headstart, {name}: {seconds:.1f} s, top-1 {runs[0][1]:.4f}, {plain / seconds:.1f}x")
    print(f"plain Keras:     {plain:.1f} s, top-1 {float(result['top_1']):.4f}")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
