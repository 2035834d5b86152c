"""The journey on a model file: a backbone that somebody else trained, with every plan."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

import headstart
from headstart.errors import ArgumentError, ModelFileError, RunError
from headstart.files import sha256


class Said:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def step(self, station, done, total) -> None: ...

    def epoch(self, station, values, total) -> None: ...

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


def model_a(folder: Path, shape=(24, 24, 3), *, scaled: bool = False, name: str = "A.h5") -> Path:
    """A small classifier of three classes with random weights."""
    keras.utils.set_random_seed(3)
    inside = [layers.Rescaling(1 / 127.5, -1.0)] if scaled else []
    model = keras.Sequential([
        keras.Input(shape), *inside,
        layers.Conv2D(8, 3, strides=2, activation="relu", name="block1_conv"),
        layers.BatchNormalization(name="block1_bn"),
        layers.Conv2D(16, 3, activation="relu", name="block2_conv"),
        layers.Flatten(name="flat"), layers.Dense(12, activation="relu", name="hidden"),
        layers.Dense(3, activation="softmax", name="features"),
    ])  # fmt: skip
    model.save(folder / name)
    return folder / name


@pytest.mark.parametrize(
    "plan", ["linear_probe", "lp_ft", "freeze_then_fine_tune", "gradual_unfreeze", "scratch"]
)
def test_a_model_file_is_a_backbone_in_every_plan(make_photos, tmp_path: Path, plan: str) -> None:
    file, said = model_a(tmp_path), Said()
    before = sha256(file)
    options = {} if plan == "linear_probe" else {"epochs": 1}
    run = headstart.train(
        make_photos(count=16), backbone=str(file), preprocess="-1..1", plan=plan,
        out=tmp_path / "run", progress=said, engine="keras", **options,
    )  # fmt: skip
    assert sha256(file) == before
    found = run.manifest.backbone
    assert (found["name"], found["weights"], found["weights_sha256"]) == ("A", "model", before)
    assert (found["cut"], found["preprocessing"]) == ("block2_conv", "-1..1")
    told = " ".join(said.sentences)
    assert "Cut after block2_conv (9 x 9 x 16): 3 go (flat, hidden, features)" in told
    assert "A.h5 is unchanged" in told
    plain = keras.models.load_model(run.model_file)
    assert plain.output_shape == (None, 2)
    assert {"block1_conv", "block2_conv", "preprocessing"} <= {each.name for each in plain.layers}


def test_grey_and_oblong_inputs_get_the_same_photos_as_all_others(make_photos, tmp_path) -> None:
    file = model_a(tmp_path, (20, 28, 1), name="grey.keras")
    photos = make_photos(count=12)
    run = headstart.train(photos, backbone=str(file), preprocess="0..1", out=tmp_path / "run")
    assert run.manifest.image_size == 28
    plain = keras.models.load_model(run.model_file)
    photo = np.asarray(Image.open(next(photos.rglob("*.png"))).resize((28, 28)), np.float32)
    inside = keras.Model(plain.inputs[0], plain.get_layer("preprocessing").output)(photo[None])
    grey = np.asarray(Image.fromarray(photo.astype(np.uint8)).convert("L").resize((28, 20)))
    assert inside.shape == (1, 20, 28, 1)
    assert np.abs(np.asarray(inside)[0, ..., 0] - grey / 255).mean() < 0.01
    lower = headstart.cut(headstart.load_model(file))
    expected = np.asarray(lower(inside)).mean(axis=(1, 2))
    features = keras.Model(plain.inputs[0], plain.get_layer("features").output)
    np.testing.assert_allclose(features(photo[None]), expected, atol=1e-4)


def test_preprocessing_is_never_guessed(make_photos, tmp_path: Path) -> None:
    photos = make_photos(count=4)
    bare = str(model_a(tmp_path))
    scaled = str(model_a(tmp_path, scaled=True, name="scaled.keras"))
    with pytest.raises(ArgumentError, match=r"preprocess is missing.*--preprocess probe"):
        headstart.train(photos, backbone=bare)
    with pytest.raises(ArgumentError, match=r"'0..1' would prepare photos twice.*'rescaling"):
        headstart.train(photos, backbone=scaled, preprocess="0..1")
    grey = str(model_a(tmp_path, (24, 24, 1), name="grey.keras"))
    with pytest.raises(ArgumentError, match=r"does not go with this network.*1 channels"):
        headstart.train(photos, backbone=grey, preprocess="caffe")
    with pytest.raises(ArgumentError, match=r"preprocess='0..1' is for a model file"):
        headstart.train(photos, backbone="Starter", preprocess="0..1")


def test_a_graph_that_scales_by_itself_is_believed(make_photos, tmp_path: Path) -> None:
    file = model_a(tmp_path, scaled=True)
    run = headstart.train(make_photos(count=8), backbone=str(file), out=tmp_path / "run", cut="-1")
    assert run.manifest.backbone["preprocessing"] == "none"
    assert run.manifest.backbone["cut"] == "hidden"
    assert headstart.evaluate(run).count == run.manifest.photos["test"]


def test_probing_compares_by_accuracy_with_intervals_and_keeps_the_choice(make_photos, tmp_path):
    file, said = model_a(tmp_path), Said()
    run = headstart.train(
        make_photos(count=14), backbone=str(file), preprocess="probe", out=tmp_path / "run",
        progress=said, engine="keras",
    )  # fmt: skip
    compared = [each for each in said.sentences if each.startswith("preprocess ")]
    assert [each.split()[1] for each in compared[:-1]] == ["0..1:", "-1..1:", "caffe:", "torch:",
                                                          "none:"]  # fmt: skip
    assert all("(95 %: " in each for each in compared[:-1])
    chosen = run.manifest.backbone["preprocessing"]
    assert compared[-1].startswith(f"preprocess {chosen} is taken")
    assert f'preprocess = "{chosen}"' in (run.folder / "recipe.toml").read_text()


def test_a_dangerous_or_unfit_file_stops_before_a_photo_is_read(make_photos, tmp_path) -> None:
    photos = make_photos(count=4)
    keras.Sequential([keras.Input((8, 8, 3)), layers.Lambda(lambda x: x)]).save(
        tmp_path / "lambda.keras"
    )
    with pytest.raises(ModelFileError, match="Lambda holds code"):
        headstart.train(photos, backbone=str(tmp_path / "lambda.keras"), preprocess="0..1")
    keras.Sequential([keras.Input((8,)), layers.Dense(2)]).save(tmp_path / "rows.keras")
    with pytest.raises(ArgumentError, match="Photos fit a network with one input"):
        headstart.train(photos, backbone=str(tmp_path / "rows.keras"), preprocess="0..1")
    with pytest.raises(ArgumentError, match=r"image_size=32 does not fit .* takes 24 x 24"):
        headstart.train(photos, backbone=str(model_a(tmp_path)), preprocess="0..1", image_size=32)


def test_a_classifier_is_adopted_and_every_command_works_on_it(make_photos, tmp_path) -> None:
    """One sigmoid unit: its 0 is the first name, its 1 the second."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((16, 20, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D(),
        layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.save(tmp_path / "foreign.h5")
    (tmp_path / "names.txt").write_text("disc\nsquare\n")
    run = headstart.adopt(
        tmp_path / "foreign.h5", labels=tmp_path / "names.txt", preprocess="0..1",
        out=tmp_path / "run",
    )  # fmt: skip
    assert run.manifest.class_names == ("disc", "square")
    assert run.manifest.metrics is None
    photos = make_photos(count=5)
    found = list(headstart.predict(run, photos / "disc"))
    for each in found:
        square = Image.open(each.file).resize((20, 20), Image.Resampling.BILINEAR)
        image = np.asarray(keras.layers.Resizing(16, 20)(np.asarray(square, "f4")))
        expected = float(model(image[None] / 255)[0, 0])
        assert each.probabilities["square"] == pytest.approx(expected, abs=2e-3)
    measured = headstart.evaluate(run, photos)
    assert measured.count == 10
    assert json.loads((run.folder / "manifest.json").read_text())["head"]["adopted"]
    assert "adopted as it is" in (run.folder / "report.html").read_text()


def test_an_adopted_classifier_is_compared_with_one_that_was_trained(make_photos, tmp_path) -> None:
    model = keras.Sequential([
        keras.Input((16, 16, 3)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3),
        layers.GlobalMaxPooling2D(), layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    model.save(tmp_path / "theirs.keras")
    (tmp_path / "names.txt").write_text("square\ndisc\n")
    photos = make_photos(count=24)
    theirs = headstart.adopt(
        tmp_path / "theirs.keras", labels=tmp_path / "names.txt", photos=photos,
        out=tmp_path / "theirs",
    )  # fmt: skip
    ours = headstart.train(photos, backbone="Starter", out=tmp_path / "ours")
    (found,) = headstart.compare(theirs, ours)
    right = [run.manifest.metrics["top_1"] for run in (theirs, ours)]
    assert found.difference == pytest.approx(right[1] - right[0])
    assert theirs.manifest.photos["test"] == ours.manifest.photos["test"] > 0
    assert headstart.evaluate(theirs).top_1 == right[0]
    assert "theirs" in headstart.make_report(theirs).read_text("utf-8")
    with pytest.raises(RunError, match="adopted as it is: it has learnt from no photo here"):
        headstart.suspects(theirs)


def test_what_openvino_computes_otherwise_than_keras_is_left_to_keras(tmp_path, make_photos):
    """Keras on OpenVINO resizes without antialiasing, whatever it is told."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    keras.utils.set_random_seed(0)
    image = keras.Input((40, 40, 3))
    small = layers.Resizing(7, 7, antialias=True)(image)
    answers = layers.Dense(2, activation="softmax")(layers.Flatten()(layers.Rescaling(0.05)(small)))
    model = keras.Model(image, answers)
    model.save(tmp_path / "resizing.keras")
    (tmp_path / "labels.txt").write_text("disc\nsquare\n")
    said = Said()
    run = headstart.adopt(tmp_path / "resizing.keras", out=tmp_path / "run", progress=said)
    assert run.manifest.engine == "keras"
    assert any("OpenVINO's answers differ by up to" in each for each in said.sentences)
    photo = next(make_photos(count=1).rglob("*.png"))
    expected = np.asarray(model(np.asarray(Image.open(photo), np.float32)[None]))[0]
    (found,) = headstart.predict(run, photo)
    assert found.probabilities["disc"] == pytest.approx(float(expected[0]), abs=1e-4)


def test_adopting_needs_names_and_preprocessing(tmp_path: Path) -> None:
    file = model_a(tmp_path)
    with pytest.raises(ArgumentError, match=r"labels is missing: A.h5 has 3 classes"):
        headstart.adopt(file, out=tmp_path / "run")
    (tmp_path / "labels.txt").write_text("0 a\n1 b\n")
    with pytest.raises(ArgumentError, match=r"labels='labels.txt' holds 2 names; A.h5 has 3"):
        headstart.adopt(file, out=tmp_path / "run", preprocess="0..1")
    (tmp_path / "labels.txt").write_text("0 a\n1 b\n2 c\n")
    with pytest.raises(ArgumentError, match="preprocess is missing"):
        headstart.adopt(file, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_keras_3_6_classifier_is_right_on_about_62_percent(test_data, tmp_path) -> None:
    (tmp_path / "names.txt").write_text("cats\ndogs\n")
    run = headstart.adopt(
        test_data / "models/keras3_6_cats_dogs/cat_dog_classifier.keras",
        labels=tmp_path / "names.txt", preprocess="0..1", out=tmp_path / "run",
    )  # fmt: skip
    found = headstart.evaluate(run, test_data / "photos/cats_dogs/test")
    assert found.top_1 == pytest.approx(0.62, abs=0.02)
