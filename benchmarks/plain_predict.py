"""Prediction as a careful person writes it by hand: a row a photo, on plain Keras.

Run by benchmarks/predict.py as a process of its own; prints one line of JSON.
"""

import argparse
import csv
import json
import time
from pathlib import Path

import keras


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="model.keras")
    parser.add_argument("photos", type=Path, help="folder of photos, in folders")
    parser.add_argument("--csv", type=Path, required=True)
    arguments = parser.parse_args()
    model = keras.models.load_model(arguments.model, compile=False)
    names = json.loads((arguments.model.parent / "manifest.json").read_text())["class_names"]
    begin = time.perf_counter()
    photos = keras.utils.image_dataset_from_directory(
        arguments.photos,
        labels=None,
        image_size=model.input_shape[1:3],
        batch_size=32,
        shuffle=False,
        verbose=False,
    )
    answers = model.predict(photos, verbose=0)
    with arguments.csv.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "predicted", *names])
        for name, row in zip(photos.file_paths, answers, strict=True):
            writer.writerow([name, names[row.argmax()], *row])
    print(json.dumps({"seconds": time.perf_counter() - begin}))


if __name__ == "__main__":
    main()
