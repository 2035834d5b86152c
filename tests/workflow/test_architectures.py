"""The classic networks in the whole journey: as backbone, in plans, from scratch."""

import pytest
from typer.testing import CliRunner

import headstart
from headstart.cli.main import app
from headstart.data.digits import load_digit_arrays
from headstart.errors import ArgumentError


def test_lenet_from_scratch_reads_handwritten_digits(tmp_path):
    settings = {
        "plan": "scratch", "epochs": 45, "learning_rate": 3e-3, "schedule": "one_cycle",
        "average": 0.99, "validation": 0.1, "training_precision": "float32",
    }  # fmt: skip
    run = headstart.train(
        load_digit_arrays(), backbone="LeNet5", engine="keras", out=tmp_path / "run", **settings
    )
    assert run.manifest.metrics["top_1"] >= 0.97


@pytest.mark.parametrize(("name", "size"), [("ResNeXt50", 32), ("AlexNet", 67)])
def test_grouped_convolutions_pass_through_the_frozen_pass(make_photos, tmp_path, name, size):
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install headstart[cpu]")
    run = headstart.train(
        make_photos(count=12),
        backbone=name,
        weights="none",
        image_size=size,
        engine="openvino",
        precision="float32",
        out=tmp_path / "run",
    )
    assert run.manifest.engine == "openvino"


def test_random_weights_are_not_used_unasked(make_photos):
    with pytest.raises(ArgumentError) as error:
        headstart.train(make_photos(count=4), backbone="inceptionv4")
    assert "backbone='InceptionV4' has no pretrained weights" in str(error.value)
    assert "--plan scratch" in str(error.value)


def test_weights_that_nobody_published_are_refused(make_photos):
    photos = str(make_photos(count=4))
    done = CliRunner().invoke(app, ["train", photos, "--backbone", "AlexNet", "--weights=imagenet"])
    assert done.exit_code == 2
    assert "nobody has published ImageNet weights of AlexNet for Keras" in done.stderr


def test_a_file_of_ones_own_is_used_and_must_have_three_channels(make_photos, tmp_path):
    from headstart.architectures import build

    for channels, name in ((3, "rgb"), (1, "grey")):
        build("LeNet5", input_shape=(32, 32, channels)).save_weights(
            tmp_path / f"{name}.weights.h5"
        )
    settings = {"backbone": "LeNet5", "engine": "keras"}
    photos = make_photos(count=10)
    run = headstart.train(
        photos, weights=str(tmp_path / "rgb.weights.h5"), out=tmp_path / "run", **settings
    )
    assert run.manifest.metrics["count"] > 0
    with pytest.raises(
        headstart.errors.WeightsError, match=r"needs kernel of shape \(5, 5, 3, 6\)"
    ):
        headstart.train(photos, weights=str(tmp_path / "grey.weights.h5"), **settings)


def test_a_size_below_the_minimum_is_refused(make_photos):
    with pytest.raises(ArgumentError, match="image_size=66 is too small for AlexNet: its minimum"):
        headstart.train(
            make_photos(count=4), backbone="AlexNet", weights="none", image_size=66, engine="keras"
        )
