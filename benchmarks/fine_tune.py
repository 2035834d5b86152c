"""Head, then top layers: `headstart train` against plain Keras with `trainable` flags.

    python benchmarks/fine_tune.py --photos ../shared/data/photos/cats_dogs \
        --keras-home ../shared/data/keras_home

MobileNetV2 at 224 pixels, head for 5 epochs, then from block_13_expand for 5, Adam with 1e-3 and
1e-5, on all training photos. Whole processes are timed, ours from an empty cache. Both name the
same test photos; McNemar's exact test says whether they differ. Results: docs/performance.md.
"""

import argparse
import csv
import os
import sys
import tempfile
from pathlib import Path

from scipy.stats import binomtest

from machine import DATA, HERE, describe, timed

LAYER = "block_13_expand"
RECIPE = """
backbone = "MobileNetV2"
validation = 0.0

[[stages]]
trainable = "head"
epochs = 5
learning_rate = 1e-3

[[stages]]
trainable = "from:{layer}"
epochs = 5
learning_rate = 1e-5
schedule = "constant"
"""


def main() -> None:
    arguments = _arguments()
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "HEADSTART_CACHE": str(folder / "cache"),
            "KERAS_HOME": str(arguments.keras_home),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        recipe = folder / "recipe.toml"
        recipe.write_text(RECIPE.format(layer=LAYER))
        ours, mine = [], {}
        for number in range(arguments.runs):
            environment["HEADSTART_CACHE"] = str(folder / f"cache {number}")
            out = folder / f"run {number}"
            command = [sys.executable, "-m", "headstart", "train", str(arguments.photos)]
            command += ["--recipe", str(recipe), "--out", str(out), "--json"]
            seconds, _ = timed(command, environment)
            ours.append(seconds)
            mine = right_by_file(out / "predictions.csv")
            print(f"run {number + 1}: {seconds:.1f} s", flush=True)
        plain = [sys.executable, str(HERE / "plain_fine_tune.py"), str(arguments.photos)]
        seconds, answer = timed([*plain, "--fine-tune", LAYER], environment)
    report(sorted(ours)[len(ours) // 2], mine, seconds, answer)


def right_by_file(file: Path) -> dict[str, bool]:
    """Reads from predictions.csv which photos were named right, by class folder and name."""
    rows = csv.DictReader(file.read_text("utf-8").splitlines())
    return {"/".join(Path(r["file"]).parts[-2:]): r["true"] == r["predicted"] for r in rows}


def report(ours: float, mine: dict[str, bool], plain: float, answer: dict) -> None:
    theirs = answer["right"]
    assert mine.keys() == theirs.keys(), "not the same test photos"
    only_mine = sum(mine[file] and not theirs[file] for file in mine)
    only_theirs = sum(theirs[file] and not mine[file] for file in mine)
    discordant = only_mine + only_theirs
    p = binomtest(only_mine, discordant).pvalue if discordant else 1.0
    print(f"headstart:   {ours:7.1f} s, top-1 {sum(mine.values()) / len(mine):.4f}")
    stages = ", ".join(f"{each:.0f}" for each in answer["stage_seconds"])
    print(f"plain Keras: {plain:7.1f} s, top-1 {sum(theirs.values()) / len(theirs):.4f}", end="")
    print(f" (stages {stages} s)\nratio: {plain / ours:.1f}x")
    print(f"only ours right: {only_mine}, only plain Keras: {only_theirs}, McNemar p = {p:.3f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    parser.add_argument("--runs", type=int, default=2, help="of ours")
    return parser.parse_args()


if __name__ == "__main__":
    main()
