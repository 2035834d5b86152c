"""The main job on real photos with real ImageNet weights: 2000 cats and dogs, 1000 to test on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.data.split import read_split_csv
from headstart.workflow import record


@pytest.fixture
def photos(test_data: Path, keras_home: Path) -> Path:
    assert keras_home.is_dir()
    return test_data / "photos" / "cats_dogs"


@pytest.mark.parametrize("precision", ["auto", "float32"])
def test_cats_and_dogs_and_the_join_holds_on_every_test_photo(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    monkeypatch.setattr(record, "AGREEMENT_PHOTOS", 1000)
    run = headstart.train(photos, backbone="MobileNetV2", precision=precision, out=tmp_path / "run")
    assert run.manifest.metrics["count"] == 1000
    assert run.manifest.metrics["top_1"] >= 0.985
    found = run.manifest.agreement
    assert found["photos"] == 1000
    if run.manifest.precision == "float32":
        assert found["max_difference"] <= 1e-3
    else:
        assert found["share_within"] >= 0.99
        assert found["same_top_1"] >= 0.995


def test_every_odd_file_is_used_or_set_aside_with_a_reason(test_data: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("odd_images", "exif_orientation"):
        shutil.copytree(test_data / "photos" / name, photos / name)
    report = headstart.check(photos)
    given = sum(1 for path in photos.rglob("*") if path.is_file())
    assert report.photos + len(report.set_aside) == given
    assert all(item.reason for item in report.set_aside)
    assert report.photos >= 40 + 9
    assert json.dumps(report.to_dict())


@pytest.fixture(scope="module")
def own_cache(module_cache: Path) -> Path:
    """One cache for the module: the same three thousand photos again and again."""
    return module_cache


@pytest.fixture
def run(photos: Path, own_cache: Path) -> headstart.Run:
    folder = own_cache / "run"
    return (
        headstart.load_run(folder)
        if folder.exists()
        else headstart.train(photos, backbone="MobileNetV2", out=folder)
    )


def test_what_is_no_cat_or_dog_is_marked_and_few_cats_and_dogs_are(
    run: headstart.Run, test_data: Path
) -> None:
    assert run.manifest.metrics["unfamiliar"] < 0.05
    found = headstart.predict(run, test_data / "photos" / "odd_images")
    assert sum(item.is_unfamiliar for item in found) >= 0.8 * len(found)
    samples = [
        test_data / "photos/sample_photos" / name for name in ("parrot.jpg", "sunflower.bmp")
    ]
    assert all(item.is_unfamiliar for item in headstart.predict(run, samples))


def test_calibration_does_not_harm_and_the_promise_of_coverage_holds(run: headstart.Run) -> None:
    found = run.manifest.calibration
    assert found["error_after"] <= found["error_before"] + 0.002
    for coverage in (0.95, 0.99, 0.995):
        answered = headstart.evaluate(run, coverage=coverage).answered
        assert answered.covered >= coverage - 0.01
        assert answered.top_1_of_answered >= 0.985


def test_of_planted_wrong_labels_four_fifths_are_among_the_first_hundred(
    photos: Path, run: headstart.Run, own_cache: Path
) -> None:
    given = read_split_csv(run.folder / "split.csv")
    chosen = np.random.default_rng(0).permutation(len(given))[: round(0.03 * len(given))]
    wrong = {given[at].file: {"cats": "dogs", "dogs": "cats"}[given[at].label] for at in chosen}
    table = own_cache / "planted.csv"
    table.write_text("file,label\n" + "".join(f"{f},{label}\n" for f, label in wrong.items()))
    planted = headstart.train(photos, backbone="MobileNetV2", fixes=str(table),
                              out=own_cache / "planted")  # fmt: skip
    first = [item.file for item in headstart.suspects(planted).items[:100]]
    assert len(wrong) == 90
    assert len(set(first) & set(wrong)) >= 0.8 * len(wrong)
