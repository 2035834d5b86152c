"""The catalogue as rows, and speeds that are measured once."""

import json

import pytest
from typer.testing import CliRunner

from headstart.cli.main import app
from headstart.data.store import CachePlace, clear_cache
from headstart.errors import ArgumentError
from headstart.features.speed import kept_speed
from headstart.workflow.models import measure_models, model_rows


def call(*arguments):
    return CliRunner().invoke(app, ["models", *arguments])


def test_a_row_tells_everything_that_is_known():
    (row,) = model_rows(["resnet50"])
    assert (row["parameters"], row["trainable_parameters"]) == (25_636_712, 25_583_592)
    assert row["source"] == "https://keras.io/api/applications"
    assert row["photos_per_second"] is None
    told = {"size_mb", "top_1", "top_5", "depth", "image_size", "preprocessing", "licence"}
    assert told <= set(row)


def test_some_can_be_asked_for_by_name():
    done = call("lenet5", "VGG16", "--json")
    assert [row["name"] for row in json.loads(done.stdout)] == ["LeNet5", "VGG16"]
    mistyped = call("LeNet6")
    assert mistyped.exit_code == 2
    assert "Did you mean LeNet5" in mistyped.stderr


def test_the_table_names_its_sources():
    shown = call("VGG16", "MobileNet-0.25", "ResNeXt50").stdout
    for source in ("https://keras.io/api/applications", "keras-team/keras-appl", "the papers"):
        assert source in shown
    assert "caffe" in shown
    assert "CC-BY-4.0" in shown
    assert "without MB: no published Keras weights" in shown
    assert max(map(len, shown.splitlines()[:4])) <= 100


@pytest.mark.parametrize("engine", ["keras", "auto"])
def test_a_speed_is_measured_once_and_kept(engine):
    place = CachePlace.default()
    measure_models(["Starter"], engine=engine)
    first = kept_speed(place, "Starter")
    assert first.photos_per_second > 10
    assert first.engine in {"keras", "openvino"}
    measure_models(["Starter"], engine=engine)
    assert kept_speed(place, "Starter") == first
    assert f"{first.photos_per_second:.0f}" in call("Starter").stdout
    clear_cache(place)
    assert kept_speed(place, "Starter") is None


def test_measuring_needs_names():
    with pytest.raises(ArgumentError, match="measure needs the names of backbones"):
        measure_models([])
    assert call("--measure").exit_code == 2
