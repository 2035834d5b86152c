"""What a run is worth: calibrated, compared, suspected, and measured on fewer photos."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import headstart
from headstart.artifact.tables import read_predictions
from headstart.artifact.trust import read_trust
from headstart.cli.main import app
from headstart.data.split import read_split_csv
from headstart.errors import ArgumentError, PhotosError, RunError
from headstart.evaluation.calibration import with_temperature
from headstart.files import sha256
from headstart.workflow import learning_curve as learning


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def own_cache(module_cache: Path) -> Path:
    """One cache for the module: the starter is converted once."""
    return module_cache


@pytest.fixture
def train(tmp_path: Path, own_cache: Path) -> Callable[..., headstart.Run]:
    assert own_cache.is_dir()

    def run(photos: object, name: str = "run", **options: object) -> headstart.Run:
        settings = {"backbone": "Starter", **options}
        return headstart.train(photos, out=tmp_path / name, **settings)

    return run


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"head": "sigmoid"},
        {"head": "mlp:8", "epochs": 4},
        {"plan": "lp_ft", "fine_tune": "last:2", "epochs": 1},
    ],
    ids=str,
)
def test_the_temperature_is_inside_the_saved_model(train, make_photos, options) -> None:
    import keras

    run = train(make_photos(count=120), precision="float32", **options)
    manifest = run.manifest
    assert manifest.temperature == manifest.calibration["temperature"] != 1.0
    assert ("out-of-fold" in manifest.calibration["fitted_on"]) == (
        "epochs" not in options or manifest.head.get("kept") == "linear probe"
    )
    table = read_predictions(run.folder / "predictions.csv")
    photo = run.folder.parent / "photos" / table.files[0]
    (found,) = headstart.predict(run, photo, engine="keras")
    expected = [found.probabilities[name] for name in manifest.class_names]
    np.testing.assert_allclose(table.probabilities[0], expected, atol=1e-3)
    dense = keras.models.load_model(run.model_file).get_layer("probabilities")
    assert dense.activation.__name__ == options.get("head", "softmax").replace("mlp:8", "softmax")
    before = with_temperature(table.probabilities, 1 / manifest.temperature)
    names = np.array(manifest.class_names)
    assert names[before.argmax(axis=1)].tolist() == list(table.predicted)


def test_without_enough_held_out_photos_nothing_is_calibrated(train, make_photos) -> None:
    run = train(make_photos(count=8), head="mlp:4", epochs=1)
    assert run.manifest.temperature == 1.0
    assert run.manifest.calibration["fitted_on"] == "nothing"


def test_test_labels_have_no_say_in_temperature_and_limits(train, make_photos, tmp_path) -> None:
    photos, tests = make_photos("photos", count=40), make_photos("tests", count=6, start=500)
    swapped = tmp_path / "swapped"
    for name, other in (("disc", "square"), ("square", "disc")):
        (swapped / name).mkdir(parents=True)
        for file in (tests / other).iterdir():
            (swapped / name / file.name).write_bytes(file.read_bytes())
    first = train(photos, "first", test=str(tests))
    second = train(photos, "second", test=str(swapped))
    assert first.manifest.temperature == second.manifest.temperature
    assert sha256(first.folder / "trust.npz") == sha256(second.folder / "trust.npz")


def test_more_coverage_asks_for_more_candidates(train, make_photos) -> None:
    run = train(make_photos(count=60), weights="none")
    photos = run.folder.parent / "photos"
    for coverage in (0.6, 0.99):
        found = list(headstart.predict(run, photos, coverage=coverage))
        assert all(item.class_name == item.candidates[0] for item in found)
        sizes = [len(item.candidates) for item in found]
        share = np.mean([item.file.split("/")[-2] in item.candidates for item in found])
        assert share >= coverage - 0.05
        assert all(item.is_sure == (size == 1) for item, size in zip(found, sizes, strict=True))
    found = headstart.evaluate(run, coverage=0.99)
    assert found.answered.coverage == 0.99
    code, out, _ = call("predict", run.folder, photos / "disc", "--coverage", "0.999")
    assert code == 0
    assert "not sure" in out
    assert "does not fit" in call("predict", run.folder, photos, "--coverage", "2")[2]


def test_a_photo_unlike_all_others_is_marked(train, make_photos, draw_photo) -> None:
    run = train(make_photos(count=60))
    odd = run.folder.parent / "odd.png"
    stripes = np.tile(np.repeat([[255, 0, 0], [0, 0, 255]], 2, axis=0), (40, 10, 1))
    from PIL import Image

    Image.fromarray(stripes.astype(np.uint8)).save(odd)
    usual = run.folder.parent / "usual.png"
    draw_photo("disc", 999).save(usual)
    found = {Path(item.file).name: item for item in headstart.predict(run, [odd, usual])}
    assert found["odd.png"].is_unfamiliar
    assert not found["usual.png"].is_unfamiliar
    assert found["odd.png"].distance > read_trust(run.folder / "trust.npz").familiarity.limit


def test_a_changed_or_missing_trust_file_is_refused(train, make_photos) -> None:
    run = train(make_photos(count=12))
    (run.folder / "trust.npz").write_bytes(b"x")
    with pytest.raises(RunError, match=r"trust\.npz is not as it was written"):
        headstart.predict(run, run.folder.parent / "photos")


def test_runs_on_the_same_photos_are_compared_and_others_refused(
    train, make_photos, draw_photo
) -> None:
    photos, tests = make_photos("photos", count=40), make_photos("tests", count=30, start=500)
    first = train(photos, "first", test=str(tests))
    second = train(photos, "second", test=str(tests), weights="none", image_size=16)
    (found,) = headstart.compare(first, second.folder)
    assert found.count == 60
    assert found.difference == pytest.approx(
        second.manifest.metrics["top_1"] - first.manifest.metrics["top_1"]
    )
    code, out, _ = call("compare", first.folder, second.folder, "--json")
    assert code == int(found.is_significant)
    assert json.loads(out)[0]["p_value"] == found.p_value
    assert "top-1" in call("compare", first.folder, second.folder)[1]

    (tests / "disc" / "disc_0500.png").unlink()
    third = train(photos, "third", test=str(tests))
    with pytest.raises(PhotosError, match=r"1 only in first \(.*disc/disc_0500\.png\)"):
        headstart.compare(first, third)
    draw_photo("disc", 999).save(tests / "disc" / "disc_0500.png")
    fourth = train(photos, "fourth", test=str(tests))
    with pytest.raises(PhotosError, match="same names but not of the same content"):
        headstart.compare(first, fourth)
    with pytest.raises(ArgumentError, match="expected two or more"):
        headstart.compare(first)


def test_wrong_labels_are_found_corrected_and_no_photo_is_touched(
    train, make_photos, tmp_path
) -> None:
    photos = make_photos(count=60)
    moved = [f"disc_{number:04d}.png" for number in (3, 17, 31)]
    for name in moved:
        (photos / "disc" / name).rename(photos / "square" / name)
    before = {path: sha256(path) for path in photos.rglob("*.png")}
    run = train(photos)
    found = headstart.suspects(run)
    listed = [item.file for item in found if item.kind == "label"]
    assert {f"square/{name}" for name in moved} <= set(listed[:12])
    table = tmp_path / "fixes.csv"
    code, out, _ = call("suspects", run.folder, "--csv", table, "--json")
    assert code == 1
    assert len(json.loads(out)["suspects"]) == len(found)
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    kept = [row for row in rows if Path(row["file"]).name in moved]
    with table.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    code, _, errors = call("suspects", run.folder, "--apply", table, "--out", tmp_path / "fixed")
    assert code == 0, errors
    fixed = headstart.load_run(tmp_path / "fixed")
    split = read_split_csv(fixed.folder / "split.csv")
    labels = {row.file: row.label for row in split}
    assert all(labels[f"square/{name}"] == "disc" for name in moved)
    assert {path: sha256(path) for path in photos.rglob("*.png")} == before
    assert headstart.evaluate(fixed).top_1 == fixed.manifest.metrics["top_1"]
    assert not {f"square/{name}" for name in moved} & {i.file for i in headstart.suspects(fixed)}


def test_copies_that_contradict_each_other_are_suspects(train, make_photos) -> None:
    photos = make_photos(count=20)
    (photos / "square" / "copy.png").write_bytes((photos / "disc/disc_0002.png").read_bytes())
    found = [item for item in headstart.suspects(train(photos)) if item.kind == "copies"]
    assert {item.file for item in found} == {"square/copy.png", "disc/disc_0002.png"}
    assert "labelled" in found[0].reason


def test_a_learning_curve_rises_to_the_photos_there_are(train, make_photos) -> None:
    run = train(make_photos(count=120))
    curve = headstart.learning_curve(run)
    assert [point.photos for point in curve.points] == sorted(p.photos for p in curve.points)
    assert curve.points[-1].photos == run.manifest.photos["train"]
    assert curve.points[-1].top_1 >= curve.points[0].top_1
    assert curve.tested_on == "test"
    assert [each.photos for each in curve.forecasts] == [
        2 * curve.points[-1].photos, 4 * curve.points[-1].photos,
    ]  # fmt: skip
    code, out, _ = call("learning-curve", run.folder, "--json")
    assert code == 0
    assert json.loads(out) == json.loads(json.dumps(curve.to_dict()))
    assert "expected" in call("learning-curve", run.folder)[1]


def test_from_scratch_the_same_network_is_trained_on_the_same_photos(
    train, make_photos, monkeypatch
) -> None:
    monkeypatch.setattr(learning, "SCRATCH_SIZES", 1)
    run = train(make_photos(count=40), head="mlp:4", epochs=1)
    curve = headstart.learning_curve(run, scratch=True)
    assert [point.photos for point in curve.scratch] == [curve.points[-1].photos]
    assert all(0 <= point.top_1 <= 1 for point in curve.scratch)


def test_a_run_without_held_out_photos_has_no_curve(train, make_photos) -> None:
    run = train(make_photos(count=12), validation=0.0, test_fraction=0.0)
    with pytest.raises(PhotosError, match="neither test nor validation"):
        headstart.learning_curve(run)
    assert headstart.predict(run, run.folder.parent / "photos" / "disc")
