"""Backbones are ranked as they should be, what is weak goes early, and test photos stay out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import headstart
from headstart.cli.main import app
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError
from headstart.features.speed import Speed, keep_speed
from headstart.selection.choice import beats, choose, probe_features
from headstart.selection.values import Candidate, Probe
from headstart.workflow.choose import seconds_of


def named(name: str, speed: float) -> Candidate:
    return Candidate(name, name, "none", 32, 1000, 0.004, speed)


def probing_of(shares: dict[str, float], asked: list[tuple[str, int]]):
    """Answers as a network would that is right on such a share of photos."""

    def probe(candidate: Candidate, count: int) -> Probe:
        asked.append((candidate.name, count))
        random = np.random.default_rng(7)
        hits = random.random(count) < shares[candidate.name]
        interval = headstart.evaluation.intervals.wilson(int(hits.sum()), count)
        share = float(hits.mean())
        return Probe(count, share, interval, 1 - share, share, share, tuple(hits.tolist()))

    return probe


def test_the_weak_are_dropped_on_few_photos_and_the_fastest_of_equals_is_taken() -> None:
    asked: list[tuple[str, int]] = []
    shares = {"best": 0.95, "equal": 0.945, "weak": 0.6, "weaker": 0.5}
    found = choose(
        [named("best", 10), named("equal", 100), named("weak", 50), named("weaker", 500)],
        count=800, class_count=2, probing=probing_of(shares, asked),
    )  # fmt: skip
    assert [size for name, size in asked if name == "weak"] == [200]
    assert [size for name, size in asked if name == "best"] == [200, 400, 800]
    assert [row.candidate.name for row in found.rows] == ["best", "equal", "weak", "weaker"]
    assert found.rows[2].left == "worse than best"
    assert found.recommended == "equal"
    assert "best (" in found.reason
    assert "not proven better on 800 photos" in found.reason
    assert found.agreement == {"log_me": 1.0, "h_score": 1.0}


def test_what_would_take_longer_than_is_left_is_not_begun() -> None:
    asked: list[tuple[str, int]] = []
    found = choose(
        [named("slow", 1), named("quick", 1000)], count=800, class_count=2,
        probing=probing_of({"slow": 0.9, "quick": 0.8}, asked), seconds_left=lambda: 5.0,
    )  # fmt: skip
    assert {name for name, _ in asked} == {"quick"}
    assert found.recommended == "quick"
    assert found.rows[-1].left == "200 photos would take 200 s, more than was left"


def test_features_as_small_as_random_weights_give_still_count() -> None:
    labels = np.repeat([0, 1], 30).astype(np.int32)
    features = np.random.default_rng(0).normal(labels[:, None] * 9, 1, (60, 4)).astype(np.float32)
    groups = np.arange(60, dtype=np.int32)
    large, small = (
        probe_features(features * factor, labels, groups, class_count=2)
        for factor in (1.0, 1e-9)
    )  # fmt: skip
    assert small.top_1 == large.top_1 == 1.0
    assert not beats(large, small)


def test_test_photos_have_no_part_in_it(make_photos, tmp_path: Path) -> None:
    train = make_photos("all/train", count=20)
    make_photos("all/test", count=20, start=100)
    wrong = tmp_path / "all" / "test"
    for file in wrong.rglob(
        "*.png"
    ):  # were one of them read as a photo to learn from, it would fail
        file.rename(file.with_name(f"{file.stem}x.png"))
    found = headstart.choose(train.parent, backbones="Starter", engine="keras")
    assert found.photos == 40


def test_the_command_prints_a_table_and_json_and_draws(make_photos, tmp_path: Path) -> None:
    photos, plot = str(make_photos(count=30)), tmp_path / "plot.svg"
    options = ["choose", photos, "--backbones", "Starter,LeNet5:none", "--plot", str(plot)]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0, done.stderr
    assert "Take " in done.stdout
    assert "on the frontier" in done.stdout
    assert "LeNet5:none" in plot.read_text("utf-8")
    again = json.loads(CliRunner().invoke(app, [*options, "--json"]).stdout)
    assert again["recommended"] in ("Starter", "LeNet5:none")
    assert again["rows"][0]["probe"]["photos"] == again["photos"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbones": "Startr"}, "Did you mean Starter"),
        ({"backbones": "AlexNet"}, "Write AlexNet:none for random ones"),
        ({"backbones": ","}, "backbones names none"),
        ({"backbones": "Starter", "size_limit_mb": 0.1}, "no candidate is within"),
        ({"backbones": "VGG16:none", "sizes": (8,)}, "8 is too small for VGG16"),
        ({"budget": "soon"}, "budget='soon' is no time"),
    ],
)
def test_what_does_not_fit_is_said_before_a_photo_is_read(make_photos, settings, message) -> None:
    with pytest.raises(ArgumentError, match=message):
        headstart.choose(make_photos(count=2), engine="keras", **settings)


def test_times_are_read() -> None:
    assert (seconds_of("1.5h"), seconds_of(20)) == (5400.0, 20.0)


def test_on_cats_and_dogs_pretrained_networks_come_first(test_data, keras_home, tmp_path) -> None:
    """With halving and without; the issue's three real networks and three random ones."""
    source = test_data / "photos" / "cats_dogs" / "train"
    for kind in ("cats", "dogs"):
        (tmp_path / "some" / kind).mkdir(parents=True)
        for file in sorted((source / kind).glob("*.jpg"))[:120]:
            shutil.copy(file, tmp_path / "some" / kind)
    for name in ("MobileNetV2", "MobileNetV2-0.35", "MobileNet-0.25", "ResNet50"):
        speed = Speed(100.0, "openvino", "float32", "measured before")
        keep_speed(CachePlace.default(), f"{name}-128", speed)
    random = "MobileNet-0.25:none,MobileNetV2-0.35:none,ResNet50:none"
    found = [
        headstart.choose(
            tmp_path / "some",
            backbones=f"MobileNetV2,MobileNetV2-0.35,MobileNet-0.25,{random}",
            sizes=(128,),
            halving=halving,
        )
        for halving in (True, False)
    ]
    for each in found:
        names = [row.candidate.backbone + row.candidate.weights[-4:] for row in each.rows]
        assert names[0].startswith("MobileNetV2")
        assert "0.35" not in names[0]
        assert all(name.endswith("none") for name in names[3:])
        assert each.gain > 0.2
