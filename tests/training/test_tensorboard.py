"""TensorBoard's logs hold every stage and the validation scores, or a clear error comes first."""

import csv
import sys

import keras
import pytest

import headstart
from headstart.errors import ArgumentError, MissingPackageError


def train(photos, out, **options):
    return headstart.train(photos, out=out, backbone="Starter", **options)


def values_of(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [float(make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
    }


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"plan": "freeze_then_fine_tune", "fine_tune": "last:2"}, ["stage 1", "stage 2"]),
        ({"head": "mlp:8"}, ["head"]),
    ],
    ids=["stages", "head"],
)
def test_each_stage_writes_its_epochs(make_photos, tmp_path, options, names):
    pytest.importorskip("tensorboard", reason="not installed: pip install tensorboard")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Keras writes TensorBoard's logs through TensorFlow")
    logs = tmp_path / "logs"
    run = train(make_photos(count=20), tmp_path / "run", logs=logs, epochs=2, **options)
    assert sorted(path.name for path in logs.iterdir()) == names
    history = list(csv.DictReader((run.folder / "history.csv").read_text("utf-8").splitlines()))
    for number, name in enumerate(names, 1):
        rows = [row for row in history if int(row.get("stage", 1)) == number]
        found = values_of(logs / name / "train")
        for measure in ("loss", "accuracy", "validation_top_1", "validation_log_loss"):
            expected = [float(row[measure]) for row in rows]
            assert found[f"epoch_{measure}"] == pytest.approx(expected, rel=1e-5)


def test_another_backend_is_an_error_before_a_photo_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArgumentError, match="needs Keras on TensorFlow, and its backend is 'jax'"):
        train(tmp_path / "empty", tmp_path / "run", plan="lp_ft", logs=tmp_path / "logs")


def test_a_missing_package_is_an_error_with_the_pip_command(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingPackageError, match="pip install tensorboard"):
        train(tmp_path / "empty", tmp_path / "run", plan="lp_ft", logs=tmp_path / "logs")


def test_logs_of_a_head_without_epochs_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArgumentError, match=r"tensorboard=.* has no effect"):
        train(tmp_path / "empty", tmp_path / "run", logs=tmp_path / "logs")
