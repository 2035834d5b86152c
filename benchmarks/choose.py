"""Choosing among six backbones: `headstart choose` against training each with plain Keras.

    python benchmarks/choose.py --photos ../shared/data/photos/cats_dogs/train \
        --keras-home ../shared/data/keras_home

MobileNetV2, MobileNetV2-0.35 and MobileNet-0.25 with ImageNet weights, ResNet50, Xception and
VGG16 with random ones. Ours is a whole process from an empty cache, with halving and without. Of
plain Keras an epoch of each is measured on a part of the photos, after one that compiles, and
scaled to five epochs of the photos that choosing used. Results are in docs/performance.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from frozen import DATA, HERE, timed
from machine import describe

NETWORKS = {
    "MobileNetV2": "imagenet", "MobileNetV2-0.35": "imagenet", "MobileNet-0.25": "imagenet",
    "ResNet50": "none", "Xception": "none", "VGG16": "none",
}  # fmt: skip
EPOCHS = 5


def main() -> None:
    arguments = _arguments()
    print(describe(), flush=True)
    environment = {
        **os.environ, "KERAS_HOME": str(arguments.keras_home), "TF_CPP_MIN_LOG_LEVEL": "3"
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = {}
        for label, options in (("halving", []), ("all photos", ["--no-halving"])):
            if label == "all photos" and not arguments.no_halving:
                continue
            seconds, found = _ours(arguments.photos, folder / label, options, environment)
            ours[label] = seconds
            print(f"headstart choose, {label}: {seconds:.1f} s")
            for row in found["rows"]:
                probe = row["probe"] or {"top_1": float("nan"), "photos": 0}
                print(f"  {row['candidate']['name']}: {probe['top_1']:.3f} on {probe['photos']}")
            print(f"  {found['reason']}", flush=True)
        again, _ = _ours(arguments.photos, folder / "halving", [], environment)
        print(f"once more: {again:.1f} s", flush=True)
        plain = _plain(arguments.photos, folder / "part", found["photos"], environment)
        print(f"plain Keras, scaled: {plain:.0f} s")
        for label, seconds in ours.items():
            print(f"{label}: {plain / seconds:.1f}x")


def _ours(
    photos: Path, folder: Path, options: list[str], environment: dict[str, str]
) -> tuple[float, dict]:
    names = ",".join(n if w == "imagenet" else f"{n}:none" for n, w in NETWORKS.items())
    command = [sys.executable, "-m", "headstart", "choose", str(photos), "--backbones", names]
    command += ["--json", *options]
    return timed(command, environment | {"HEADSTART_CACHE": str(folder)})


def _plain(photos: Path, part: Path, count: int, environment: dict[str, str]) -> float:
    for file in sorted(photos.glob("*/*.jpg"))[::16]:
        place = part / file.relative_to(photos)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    whole = 0.0
    for name, weights in NETWORKS.items():
        command = [sys.executable, str(HERE / "plain_epochs.py"), str(part), name, weights]
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        )  # fmt: skip
        told = json.loads(done.stdout.splitlines()[-1])
        seconds = told["fixed"] + told["epoch"] * EPOCHS * count / told["photos"]
        rate = told["photos"] / told["epoch"]
        print(f"  plain {name}: {rate:.1f} photos/s, {seconds:.0f} s scaled", flush=True)
        whole += seconds
    return whole


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs" / "train")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    parser.add_argument("--no-halving", action="store_true", help="Time that as well.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
