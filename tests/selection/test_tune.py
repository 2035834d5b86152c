"""The search, with a training whose best settings are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'headstart[tune]'")

from headstart.errors import ArgumentError, TrainingError
from headstart.progress import Silent
from headstart.selection.tune import Tuning, tune
from headstart.training.score import Score

BLOCKS = ("a", "b", "c")


def quick(settings: dict[str, Any], report: Any) -> Score:
    """Better with two hidden layers, and with a rate near 1e-5 when stages fine-tune."""
    loss = {"softmax": 0.5, "mlp:64": 0.45, "mlp:256": 0.45, "mlp:256,64": 0.3}[settings["head"]]
    for stage in settings.get("stages", ()):
        if stage["trainable"] != "head":
            loss -= 0.1 * np.exp(-(np.log10(stage["learning_rate"] / 1e-5) ** 2))
    for epoch in range(1, 6):
        report(epoch, loss + 1 / epoch)
    return Score(1 - loss / 2, loss)


def search(folder: Path, train: Any = quick, *, key: str = "photos", trials: int = 8) -> Tuning:
    return tune(
        folder, train, trials=trials, end_to_end=3, blocks=BLOCKS, epochs=5,
        key=key, seed=0, progress=Silent(),
    )  # fmt: skip


def test_the_best_head_is_found_and_fine_tuning_begins_with_it(tmp_path: Path) -> None:
    found = search(tmp_path)
    assert found.plain.settings == {"head": "softmax"}
    assert found.best.part == "end to end"
    assert found.best.settings["head"] == "mlp:256,64"
    stages = found.best.settings["stages"]
    assert {stage["trainable"] for stage in stages} <= {"head", "from:a", "from:b", "from:c"}
    assert len(found.trials) == 11


def test_a_search_goes_on_and_a_second_call_has_nothing_to_do(tmp_path: Path) -> None:
    search(tmp_path, trials=4)
    more = search(tmp_path, trials=6)
    assert more.new_trials == 2
    assert search(tmp_path, trials=6).new_trials == 0


def test_a_trial_that_was_killed_is_made_again(tmp_path: Path) -> None:
    calls = []

    def killed(settings: dict[str, Any], report: Any) -> Score:
        calls.append(settings)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return quick(settings, report)

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, killed)
    after: list[dict[str, Any]] = []

    def noted(settings: dict[str, Any], report: Any) -> Score:
        after.append(settings)
        return quick(settings, report)

    found = search(tmp_path, noted)
    assert after[0] == calls[2]
    assert len([each for each in found.trials if each.part == "features"]) == 8


def test_a_trial_that_falls_behind_is_pruned_and_one_that_fails_does_not_end_the_search(
    tmp_path: Path,
) -> None:
    seen = []

    def uneven(settings: dict[str, Any], report: Any) -> Score:
        seen.append(settings)
        if len(seen) == 2:
            raise TrainingError("exploded")
        loss = 0.1 + 0.1 * len(seen)
        for epoch in range(1, 6):
            report(epoch, loss)
        return Score(0.5, loss)

    states = [each.state for each in search(tmp_path, uneven).trials]
    assert "pruned" in states
    assert states.count("failed") == 1
    assert states[0] == "done"


def test_other_photos_do_not_go_on_with_a_search(tmp_path: Path) -> None:
    search(tmp_path, trials=1)
    with pytest.raises(ArgumentError, match="holds a search with other photos"):
        search(tmp_path, key="others", trials=1)
