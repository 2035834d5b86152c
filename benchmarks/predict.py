"""`headstart predict` against plain Keras, for one photo and for many; and its memory.

    python benchmarks/predict.py --photos ../shared/data/photos/cats_dogs \
        --keras-home ../shared/data/keras_home

A MobileNetV2 is trained once. Its answers for the same photos are then asked of
`headstart predict --csv` and of `model.predict` over `image_dataset_from_directory`, in turn and
as whole processes: imports, decoding, computing and writing count. With `--memory` the photos are
linked until they are 2,000 and 20,000, and the peak of anonymous memory is watched;
`--count 100000` sends so many through once. Results are in docs/performance.md.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from machine import DATA, HERE, describe, timed
from memory import peak

ONE_PHOTO_RUNS = 7


def link(source: Path, target: Path, count: int) -> Path:
    """Links photos into 100 folders until they are `count`."""
    files = sorted(source.rglob("*.jpg"))
    for number in range(count):
        place = target / f"{number % 100:02d}" / f"{number:06d}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(files[number % len(files)], place)
        except OSError:  # another disk
            place.symlink_to(files[number % len(files)])
    return target


def headstart(run: Path, photos: Path, csv: Path) -> list[str]:
    """Returns the command that writes a row a photo."""
    command = [sys.executable, "-m", "headstart", "predict", str(run), str(photos)]
    return [*command, "--csv", str(csv), "--json"]


def one_photo(run: Path, photos: Path, environment: dict[str, str]) -> None:
    """Times whole processes for one photo each, every time another one."""
    files = sorted(photos.rglob("*.jpg"))
    seconds = []
    for file in files[: ONE_PHOTO_RUNS + 1]:
        command = [sys.executable, "-m", "headstart", "predict", str(run), str(file), "--json"]
        seconds.append(timed(command, environment)[0])
    first, *later = seconds
    print(
        f"one photo: {first:.2f} s the first time, then {statistics.median(later):.2f} s "
        f"({min(later):.2f} to {max(later):.2f})"
    )


def many_photos(run: Path, photos: Path, folder: Path, environment: dict[str, str]) -> None:
    """Times both ways in turn, and says on how many photos they agree."""
    count, ours, plain = len(list(photos.rglob("*.jpg"))), [], []
    for _ in range(2):
        ours.append(timed(headstart(run, photos, folder / "ours.csv"), environment)[0])
        command = [sys.executable, str(HERE / "plain_predict.py"), str(run / "model.keras")]
        seconds, found = timed(
            [*command, str(photos), "--csv", str(folder / "plain.csv")], environment
        )
        plain.append((seconds, float(found["seconds"])))  # type: ignore[arg-type]
    whole, inside = (min(column) for column in zip(*plain, strict=True))
    print(f"headstart predict: {min(ours):.1f} s, {count / min(ours):.0f} photos/s")
    print(
        f"model.predict:     {whole:.1f} s, {count / whole:.0f} photos/s: {whole / min(ours):.2f}x"
    )
    print(f"  without imports and loading: {inside:.1f} s: {inside / min(ours):.2f}x")
    answers = [
        {
            Path(line.split(",")[0]).name: line.split(",")[1]
            for line in file.read_text().splitlines()
        }
        for file in (folder / "ours.csv", folder / "plain.csv")
    ]
    same = sum(answers[0].get(name) == answer for name, answer in answers[1].items())
    print(f"  the same class for {same - 1} of {len(answers[1]) - 1}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    parser.add_argument("--run", type=Path, help="of MobileNetV2, instead of training one")
    parser.add_argument("--memory", action="store_true", help="2,000 against 20,000 photos")
    parser.add_argument("--count", type=int, help="send so many photos through, nothing else")
    arguments = parser.parse_args()
    environment = {
        **os.environ,
        "KERAS_HOME": str(arguments.keras_home),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment.setdefault("HEADSTART_CACHE", f"{folder}/cache")
        run = arguments.run or folder / "run"
        if not run.is_dir():
            command = [sys.executable, "-m", "headstart", "train", str(arguments.photos)]
            timed([*command, "--out", str(run), "--json"], environment)
        photos = arguments.photos / "train"
        if arguments.memory or arguments.count:
            for count in (2000, 20_000) if arguments.memory else (arguments.count,):
                command = headstart(run, link(photos, folder / str(count), count), folder / "a.csv")
                highest, seconds = peak(command, environment)
                print(f"{count} photos: peak RssAnon {highest / 2**20:.0f} MiB, {seconds:.1f} s, "
                      f"{count / seconds:.0f} photos/s", flush=True)  # fmt: skip
            return
        one_photo(run, photos, environment)
        many_photos(run, photos, folder, environment)


if __name__ == "__main__":
    main()
