"""The recipes that are shipped run from the command line, as their headers say."""

import csv
import json
import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headstart.cli.main import app

FOLDER = Path(__file__).resolve().parent.parent / "recipes"
RECIPES = sorted(FOLDER.glob("*.toml"))

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def run_recipe(name: str, photos: Path, out: Path, *options: str) -> dict:
    command = ["train", str(photos), "--recipe", str(FOLDER / name), "--weights", "none"]
    result = CliRunner().invoke(app, [*command, "--out", str(out), *options])
    assert result.exit_code == 0, result.output
    return json.loads((out / "manifest.json").read_text("utf-8"))


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_a_header_says_how_it_was_run_and_what_came_of_it(file: Path):
    header = "".join(line for line in file.read_text("utf-8").splitlines(True) if line[0] == "#")
    assert f"--recipe recipes/{file.name}" in header
    for word in ("Machine", "Time", "Result"):
        assert re.search(rf"^# {word}: +\S", header, re.MULTILINE), word
    assert "ImageNet result not measured" in header
    assert "MEASURE" not in header


def test_xception_in_two_stages(make_photos, tmp_path: Path):
    photos = make_photos(count=8)
    manifest = run_recipe("xception_two_stage.toml", photos, tmp_path / "run", "--image-size", "71")
    head, everything = manifest["head"]["stages"]
    assert (head["trainable"], head["learning_rate"]) == ("head", 0.2)
    assert (everything["trainable"], everything["learning_rate"]) == ("all", 0.01)
    assert everything["schedule_options"] == {"decay": 0.001}
    assert any(name.startswith("block1_conv1/") for name in everything["moved"])


def test_dogs_vs_cats_from_the_archive_as_it_comes(draw_photo, tmp_path: Path):
    archive = tmp_path / "kagglecatsanddogs.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for label, kind in (("Cat", "disc"), ("Dog", "square")):
            for number in range(12):
                file = tmp_path / "photo.jpg"
                draw_photo(kind, number).save(file)
                opened.write(file, f"PetImages/{label}/{number}.jpg")
            opened.writestr(f"PetImages/{label}/666.jpg", b"\xff\xd8\xff\xe0 torn")
            opened.writestr(f"PetImages/{label}/Thumbs.db", b"\xd0\xcf\x11\xe0")
    counts = ["--train-per-class", "6", "--test-per-class", "3", "--image-size", "32"]
    out = tmp_path / "run"
    manifest = run_recipe("dogs_vs_cats_vgg16.toml", archive, out, *counts)
    photos = manifest["photos"]
    assert (photos["train"], photos["test"], photos["set_aside"]) == (12, 6, 4)
    assert [stage["trainable"] for stage in manifest["head"]["stages"]] == [
        "head", "from:block5_conv1",
    ]  # fmt: skip
    assert "def smoothed_cross_entropy" in manifest["head"]["source"]["loss"]
    assert "def momentum_with_clipping" in " ".join(manifest["head"]["source"].values())
    assert len(list(csv.DictReader((out / "predictions.csv").read_text().splitlines()))) == 6
