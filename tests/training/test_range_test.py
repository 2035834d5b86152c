"""The range test finds where a training breaks."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import headstart
from headstart.cli.main import app
from headstart.errors import ArgumentError
from headstart.report.range_plot import draw_range_test
from headstart.training.range_test import LOWEST, conclude, smoothed

RATES = np.geomspace(1e-6, 1, 61)


def test_the_suggestion_is_a_tenth_of_the_highest_good_rate():
    losses = np.where(RATES < 1e-2, 1 - 0.1 * np.arange(61) / 40, 50.0)
    found = conclude(RATES.tolist(), losses.tolist())
    assert found.has_broken
    assert 3e-3 < found.highest_good <= 1.1e-2
    assert found.suggestion == pytest.approx(found.highest_good / 10)


def test_a_loss_that_never_breaks_says_so():
    found = conclude(RATES.tolist(), [0.5] * 61)
    assert not found.has_broken
    assert found.highest_good == pytest.approx(1.0)


def test_a_loss_that_is_no_number_ends_it():
    found = conclude([1e-3, 1e-2, 1e-1], [1.0, 0.9, math.nan])
    assert found.has_broken
    assert len(found.losses) == 2
    assert all(map(math.isfinite, found.losses))


def test_the_average_is_that_of_the_definition():
    losses = [3.0, 1.0, 2.0]
    weights = np.array([0.81, 0.9, 1.0])
    assert smoothed(losses)[-1] == pytest.approx((weights * losses).sum() / weights.sum())


def test_the_plot_shows_the_line_up_to_where_it_leaves_the_frame():
    found = conclude(RATES.tolist(), [1.0] * 50 + [400.0] * 11)
    picture = draw_range_test(found)
    assert picture.count("<polyline") == 1
    assert f"suggestion: {found.suggestion:.1e}" in picture


@pytest.mark.neutral
def test_it_is_found_from_photos_and_from_a_run(make_photos, tmp_path: Path):
    photos = make_photos(count=30)
    run = headstart.train(photos, backbone="Starter", out=tmp_path / "run")
    before = sorted(tmp_path.rglob("run/*"))
    found = headstart.find_lr(run, fine_tune="from:block3_conv2", optimizer="sgd")
    assert found.rates[0] == pytest.approx(LOWEST)
    assert LOWEST < found.suggestion < 1
    assert sorted(tmp_path.rglob("run/*")) == before
    command = ["find-lr", str(photos), "--backbone", "Starter", "--fine-tune", "from:block3_conv2"]
    command += ["--optimizer", "sgd", "--json", "--plot", str(tmp_path / "plot.svg")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["suggestion"] == pytest.approx(found.suggestion)
    assert "<svg" in (tmp_path / "plot.svg").read_text()


def test_an_optimizer_with_a_rate_of_its_own_is_refused(make_photos, tmp_path: Path):
    (tmp_path / "own.py").write_text(
        "import keras\n"
        "def stubborn(learning_rate):\n"
        "    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)\n"
        "    return keras.optimizers.SGD(rate)\n"
    )
    own = {"optimizer": f"{tmp_path / 'own.py'}:stubborn", "fine_tune": "last:1"}
    with pytest.raises(ArgumentError, match="goes its own way with the learning rate"):
        headstart.find_lr(make_photos(count=10), backbone="Starter", **own)


def test_a_plan_that_unfreezes_nothing_has_no_rate_to_find(make_photos):
    with pytest.raises(ArgumentError, match="Nothing is unfrozen"):
        headstart.find_lr(make_photos(count=3), stages=[{"trainable": "head"}], backbone="Starter")
