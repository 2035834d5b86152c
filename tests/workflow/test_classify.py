"""ImageNet's classes of photos, by networks as they were published."""

import json
import shutil

import pytest
from typer.testing import CliRunner

import headstart
from headstart.backbones.imagenet import imagenet_classes
from headstart.cli.main import app
from headstart.errors import ArgumentError, WeightsError

DOCUMENTED = {  # with MobileNetV2 1.0, see README.md of the data
    "cat.bmp": ("Egyptian_cat", 0.67),
    "parrot.jpg": ("macaw", 0.92),
    "sunflower.bmp": ("daisy", 0.94),
    "grace_hopper.bmp": ("military_uniform", 0.72),
    "bird.bmp": ("chickadee", 0.78),
}


@pytest.fixture
def sample_photos(test_data):
    return test_data / "photos" / "sample_photos"


def test_sample_photos_have_the_documented_classes(sample_photos, keras_home):
    found = headstart.classify([sample_photos / name for name in DOCUMENTED], top=3)
    assert len(found) == 5
    for classification, (name, probability) in zip(found, DOCUMENTED.values(), strict=True):
        best = classification.guesses[0]
        assert best.class_name == name
        assert best.probability == pytest.approx(probability, abs=0.1)
        chances = [guess.probability for guess in classification.guesses]
        assert len(chances) == 3
        assert chances == sorted(chances, reverse=True)


def test_keras_itself_says_the_same(sample_photos, keras_home):
    import keras
    import numpy as np
    from PIL import Image

    photo = sample_photos / "cat.bmp"
    (found,) = headstart.classify(photo, engine="keras", top=1000)
    weights = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"
    model = keras.applications.MobileNetV2(weights=keras_home / "models" / weights)
    with Image.open(photo) as image:
        pixels = np.asarray(image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR))
    x = keras.applications.mobilenet_v2.preprocess_input(pixels[None].astype("float32"))
    expected = np.asarray(model(x))[0]
    table = json.loads((keras_home / "models" / "imagenet_class_index.json").read_text())
    number = {class_id: int(place) for place, (class_id, _) in table.items()}
    assert len(found.guesses) == len(number) == 1000
    for guess in found.guesses:
        assert abs(expected[number[guess.class_id]] - guess.probability) < 0.02


def test_the_command_prints_a_table_or_json(sample_photos, keras_home, tmp_path):
    (tmp_path / "note.txt").write_text("no photo")
    shutil.copy(sample_photos / "cat.bmp", tmp_path)
    done = CliRunner().invoke(app, ["classify", str(tmp_path), "--json", "--top", "2"])
    assert done.exit_code == 1  # the note could not be read
    told = json.loads(done.stdout)
    assert told["backbone"] == "MobileNetV2"
    assert told["classifications"][0]["guesses"][0]["class_id"] == "n02124075"
    assert len(told["classifications"][0]["guesses"]) == 2
    assert [item["path"].endswith("note.txt") for item in told["set_aside"]] == [True]
    done = CliRunner().invoke(app, ["classify", str(tmp_path / "cat.bmp")])
    assert done.exit_code == 0
    assert "Egyptian_cat" in done.stdout


def test_what_cannot_be_classified_is_said(tmp_path, monkeypatch):
    photo = tmp_path / "a.png"
    photo.write_bytes(b"")
    with pytest.raises(ArgumentError, match="was not published with ImageNet's classes"):
        headstart.classify(photo, backbone="LeNet5")
    with pytest.raises(ArgumentError, match="Did you mean ResNet50"):
        headstart.classify(photo, backbone="ResNet5O")
    with pytest.raises(ArgumentError, match="top=0: expected a number of classes"):
        headstart.classify(photo, top=0)
    with pytest.raises(ArgumentError, match="random weights knows no classes"):
        headstart.classify(photo, weights="none")


def test_offline_the_error_names_each_file_and_its_place(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing answers there
    photo = tmp_path / "a.png"
    photo.write_bytes(b"")
    names = tmp_path / "models" / "imagenet_class_index.json"
    with pytest.raises(WeightsError, match="names of ImageNet's classes are not on this") as error:
        headstart.classify(photo)
    assert f"put it at {names}" in str(error.value)
    names.parent.mkdir(parents=True, exist_ok=True)
    names.write_text(json.dumps({str(n): [f"n{n}", f"class {n}"] for n in range(1000)}))
    assert imagenet_classes()[999].name == "class 999"
    with pytest.raises(WeightsError, match="ImageNet weights of ResNet50 are not on") as error:
        headstart.classify(photo, backbone="ResNet50")
    assert "resnet50_weights_tf_dim_ordering_tf_kernels.h5 on a machine" in str(error.value)
    names.write_text("{}")
    with pytest.raises(WeightsError, match="is damaged"):
        imagenet_classes()


def test_weights_without_a_top_are_refused(sample_photos, keras_home):
    file = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"
    with pytest.raises(WeightsError, match="first one missing is kernel of layer 'predictions'"):
        headstart.classify(
            sample_photos / "cat.bmp", weights=str(keras_home / "models" / file), engine="keras"
        )
