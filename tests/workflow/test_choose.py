"""Choosing and tuning on drawn photos, from the command line to what they leave behind."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import headstart
from headstart.cli.main import app
from headstart.data.index import ImageIndex
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError
from headstart.progress import Silent
from headstart.recipe import make_recipe, read_recipe
from headstart.workflow.candidates import find_candidates
from headstart.workflow.intake import read_photos
from headstart.workflow.setup import split_index


def call(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


@pytest.fixture
def read_without_test(make_photos: Callable[..., Path]) -> ImageIndex:
    """Photos whose test files are gone: whoever reads one of them fails."""
    folder = make_photos(count=30)
    place = CachePlace.default()
    index = read_photos(folder, image_size=None, place=place, progress=Silent())
    test = split_index(index, make_recipe({"photos": str(folder)})).test
    assert len(test) > 4
    for file in index.files(test):
        file.unlink()
    return index


def test_a_choice_from_the_command_line(make_photos: Callable[..., Path], tmp_path: Path) -> None:
    photos, page = str(make_photos(count=30)), tmp_path / "choice.html"
    asked = ("choose", photos, "--backbones", "Starter,Starter:none", "--sizes", "16,32")
    found = json.loads(call(*asked, "--json", "--out", str(page)))
    assert len(found["candidates"]) == 4
    assert found["recommended"]["backbone"] == "Starter"
    assert found["candidates"][0]["photos_per_second"] > 0
    assert [gain["layer"] is None for gain in found["gains"]] == [False, True]
    text = page.read_text("utf-8")
    assert "<svg" in text
    assert found["reason"].split(".")[0] in text
    assert "http" not in text.replace("http://www.w3.org", "").replace("http-equiv", "")
    said = call(*asked)
    assert "take Starter at" in said
    assert f"headstart train {photos} --backbone Starter --image-size" in " ".join(said.split())
    assert "random weights" in said


def test_choosing_and_tuning_read_no_test_photo(
    read_without_test: ImageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = read_without_test
    found = headstart.choose(index, backbones=["Starter"], halving=False)
    assert found.photos < len(index)
    pytest.importorskip("optuna", reason="Optuna is not installed")
    monkeypatch.chdir(tmp_path)
    tuned = headstart.tune(index, backbone="Starter", out="tuned", trials=2, end_to_end=1, epochs=1)
    assert {each.part for each in tuned.trials} == {"features", "end to end"}
    assert tuned.best.score.log_loss <= tuned.plain.score.log_loss
    again = headstart.tune(index, backbone="Starter", out="tuned", trials=2, end_to_end=1, epochs=1)
    assert again.new_trials == 0
    assert read_recipe("tuned/recipe.toml").head == tuned.best.settings["head"]
    assert len(Path("tuned/trials.csv").read_text().splitlines()) == 4


def test_a_best_recipe_trains(make_photos: Callable[..., Path], tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="Optuna is not installed")
    photos, out = str(make_photos(count=30)), str(tmp_path / "tuned")
    asked = ("tune", photos, "--backbone", "Starter", "--out", out, "--trials", "1")
    found = json.loads(call(*asked, "--end-to-end", "0", "--json"))
    run = str(tmp_path / "run")
    call("train", "--recipe", found["recipe"], "--out", run)
    assert headstart.load_run(run).manifest.backbone["name"] == "Starter"
    message = call("tune", photos, "--backbone", "Starter", "--out", run, code=2)
    assert "holds no search to go on with" in message


def test_candidates_are_those_whose_weights_are_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mobilenet_2_5_128_tf_no_top.h5").write_bytes(b"128 px")

    def find(*names: str, sizes: tuple[int, ...] = (), limit: float | None = None) -> Any:
        return find_candidates(names, sizes, size_limit=limit, progress=Silent())

    found, _ = find("all")
    assert [each.name for each in found] == ["Starter at 16 px", "MobileNet-0.25 at 128 px"]
    found, left_out = find("ResNet50:none", "Starter", limit=50)
    assert [each.name for each in found] == ["Starter at 16 px"]
    assert left_out == (("ResNet50 at 224 px, random weights", "94.4 MB, more than 50"),)
    found, left_out = find("Xception:none", sizes=(64, 96))
    assert [each.spec.image_size for each in found] == [96]
    assert left_out == (("Xception at 64 px", "needs at least 71 px"),)
    with pytest.raises(ArgumentError, match="Say LeNet5:none to measure it with random weights"):
        find("LeNet5")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--budget", "soon"), "budget='soon' is no time. Expected such as 90s, 10m or 1.5h."),
        (("--sizes", "big"), "sizes='big': expected sides in pixels, as in 160,224."),
        (("--out", "x.png"), "expected a name that ends in .html or .svg"),
        (("--prefilter", "0"), "prefilter=0, expected at least 1."),
        (("--size-limit", "0.1", "--backbones", "Starter"), "No backbone is left to choose from."),
    ],
)
def test_what_does_not_fit_is_said_before_a_photo_is_read(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    assert message in " ".join(call("choose", str(tmp_path), *options, code=2).split())


def test_real_weights_are_chosen_over_random_ones(
    test_data: Path, keras_home: Path, tmp_path: Path
) -> None:
    assert keras_home.is_dir()
    for kind in ("cats", "dogs"):
        files = sorted((test_data / "photos" / "cats_dogs" / "train" / kind).iterdir())[:80]
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for file in files:
            shutil.copy(file, tmp_path / "photos" / kind)
    names = ["MobileNetV2", "MobileNet-0.25", "MobileNet-0.25:none"]
    found = headstart.choose(tmp_path / "photos", backbones=names)
    ranks = [each.candidate.name for each in found]
    assert ranks[0] == found.recommended.candidate.name == "MobileNetV2 at 224 px"
    assert ranks[-1] == "MobileNet-0.25 at 224 px, random weights"
