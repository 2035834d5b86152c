"""A search ends with a recipe that trains, goes on after a kill, and never reads a test photo."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import headstart
from headstart.cli.main import app
from headstart.errors import ArgumentError, TrainingError
from headstart.progress import Silent
from headstart.selection.tuning import Score, search

pytest.importorskip("optuna", reason="Optuna is not installed: pip install headstart[tune]")


def test_the_best_recipe_trains_and_the_search_goes_on(make_photos, tmp_path: Path) -> None:
    photos = make_photos("all/train", count=30)
    make_photos("all/test", count=10, start=100)
    out = tmp_path / "tuned"
    options = ["tune", str(photos.parent), "--backbone", "Starter", "--out", str(out), "--json"]
    done = CliRunner().invoke(app, [*options, "--trials", "2"])
    assert done.exit_code == 0, done.stderr
    first = json.loads(done.stdout)
    assert {trial["is_end_to_end"] for trial in first["trials"]} == {True, False}
    # 60 photos are not of the test split; what judged is the validation part of them.
    assert 4 <= first["judged_on"] <= 20
    again = json.loads(CliRunner().invoke(app, [*options, "--trials", "3"]).stdout)
    assert len(again["trials"]) == 3
    run = CliRunner().invoke(
        app, ["train", "--recipe", str(out / "best.toml"), "--out", str(tmp_path / "run")]
    )
    assert run.exit_code == 0, run.stderr
    assert headstart.load_run(tmp_path / "run").manifest.photos["test"] == 20


def test_other_photos_are_refused_a_search_that_is_there(make_photos, tmp_path: Path) -> None:
    def answer(settings, share: float) -> Score:
        return Score(0.5, 0.5)

    kept = {"trials": 2, "train": answer, "progress": Silent()}
    search(tmp_path / "study.sqlite3", identity="these", **kept)
    with pytest.raises(ArgumentError, match="holds a search over other photos"):
        search(tmp_path / "study.sqlite3", identity="others", **kept)


def test_trials_that_are_behind_end_early_and_a_killed_one_is_done_again(tmp_path: Path) -> None:
    asked: list[float] = []

    def answer(settings, share: float) -> Score:
        asked.append(share)
        if len(asked) == 7:
            raise KeyboardInterrupt
        if settings["pooling"] == "max" and settings["head"] == "mlp:64":
            raise TrainingError("came to nothing")
        loss = 0.2 if settings["head"] == "softmax" else 0.9
        return Score(loss, 1 - loss)

    options = {"trials": 20, "identity": "x", "train": answer, "progress": Silent()}
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "study.sqlite3", **options)
    found = search(tmp_path / "study.sqlite3", **options)
    states = [trial.state for trial in found]
    assert len(states) == 20
    assert {"complete", "pruned"} <= set(states)
    assert found[0].settings["head"] == "softmax"
    assert sum(trial.is_end_to_end for trial in found) == 2


def test_too_few_trials_are_refused(make_photos, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="trials=1 is too few"):
        headstart.tune(make_photos(), trials=1, backbone="Starter", out=tmp_path / "tuned")
