"""The main job on real photos with real ImageNet weights: 2000 cats and dogs, 1000 to test on."""

import json
import shutil
from pathlib import Path

import pytest

import headstart
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
