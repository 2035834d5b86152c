"""Every format and precision of `headstart export`: size, speed and answers, in one run.

    python benchmarks/export.py --photos ../shared/data/photos/cats_dogs \
        --keras-home ../shared/data/keras_home

Trains MobileNetV2 on the folder's `train`, and proves each export on 500 photos of its `test`,
against `model.keras` in float32 by Keras on TensorFlow. Results are in docs/how-to/export.md.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from machine import DATA, describe

PHOTOS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=DATA / "photos" / "cats_dogs")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    arguments = parser.parse_args()
    if not arguments.photos.is_dir():
        sys.exit(f"no photos at {arguments.photos}: name a folder with train and test (--photos)")
    print(describe())
    with tempfile.TemporaryDirectory() as place:
        os.environ |= {
            "KERAS_HOME": str(arguments.keras_home),
            "HEADSTART_CACHE": f"{place}/cache",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        measure(arguments.photos, Path(place))


def measure(photos: Path, place: Path) -> None:
    import headstart
    from headstart.artifact.export.formats import FORMATS
    from headstart.progress import Silent
    from headstart.workflow.export import export_on
    from headstart.workflow.export_bench import bench

    run = headstart.train(photos, backbone="MobileNetV2", out=place / "run")
    with bench(run, "tensorflow", photos=None, count=PHOTOS, progress=Silent()) as given:
        show("model.keras", given.measured)
        for wanted in FORMATS.values():
            for precision in wanted.precisions:
                name = f"{wanted.name} {precision}"
                made = export_on(
                    given, wanted, precision, out=place / name.replace(" ", "-"), progress=Silent()
                )
                show(f"{name}, {made.measured.runtime}", made.measured)
                if made.by_default is not None:
                    show(f"{name}, computed in {made.default_precision}", made.by_default)


def show(name: str, measured: object) -> None:
    found = measured.parity
    interval = found.top_1_interval
    print(
        f"| {name} | {measured.size_bytes / 2**20:.1f} MB | {measured.photos_per_second:.0f} | "
        f"{found.top_1:.3f} ({interval.low:.3f} to {interval.high:.3f}) | {found.same_top_1:.3f} | "
        f"{found.max_difference:.1e} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
