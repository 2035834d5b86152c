"""Choosing among six backbones: `headstart choose` against training each with plain Keras.

    python benchmarks/choose.py --photos ../shared/data/photos/cats_dogs \
        --keras-home ../shared/data/keras_home

Ours is timed as a whole process with an empty cache: reading, conversion, features, speeds, heads
in cross-validation, the gain over random weights. Then once more, and without successive halving.
Plain Keras is the recipe of benchmarks/plain_keras.py, five epochs a backbone; one epoch on some
photos is timed (without imports, building and compiling) and scaled to all. Three backbones have
ImageNet weights, three have random ones; each sees photos of its own size. Results are in
docs/performance.md.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from machine import DATA, HERE, describe, timed

EPOCHS, BAR = 5, 20.0
BACKBONES = {
    "MobileNetV2": ["MobileNetV2", "--module", "mobilenet_v2"],
    "MobileNetV2-0.35": ["MobileNetV2", "--module", "mobilenet_v2", "--alpha", "0.35"],
    "MobileNet-0.25": ["MobileNet", "--module", "mobilenet", "--alpha", "0.25", "--size", "128"],
    "ResNet50:none": ["ResNet50", "--module", "resnet50", "--weights", "none"],
    "Xception:none": ["Xception", "--module", "xception", "--weights", "none", "--size", "299"],
    "VGG16:none": ["VGG16", "--module", "vgg16", "--weights", "none"],
}


def show(found: dict[str, object]) -> None:
    """Prints the ranking and what was said of it."""
    for row in found["candidates"]:  # type: ignore[attr-defined]
        print(
            f"  {row['name']}: {row['top_1']:.4f} on {row['photos']} photos, "
            f"{row['photos_per_second']:.0f} photos/s, {row['latency_ms']:.1f} ms, "
            f"LogME {row['log_me']:.3f}, H-score {row['h_score']:.3f} {row['out']}"
        )
    for item in found["agreement"]:  # type: ignore[attr-defined]
        print(f"  {item['score']}: Kendall {item['kendall']:.2f}, Spearman {item['spearman']:.2f}")
    print(f"  {found['recommended']['name']}: {found['reason']}")  # type: ignore[index]
    print(f"  {found['gains_sentence']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    parser.add_argument("--count", type=int, default=256, help="photos of each timed epoch")
    arguments = parser.parse_args()
    if not arguments.photos.is_dir():
        sys.exit(f"no photos at {arguments.photos}: name a folder with train and test (--photos)")
    print(describe(), flush=True)
    environment = {
        **os.environ,
        "KERAS_HOME": str(arguments.keras_home),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, "-m", "headstart", "choose", str(arguments.photos), "--json"]
    command += ["--backbones", ",".join(BACKBONES)]
    with tempfile.TemporaryDirectory() as folder:
        own = environment | {"HEADSTART_CACHE": folder}
        ours, found = timed(command, own)
        again, _ = timed(command, own)
        print(f"headstart choose: {ours:.1f} s with an empty cache, {again:.1f} s again")
        show(found)
        without, whole = timed([*command, "--no-halving"], own)
        print(f"without halving: {without:.1f} s more")
        show(whole)
    photos = int(found["photos"])  # type: ignore[call-overload]
    total = 0.0
    for name, words in BACKBONES.items():
        plain = [sys.executable, str(HERE / "plain_choose.py"), str(arguments.photos / "train")]
        _, speed = timed([*plain, *words, "--count", str(arguments.count)], environment)
        rate = float(speed["photos_per_second"])  # type: ignore[arg-type]
        total += EPOCHS * photos / rate
        print(
            f"plain Keras, {name}: {rate:.1f} photos/s, {EPOCHS * photos / rate:.0f} s", flush=True
        )
    print(f"plain Keras, {EPOCHS} epochs of {photos} photos each, scaled: {total:.0f} s in all")
    print(f"with halving {total / ours:.1f}x (bar {BAR:.0f}x)")
    print(f"without halving, from an empty cache, about {total / (ours + without):.1f}x")
    if total / ours < BAR:
        sys.exit(1)


if __name__ == "__main__":
    main()
