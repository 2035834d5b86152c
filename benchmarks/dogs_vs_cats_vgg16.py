"""The classic exercise on VGG-16: `headstart train` against plain Keras with the same layers.

    python benchmarks/dogs_vs_cats_vgg16.py --photos ../shared/data/photos/cats_dogs

VGG-16 with random weights at 224 pixels, flattened, dense layers of 256 and 64 units; 5 epochs of
the head, and the same followed by 5 epochs from block5_conv1. Whole processes are timed, ours from
an empty cache. Plain Keras is measured on a tenth of the photos, and what it takes for each photo
and epoch is scaled to all of them. Results are in docs/performance.md.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from machine import DATA, HERE, describe, timed

LAYER = "block5_conv1"
HEAD = """
backbone = "VGG16"
weights = "none"
pooling = "flatten"
head = "mlp:256,64"
dropout = 0.5
validation = 0.0
schedule = "constant"

[[stages]]
trainable = "head"
epochs = 5
learning_rate = 1e-3
"""
TUNED = f"""
[[stages]]
trainable = "from:{LAYER}"
epochs = 5
learning_rate = 1e-5
"""


def main() -> None:
    arguments = _arguments()
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        tenth = folder / "tenth"
        _copy_tenth(arguments.photos, tenth)
        plain = [sys.executable, str(HERE / "plain_fine_tune.py"), str(tenth)]
        plain += ["--backbone", "VGG16", "--weights", "none", "--fine-tune", LAYER]
        seconds, answer = timed(plain, environment)
        head, tuned = _scaled(seconds, answer, len(list(arguments.photos.rglob("train/*/*"))))
        print(
            f"plain Keras on a tenth: {seconds:.0f} s; "
            f"scaled: head {head:.0f} s, both {tuned:.0f} s"
        )
        for label, text, theirs in (
            ("head", HEAD, head),
            ("head and block 5", HEAD + TUNED, tuned),
        ):
            ours = _ours(text, arguments.photos, folder / label, environment)
            print(f"{label}: headstart {ours:.1f} s, {theirs / ours:.1f}x", flush=True)


def _ours(text: str, photos: Path, folder: Path, environment: dict[str, str]) -> float:
    folder.mkdir()
    (folder / "recipe.toml").write_text(text)
    command = [sys.executable, "-m", "headstart", "train", str(photos), "--json"]
    command += ["--recipe", str(folder / "recipe.toml"), "--out", str(folder / "run")]
    return timed(command, environment | {"HEADSTART_CACHE": str(folder / "cache")})[0]


def _scaled(seconds: float, answer: dict, count: int) -> tuple[float, float]:
    """Plain Keras' seconds for all photos: its stages scale, imports and building do not."""
    head, tuned = answer["stage_seconds"]
    factor = count / answer["photos"]
    # Reading and evaluating the test photos scale too, but are left as they are: in its favour.
    fixed = seconds - head - tuned
    return fixed + head * factor, fixed + (head + tuned) * factor


def _copy_tenth(photos: Path, target: Path) -> None:
    for file in sorted(photos.glob("*/*/*"))[::10]:
        place = target / file.relative_to(photos)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
