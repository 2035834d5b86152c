"""Is fine-tuning from the probe ever worse than the probe? McNemar's exact test over three seeds.

    python benchmarks/lp_ft.py --photos ../shared/data/photos/cats_dogs \
        --keras-home ../shared/data/keras_home

MobileNetV2, `--plan lp_ft --fine-tune from:block_13_expand`, against `--plan linear_probe`, the
same split and seed; then once with a deliberately wild learning rate. Results: docs/performance.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scipy.stats import binomtest

from fine_tune import LAYER, right_by_file
from machine import DATA, describe

TUNE = ["--plan", "lp_ft", "--fine-tune", f"from:{LAYER}"]
WILD = [*TUNE, "--optimizer", "sgd", "--learning-rate", "10", "--epochs", "2"]


def main() -> None:
    arguments = _arguments()
    print(describe(), flush=True)
    better = worse = 0
    with tempfile.TemporaryDirectory() as name:
        environment = {
            **os.environ,
            "HEADSTART_CACHE": str(Path(name, "cache")),
            "KERAS_HOME": str(arguments.keras_home),
        }
        for seed in range(arguments.seeds):
            runs = {}
            for label, options in (("probe", []), ("lp_ft", TUNE)):
                out = Path(name, f"{label} {seed}")
                head = train(arguments.photos, out, [*options, "--seed", str(seed)], environment)
                runs[label] = right_by_file(out / "predictions.csv")
                kept = head.get("kept", "linear probe")
                share = sum(runs[label].values()) / len(runs[label])
                print(f"seed {seed}, {label}: top-1 {share:.4f}, kept: {kept}", flush=True)
            better += sum(runs["lp_ft"][f] and not runs["probe"][f] for f in runs["probe"])
            worse += sum(runs["probe"][f] and not runs["lp_ft"][f] for f in runs["probe"])
        p = binomtest(better, better + worse).pvalue if better + worse else 1.0
        print(f"only lp_ft right: {better}, only the probe: {worse}, McNemar p = {p:.3f}")
        head = train(arguments.photos, Path(name, "wild"), WILD, environment)
        print(f"SGD 10: kept the {head['kept']}. {head['stages'][0]['ended_early']}")


def train(photos: Path, out: Path, options: list[str], environment: dict[str, str]) -> dict:
    command = [sys.executable, "-m", "headstart", "train", str(photos), "--out", str(out), *options]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return json.loads((out / "manifest.json").read_text("utf-8"))["head"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
