"""What can be asked of a builder, and what it answers when it cannot be."""

import subprocess
import sys

import numpy as np
import pytest

import headstart.architectures
from headstart.architectures import architectures, build, find
from headstart.errors import ArgumentError, WeightsError


@pytest.mark.parametrize("name", ["LENET5", "lenet-5", "LeNet_5", " lenet5"])
def test_a_name_is_found_however_it_is_written(name):
    assert find(name).name == "LeNet5"


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(ArgumentError, match=r"name='ResNext5O'.*Did you mean ResNeXt50"):
        build("ResNext5O")


def test_listing_them_loads_no_keras():
    code = (
        "import sys, headstart.architectures as a; assert len(a.architectures()) == 12;"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_each_is_a_function_of_the_package():
    for each in architectures():
        assert getattr(headstart.architectures, each.name) is each.builder
    with pytest.raises(AttributeError, match="NoNet"):
        _ = headstart.architectures.NoNet


@pytest.mark.parametrize("facts", architectures(), ids=lambda facts: facts.name)
def test_an_input_below_the_minimum_is_refused(facts):
    side = facts.minimum_size - 1
    with pytest.raises(ArgumentError) as error:
        build(facts.name, input_shape=(side, 300, 3))
    assert f"input_shape=({side}, 300, 3) is too small for {facts.name}" in str(error.value)
    assert f"its minimum is {facts.minimum_size} x {facts.minimum_size}" in str(error.value)


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 3, 1), (64, "64", 3), (64, 64, None)])
def test_a_shape_that_is_no_photo_is_refused(shape):
    with pytest.raises(ArgumentError, match=r"VGG16 takes \(height, width, channels\)"):
        build("VGG16", include_top=False, input_shape=shape)


def test_a_top_needs_to_know_the_size():
    with pytest.raises(ArgumentError, match="include_top=True both sides must be known"):
        build("VGG16", input_shape=(None, None, 3))
    assert build("VGG16", include_top=False).output.shape == (None, None, None, 512)


def test_other_arguments_are_checked():
    with pytest.raises(ArgumentError, match=r"pooling='avrg' is unknown\. Did you mean avg"):
        build("LeNet5", include_top=False, pooling="avrg")
    with pytest.raises(ArgumentError, match=r"towers=3: expected 2 \(the paper\) or 1"):
        build("AlexNet", towers=3)
    with pytest.raises(ArgumentError, match="too small for auxiliary=True, which needs 65 x 65"):
        build("InceptionV1", input_shape=(64, 64, 3), auxiliary=True)
    with pytest.raises(ArgumentError, match="auxiliary=True needs include_top=True"):
        build("InceptionV1", include_top=False, auxiliary=True)


@pytest.mark.neutral
def test_weights_come_back_from_a_file(tmp_path):
    first = build("LeNet5")
    for name in ("w.weights.h5", "whole.h5"):
        file = tmp_path / name
        first.save_weights(file) if "weights" in name else first.save(file)
        again = build("LeNet5", weights=file)
        pairs = zip(first.get_weights(), again.get_weights(), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs)


def test_weights_of_other_channels_or_another_network_are_refused(tmp_path):
    file = tmp_path / "grey.weights.h5"
    build("LeNet5").save_weights(file)
    with pytest.raises(WeightsError, match="does not fit lenet5 with 3 channels"):
        build("LeNet5", input_shape=(32, 32, 3), weights=file)
    with pytest.raises(WeightsError, match="does not fit alexnet"):
        build("AlexNet", include_top=False, input_shape=(67, 67, 3), weights=file)


def test_weights_that_are_no_file_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"is no file\. Expected None"):
        build("LeNet5", weights="imagenet")
    broken = tmp_path / "broken.weights.h5"
    broken.write_text("not HDF5")
    with pytest.raises(WeightsError, match="does not fit lenet5"):
        build("LeNet5", weights=broken)


def test_auxiliary_heads_are_outputs_of_their_own():
    model = build("InceptionV1", input_shape=(65, 65, 3), classes=4, auxiliary=True)
    outputs = model(np.zeros((2, 65, 65, 3), "float32"))
    assert [output.shape for output in outputs] == [(2, 4)] * 3
