"""`headstart draw` and `headstart summary`."""

import json
import xml.etree.ElementTree as ET

import keras
import pytest
from PIL import Image
from typer.testing import CliRunner

import headstart
from headstart.cli.main import app
from headstart.drawing.png import write_png
from headstart.errors import MissingPackageError


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def words(drawing):
    """All text that is seen, and none of what is told to who points at it."""
    return [each.text for each in ET.parse(drawing).getroot().iter() if each.tag.endswith("}text")]


@pytest.fixture
def model(tmp_path):
    """A saved model with a frozen part."""
    pixels = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, name="low", trainable=False)(pixels)
    x = keras.layers.Flatten(name="flat")(keras.layers.Conv2D(4, 3, name="high")(x))
    keras.Model(pixels, keras.layers.Dense(2, name="answer")(x), name="pets").save(
        tmp_path / "pets.keras"
    )
    return tmp_path / "pets.keras"


def test_a_name_is_drawn_as_svg_and_as_a_page(tmp_path) -> None:
    code, out, _ = call("draw", "lenet5", "-o", tmp_path / "a.svg")
    assert (code, out.strip()) == (0, str(tmp_path / "a.svg"))
    ET.fromstring((tmp_path / "a.svg").read_text("utf-8"))
    assert call("draw", "LeNet5", "-o", tmp_path / "a.html", "--theme", "dark")[0] == 0
    assert (tmp_path / "a.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_model_file_is_drawn_with_its_frozen_part(model, tmp_path) -> None:
    assert call("draw", model, "-o", tmp_path / "a.svg")[0] == 0
    drawn = (tmp_path / "a.svg").read_text("utf-8")
    assert ">pets<" in drawn
    assert "frozen: keeps its weights" in drawn


def test_a_file_of_teachable_machine_is_drawn_though_keras_3_cannot_load_it(
    test_data, tmp_path
) -> None:
    file = test_data / "models" / "teachable_machine_water" / "keras_model.h5"
    said = words(headstart.draw(file, tmp_path / "water.svg"))
    assert said.count("inverted residual block") + said.count("inverted bottleneck") == 11
    assert "158 layers · 538,508 parameters, 524,428 of them trainable" in said


def test_a_frozen_part_can_be_drawn_before_it_is_trained(tmp_path) -> None:
    graph = headstart.draw("LeNet5", tmp_path / "a.svg", frozen_to="c3_conv")
    drawn = graph.read_text("utf-8")
    assert "156 parameters, frozen" in drawn
    assert "48,120 parameters, trainable" in drawn


def test_a_model_in_memory_and_a_run_folder_are_drawn(model, tmp_path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.keras").write_bytes(model.read_bytes())
    one = headstart.draw(keras.models.load_model(model), tmp_path / "one.svg")
    assert words(headstart.draw(run, tmp_path / "other.svg")) == words(one)


def test_a_png_is_as_large_as_the_drawing(browser, tmp_path) -> None:
    headstart.draw("LeNet5", tmp_path / "a.svg")
    code, _, errors = call("draw", "LeNet5", "-o", tmp_path / "a.png")
    assert code == 0, errors
    drawn = ET.parse(tmp_path / "a.svg").getroot()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (int(drawn.get("width")), int(drawn.get("height")))
        assert picture.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_without_a_converter_a_png_is_refused_and_the_way_out_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MissingPackageError, match=r"rsvg-convert .*none is installed.*\.svg or \.html"
    ):
        write_png("<svg/>", tmp_path / "a.png")


def test_the_summary_is_a_table_with_sums_and_json(model) -> None:
    code, out, _ = call("summary", model)
    assert code == 0
    for word in ("low", "Conv2D", "14 x 14 x 4", "112", "21,168", "answer"):
        assert word in out
    assert "parameters: 1,414, of which 1,302 trainable and 112 not" in out
    code, out, _ = call("summary", model, "--json")
    found = json.loads(out)
    assert found["multiply_adds"] == 21_168 + 12 * 12 * 9 * 16 + 576 * 2
    assert [layer["trainable"] for layer in found["layers"] if layer["parameters"]] == [
        False, True, True,
    ]  # fmt: skip


def test_the_summary_follows_the_input_size() -> None:
    small, large = (headstart.summary("ResNet50", image_size=size) for size in (112, 224))
    assert small.parameters == large.parameters
    assert large.multiply_adds == pytest.approx(4 * small.multiply_adds, rel=0.1)
    # He and others, 2016, table 1: 3.8 billion; Keras strides in the first of the three.
    assert large.multiply_adds == pytest.approx(3.86e9, rel=0.005)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("draw", "LeNet5", "-o", "a.jpg"), "ends in '.jpg': expected .svg, .html, .png"),
        (("draw", "LeNett", "-o", "a.svg"), "Did you mean LeNet5"),
        (("draw", "LeNet5", "-o", "a.svg", "--theme", "drak"), "Did you mean dark"),
        (("draw", "LeNet5", "-o", "a.svg", "--frozen-to", "c3_cnv"), "Did you mean c3_conv"),
        (("summary", "missing.keras"), "'missing.keras' does not exist"),
        (("summary", "LeNet5", "--image-size", "8"), "its minimum is 32"),
    ],
)
def test_bad_input_is_one_line(arguments, message, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, errors = call(*arguments)
    assert code == 2
    assert message in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.glob("a.*"))
