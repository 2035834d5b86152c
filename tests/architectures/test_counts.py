"""The networks have the parameters that their papers, or known implementations, have."""

import json
import math
import os
import subprocess
import sys

import pytest

from headstart.architectures import architectures, build

TOTAL_AND_TRAINABLE = {
    # LeCun and others 1998 have 60,000 with sparse C3 and learned subsampling: see its docstring.
    "LeNet5": (61_706, 61_706),
    # Krizhevsky and others 2012, two towers (Caffe's bvlc_alexnet has as many).
    "AlexNet": (60_965_224, 60_965_224),
    # keras.applications; test_catalogue.py counts those networks themselves.
    "VGG16": (138_357_544, 138_357_544),
    "VGG19": (143_667_240, 143_667_240),
    "InceptionV3": (23_851_784, 23_817_352),
    "ResNet50": (25_636_712, 25_583_592),
    "InceptionResNetV2": (55_873_736, 55_813_192),
    "Xception": (22_910_480, 22_855_952),
    # Szegedy and others 2014: BVLC GoogLeNet of Caffe without auxiliary heads.
    "InceptionV1": (6_998_552, 6_998_552),
    # timm: inception_v4 and resnext50_32x4d (its counts leave moving statistics out).
    "InceptionV4": (42_742_984, 42_679_816),
    "ResNeXt50": (25_097_128, 25_028_904),
    # keras-facenet's has 22,808,144 and 22,779,312 with a bottleneck of 128 (229,376 weights
    # without bias; a normalisation without scale) instead of a dense layer of 1000 (1,793,000).
    "InceptionResNetV1": (
        22_808_144 - 229_376 - 3 * 128 + 1_793_000,
        22_779_312 - 229_376 - 128 + 1_793_000,
    ),
}


def measure():
    """Runs in a child on NumPy's backend; nothing is filled with numbers."""
    import keras

    def of(model):
        trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
        return {
            "total": model.count_params(),
            "trainable": trainable,
            "layers": [layer.name for layer in model.layers],
            "kinds": [type(layer).__name__ for layer in model.layers],
        }

    with keras.StatelessScope():
        found = {each.name: of(build(each.name)) for each in architectures()}
        found["one tower"] = of(build("AlexNet", towers=1))
        found["auxiliary heads"] = of(build("InceptionV1", auxiliary=True))
    return found


@pytest.fixture(scope="module")
def measured():
    """Facts of all networks, from one child process."""
    done = subprocess.run(
        [sys.executable, __file__],
        env=os.environ | {"KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", TOTAL_AND_TRAINABLE)
def test_parameters_are_those_of_the_source_that_is_named(measured, name):
    found = measured[name]["total"], measured[name]["trainable"]
    assert found == TOTAL_AND_TRAINABLE[name]


def test_every_architecture_is_counted():
    assert {each.name for each in architectures()} == set(TOTAL_AND_TRAINABLE)


def test_variants_have_their_own_numbers(measured):
    assert measured["one tower"]["total"] == 61_100_840  # torchvision's alexnet
    heads = measured["auxiliary heads"]["total"] - measured["InceptionV1"]["total"]
    # Each: a 1x1 convolution to 128, a dense layer of 4 x 4 x 128 to 1024, 1000 classes.
    dense = (2048 + 1) * 1024 + (1024 + 1) * 1000
    assert heads == (512 + 1) * 128 + (528 + 1) * 128 + 2 * dense


@pytest.mark.parametrize("name", TOTAL_AND_TRAINABLE)
def test_layers_of_a_module_share_its_name_and_nothing_is_left_to_a_counter(measured, name):
    names, kinds = measured[name]["layers"], measured[name]["kinds"]
    counted = {kind.lower() for kind in kinds} - {"flatten"}
    assert not [each for each in names if each.rpartition("_")[0] in counted or each in counted]
    joins = [n for n, kind in zip(names, kinds, strict=True) if kind in {"Add", "Concatenate"}]
    for join in joins:
        module = join.rpartition("_")[0]
        assert sum(each.startswith(f"{module}_") for each in names) > 2, module


def test_resnet_has_the_layer_names_of_keras(measured):
    assert "conv2_block1_0_bn" in measured["ResNet50"]["layers"]
    assert "conv5_block3_out" in measured["ResNet50"]["layers"]


if __name__ == "__main__":
    print(json.dumps(measure()))
