"""Whole networks by name, without their weights."""

import keras
import psutil
import pytest

from headstart.backbones.catalogue import backbones
from headstart.backbones.description import describe_network, network_names
from headstart.errors import ArgumentError


def test_a_network_is_described_without_room_for_its_weights() -> None:
    describe_network("VGG16", image_size=32)  # what is loaded once
    before = psutil.Process().memory_info().rss
    graph = describe_network("VGG19")
    grown = psutil.Process().memory_info().rss - before
    assert graph.parameters == 143_667_240
    assert grown < 100e6  # its weights take 575 MB


def test_describing_leaves_nothing_behind_that_would_be_made_later() -> None:
    describe_network("LeNet5")
    with keras.StatelessScope():
        dense = keras.layers.Dense(3)
        dense.build((None, 2))
    from keras.src.backend.common import global_state

    assert dense.kernel.numpy().shape == (2, 3)
    assert not global_state.get_global_attribute("uninitialized_variables")


@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNet-0.25", "DenseNet121", "ResNet50"])
def test_the_whole_network_has_the_parameters_of_the_catalogue(name) -> None:
    expected = next(each.parameters for each in backbones() if each.name == name)
    assert describe_network(name).parameters == expected


def test_names_are_found_however_they_are_written() -> None:
    assert describe_network("mobilenet_v2-0.35").name == "MobileNetV2-0.35"
    assert describe_network("Wide-and-Deep").name == "wide_and_deep"


def test_every_name_of_both_lists_is_known() -> None:
    assert {"Starter", "NASNetLarge", "ResNeXt50", "LeNet5"} <= set(network_names())
    assert len(set(network_names())) == len(network_names())


def test_the_input_size_can_be_chosen() -> None:
    assert describe_network("ResNet50", image_size=64).layers[0].output_shape == (None, 64, 64, 3)
    assert describe_network("LeNet5", image_size=40).layers[0].output_shape == (None, 40, 40, 1)


def test_bad_names_and_sizes_are_one_clear_error() -> None:
    with pytest.raises(
        ArgumentError, match=r"network='resnet5' is neither .* Did you mean ResNet50"
    ):
        describe_network("resnet5")
    with pytest.raises(
        ArgumentError, match="image_size=20 is too small for VGG16: its minimum is 32"
    ):
        describe_network("VGG16", image_size=20)
    with pytest.raises(ArgumentError, match="wide_and_deep takes rows of numbers"):
        describe_network("wide_and_deep", image_size=32)
