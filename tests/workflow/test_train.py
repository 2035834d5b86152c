"""The main job, end to end, on small drawn photos with the starter."""

import csv
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.errors import ArgumentError, DiskFullError, PhotosError, RunError
from headstart.files import sha256


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., headstart.Run]:
    def run(photos: object, name: str = "run", **options: object) -> headstart.Run:
        settings = {"backbone": "Starter", **options}
        return headstart.train(photos, out=tmp_path / name, **settings)

    return run


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


@pytest.mark.neutral
def test_a_run_folder_has_everything(train, make_photos) -> None:
    run = train(make_photos(count=40))
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        "model.keras", "manifest.json", "recipe.toml", "split.csv", "history.csv",
        "predictions.csv", "report.html", "model_card.md", "trust.npz",
    }  # fmt: skip
    assert run.manifest.class_names == ("disc", "square")
    assert run.manifest.metrics["top_1"] >= 0.8
    assert 0.25 <= run.manifest.temperature <= 8
    assert run.manifest.digests["model.keras"] == sha256(run.model_file)
    assert not list(run.folder.parent.glob(".*partial*"))


@pytest.mark.neutral
def test_plain_keras_without_this_package_loads_the_model_and_agrees(train, make_photos) -> None:
    run = train(make_photos(count=20), precision="float32")
    first = rows(run.folder / "predictions.csv")[0]
    script = textwrap.dedent(
        """
        import importlib.util, json, sys
        assert importlib.util.find_spec("headstart") is None
        import keras, numpy as np
        from PIL import Image
        model = keras.models.load_model(sys.argv[1])
        size = model.input_shape[1]
        image = Image.open(sys.argv[2]).convert("RGB").resize((size, size), Image.BILINEAR)
        nested = [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
        answer = model.predict(np.asarray(image, "float32")[None], verbose=0)[0].tolist()
        print("\\n" + json.dumps({"nested": nested, "answer": answer}))
        """
    )
    photo = run.folder.parent / "photos" / first["file"]
    # -S leaves out site-packages' .pth files, and with them the editable install of this package.
    site = next(path for path in sys.path if path.endswith("site-packages"))
    done = subprocess.run(
        [sys.executable, "-S", "-c", script, str(run.model_file), str(photo)],
        env={**os.environ, "PYTHONPATH": site},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["nested"] == []
    expected = [float(first["p(disc)"]), float(first["p(square)"])]
    np.testing.assert_allclose(found["answer"], expected, atol=1e-3)


def test_two_runs_with_one_seed_are_the_same(train, make_photos, monkeypatch, tmp_path) -> None:
    photos = make_photos(count=20)
    first = train(photos, "first")
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "another cache"))
    second = train(photos, "second")
    for name in ("model.keras", "split.csv", "predictions.csv", "history.csv"):
        assert sha256(first.folder / name) == sha256(second.folder / name), name
    assert first.manifest.metrics == second.manifest.metrics


def test_permuted_test_labels_leave_the_model_unchanged(train, make_photos, tmp_path) -> None:
    train_photos, honest, swapped = (
        make_photos("train"),
        make_photos("honest", count=6, start=500),
        tmp_path / "swapped",
    )
    swapped.mkdir()
    (swapped / "disc").symlink_to(honest / "square")
    for name, source in (("disc", "square"), ("square", "disc")):
        (swapped / name).unlink(missing_ok=True)
        (swapped / name).mkdir()
        for file in (honest / source).iterdir():
            (swapped / name / file.name).write_bytes(file.read_bytes())
    first = train(train_photos, "first", test=str(honest))
    second = train(train_photos, "second", test=str(swapped))
    assert sha256(first.model_file) == sha256(second.model_file)
    total = first.manifest.metrics["top_1"] + second.manifest.metrics["top_1"]
    assert total == pytest.approx(1)


def test_test_photos_never_reach_the_fit(train, make_photos, monkeypatch) -> None:
    held: list[int] = []
    from headstart.workflow import train as module

    original = module.fit_head

    def spy(setup, frozen, features, given, **rest):
        held.extend([len(features.train), len(features.validation)])
        return original(setup, frozen, features, given, **rest)

    monkeypatch.setattr(module, "fit_head", spy)
    run = train(make_photos(count=20))
    photos = run.manifest.photos
    assert held == [photos["train"], photos["validation"]]


@pytest.mark.neutral
@pytest.mark.parametrize(
    "options",
    [
        {"head": "sigmoid"},
        {"head": "mlp:8", "dropout": 0.2, "epochs": 5},
        {"pooling": "max"},
        {"pooling": "flatten"},
        {"class_weight": "balanced"},
        {"engine": "keras"},
        {"weights": "none"},
    ],
    ids=str,
)
def test_every_kind_of_head_and_pooling_makes_a_run_that_predicts(
    train, make_photos, options: dict[str, object]
) -> None:
    run = train(make_photos(count=12), test_fraction=0.3, **options)
    found = headstart.evaluate(run)
    assert found.top_1 == run.manifest.metrics["top_1"]
    assert run.manifest.agreement["same_top_1"] >= 0.995
    (prediction,) = headstart.predict(run, run.folder.parent / "photos/disc/disc_0000.png")
    assert prediction.class_name in ("disc", "square")
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)


def test_ones_own_head_is_trained_and_its_model_needs_no_code_of_ours(
    train, make_photos, tmp_path
) -> None:
    (tmp_path / "mine.py").write_text(
        textwrap.dedent(
            """
            import keras
            def tiny(feature_count, class_count):
                return keras.Sequential([
                    keras.Input((feature_count,)),
                    keras.layers.Dense(class_count, activation="softmax"),
                ])
            """
        )
    )
    run = train(make_photos(count=12), head=f"{tmp_path}/mine.py:tiny", epochs=3)
    assert headstart.predict(run, run.folder.parent / "photos").set_aside == ()


def test_exact_counts_a_class(train, make_photos) -> None:
    run = train(make_photos(count=20), train_per_class=6, test_per_class=4)
    assert run.manifest.photos["train_per_class"] == {"disc": 6, "square": 6}
    assert run.manifest.metrics["count"] == 8


def test_arrays_are_photos_too(train, draw_photo) -> None:
    pictures = np.stack(
        [np.asarray(draw_photo(kind, n)) for kind in ("disc", "square") for n in range(15)]
    )
    labels = np.repeat(["disc", "square"], 15)
    run = train((pictures, labels))
    assert headstart.evaluate(run, (pictures, labels)).count == 30
    with pytest.raises(ArgumentError, match=r"expected uint8 .+\(X \* 255\)"):
        train((pictures / 255.0, labels), "floats")


def test_broken_files_are_set_aside_and_the_run_goes_on(train, make_photos) -> None:
    photos = make_photos(count=12)
    (photos / "disc" / "torn.jpg").write_bytes(b"\xff\xd8\xff")
    (photos / "disc" / "Thumbs.db").write_bytes(b"x")
    run = train(photos)
    assert run.manifest.photos["set_aside"] == 2
    reasons = {r["file"]: r["reason"] for r in rows(run.folder / "split.csv") if r["reason"]}
    assert "known format" in reasons["disc/torn.jpg"] or "damaged" in reasons["disc/torn.jpg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "MobilNet"}, "Did you mean MobileNet"),
        ({"head": "softmx"}, "head='softmx' is unknown"),
        ({"validation": 1.5}, "validation=1.5 does not fit"),
        ({"seeds": 3}, r"seeds is unknown\. Did you mean seed"),
        ({"precision": "float32x"}, "precision='float32x' does not fit"),
        ({"engine": "keras", "precision": "bfloat16"}, "needs the OpenVINO engine"),
        ({"weights": "no/such/file.h5"}, "no/such/file.h5"),
        ({"image_size": 2}, "image_size=2 does not fit"),
    ],
)
def test_a_wrong_option_is_one_clear_error_before_any_photo_is_read(
    train, tmp_path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        train(tmp_path, **options)


def test_an_existing_run_folder_is_never_overwritten(train, make_photos, tmp_path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(ArgumentError, match="exists already"):
        train(make_photos(count=3))


def test_one_class_only_is_an_error_that_says_what_to_do(train, make_photos) -> None:
    photos = make_photos(count=3)
    for file in (photos / "square").iterdir():
        file.unlink()
    with pytest.raises(PhotosError, match="square"):
        train(photos)


def test_a_changed_model_is_refused(train, make_photos) -> None:
    run = train(make_photos(count=12))
    run.model_file.write_bytes(run.model_file.read_bytes() + b"x")
    with pytest.raises(RunError, match="not as it was written"):
        headstart.predict(run, run.folder.parent / "photos")


def test_photos_of_an_unknown_class_are_refused(train, make_photos) -> None:
    run = train(make_photos(count=12))
    photos = make_photos("others", count=3)
    (photos / "disc").rename(photos / "disk")
    with pytest.raises(ArgumentError, match=r"'disk'.+Did you mean disc"):
        headstart.evaluate(run, photos)


def test_a_run_repeats_from_its_recipe(train, make_photos, tmp_path) -> None:
    from headstart.workflow.train import train_from

    first = train(make_photos(count=12), seed=3, head="sigmoid")
    again = train_from(first.folder / "recipe.toml", {}, out=tmp_path / "again")
    assert sha256(first.model_file) == sha256(again.model_file)


def test_a_full_disk_leaves_nothing_behind(train, make_photos, tmp_path, monkeypatch) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=300k tmpfs {small} 2>/dev/null"):
        pytest.skip("mounting a small disk needs privileges")
    try:
        with pytest.raises(DiskFullError, match="No room left on the disk"):
            train(make_photos(count=12), "small/run")
        assert list(small.iterdir()) == []
    finally:
        os.system(f"umount {small}")
