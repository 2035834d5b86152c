"""What it costs to know what a run is worth: report, suspects and learning curve.

    python benchmarks/trust.py --photos ../shared/data/photos/cats_dogs \
        --keras-home ../shared/data/keras_home

Each command is timed as a whole process after one training, from the cache that it filled, once
(as a person would run it) and again. Then 3 % of all labels are made wrong, in a table and not in
the photos, and it is counted how many of them the first 100 suspects hold. Results are in
docs/performance.md.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from machine import DATA, describe

PLANTED = 0.03


def timed(arguments: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Runs a command of Headstart and returns its seconds and what it printed."""
    command, begin = [sys.executable, "-m", "headstart", *arguments], time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode == 2:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def plant(run: Path, table: Path, seed: int) -> set[str]:
    """Writes a table that gives some photos another class; returns their names."""
    with (run / "split.csv").open(encoding="utf-8", newline="") as opened:
        rows = [row for row in csv.DictReader(opened) if row["label"]]
    names = sorted({row["label"] for row in rows})
    chosen = np.random.default_rng(seed).permutation(len(rows))[: round(PLANTED * len(rows))]
    with table.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("file", "label"))
        for at in chosen:
            other = names[(names.index(rows[at]["label"]) + 1) % len(names)]
            writer.writerow((rows[at]["file"], other))
    return {rows[at]["file"] for at in chosen}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    arguments = parser.parse_args()
    if not arguments.photos.is_dir():
        sys.exit(f"no photos at {arguments.photos}: name a folder with train and test (--photos)")
    print(describe())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        environment = os.environ | {
            "KERAS_HOME": str(arguments.keras_home),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "HEADSTART_CACHE": f"{folder}/cache",
        }
        run = folder / "run"
        photos = [str(arguments.photos), "--backbone", "MobileNetV2"]
        timed(["train", *photos, "--out", str(run)], environment)
        for command in ("report", "suspects", "learning-curve"):
            first, again = (timed([command, str(run)], environment)[0] for _ in range(2))
            print(f"headstart {command}: {first:.1f} s, again {again:.1f} s")
        print(f"report.html: {(run / 'report.html').stat().st_size / 1e6:.1f} MB")
        for seed in range(3):
            wrong = plant(run, folder / "wrong.csv", seed)
            planted, fixes = str(folder / f"planted-{seed}"), str(folder / "wrong.csv")
            timed(["train", *photos, "--out", planted, "--fixes", fixes], environment)
            listed = json.loads(timed(["suspects", planted, "--json"], environment)[1])["suspects"]
            found = wrong & {row["file"] for row in listed[:100]}
            print(f"seed {seed}: {len(found)} of {len(wrong)} among the first 100 suspects")


if __name__ == "__main__":
    main()
