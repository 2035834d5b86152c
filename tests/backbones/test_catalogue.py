"""The catalogue against the Keras that is installed: nothing in it is taken on trust."""

import dataclasses
import inspect
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from headstart.backbones.catalogue import backbones, find_backbone
from headstart.errors import ArgumentError

# The smallest network of every family; tools and benchmarks may measure all.
SMALLEST = (
    *("Starter", "Xception", "VGG16", "ResNet50", "ResNet50V2", "InceptionV3"),
    *("InceptionResNetV2", "MobileNet-0.25", "MobileNetV2-0.35", "MobileNetV3Small"),
    *("DenseNet121", "NASNetMobile", "EfficientNetB0", "EfficientNetV2B0"),
    "ConvNeXtTiny",
    *("LeNet5", "AlexNet", "InceptionV1", "InceptionV4", "InceptionResNetV1", "ResNeXt50"),
)


def measure(name):
    """Runs in a child on NumPy's backend, which builds graphs fast and loads no TensorFlow."""
    import keras

    from headstart.backbones.starter import starter
    from headstart.backbones.surgery import build_frozen
    from headstart.backbones.weights import find_weights

    backbone = find_backbone(name)
    model = build_frozen(
        backbone,
        image_size=max(backbone.minimum_size, 32),
        pooling="avg",
        weights=find_weights(backbone, "none"),
    )
    counts = {"without_top": sum(weight.numpy().size for weight in model.weights)}
    builder = starter if name == "Starter" else getattr(keras.applications, backbone.builder, None)
    if builder is not None:  # the others are counted in tests/architectures
        settings = {} if backbone.alpha is None else {"alpha": backbone.alpha}
        with keras.StatelessScope():  # counted, never filled
            whole = builder(weights=None, **settings)
            counts["with_top"] = whole.count_params()
            counts["trainable"] = sum(math.prod(each.shape) for each in whole.trainable_weights)
    bottlenecks, pooled = single_tensor_layers(model)
    return counts | {
        "width": model.output.shape[-1],
        "bottlenecks": bottlenecks,
        "pooled": pooled,
        "layers": [layer.name for layer in model.layers],
        "nested": [layer.name for layer in model.layers if hasattr(layer, "layers")],
    }


def single_tensor_layers(model):
    """The layers that every path from photo to features passes, and the one that is pooled."""
    config = model.get_config()["layers"]
    before = {
        layer["name"]: re.findall(r"'keras_history': \['([^']+)'", str(layer["inbound_nodes"]))
        for layer in config
    }
    passed = {}
    for name, inputs in before.items():
        shared = set.intersection(*(passed[i] for i in inputs)) if inputs else set()
        passed[name] = shared | {name}
    order = list(before)
    pooling = next(
        layer.name for layer in reversed(model.layers) if "Pooling" in type(layer).__name__
    )
    return sorted(passed["features"], key=order.index), before[pooling][0]


@pytest.fixture(scope="module")
def measured():
    """Facts of the built networks, from one child process."""
    done = subprocess.run(
        [sys.executable, __file__],
        env=os.environ | {"KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_network_of_the_installed_keras_is_in_the_catalogue():
    import keras

    networks = {n for n, f in inspect.getmembers(keras.applications, inspect.isfunction)}
    assert len(networks) >= 38
    assert networks <= {backbone.name for backbone in backbones()}


def test_names_are_unique_and_rows_are_frozen():
    names = [backbone.name for backbone in backbones()]
    assert len(set(names)) == len(names)
    with pytest.raises(dataclasses.FrozenInstanceError):
        backbones()[0].name = "other"


def test_the_catalogue_is_read_without_keras():
    code = (
        "import sys, headstart.backbones.catalogue as c; c.backbones();"
        "assert not {'keras', 'tensorflow', 'h5py'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["MOBILENETV2", "mobilenet_v2", "MobileNet-V2", " mobilenetv2"])
def test_a_name_is_found_however_it_is_written(name):
    assert find_backbone(name).name == "MobileNetV2"


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(ArgumentError) as error:
        find_backbone("ResNet5O")
    assert "backbone='ResNet5O' is not in the catalogue" in str(error.value)
    assert "Did you mean ResNet50" in str(error.value)
    assert "'headstart models' lists all" in str(error.value)


@pytest.mark.parametrize("backbone", backbones(), ids=lambda backbone: backbone.name)
def test_figures_are_in_their_ranges(backbone):
    assert backbone.minimum_size <= backbone.image_size
    assert backbone.preprocessing in {"tf", "caffe", "torch", "none"}
    assert backbone.backbone_parameters <= backbone.parameters
    assert backbone.trainable_parameters <= backbone.parameters
    if backbone.top_1 is not None:
        assert 0.5 < backbone.top_1 < (backbone.top_5 or 1.0) < 1.0 or backbone.top_5 is None
    addresses = ("https://arxiv.org/abs/", "https://doi.org/10.")
    assert backbone.paper.startswith(addresses) or backbone.name == "Starter"
    assert backbone.source.startswith("https://") or backbone.name == "Starter"
    assert bool(backbone.licence) == bool(backbone.weights_file)  # it is that of the weights


@pytest.mark.parametrize(
    "backbone",
    [backbone for backbone in backbones() if backbone.weights_url],
    ids=lambda backbone: backbone.name,
)
def test_weights_files_are_those_that_keras_asks_for(backbone):
    import keras

    source = Path(inspect.getsourcefile(keras.applications.VGG16)).parent
    module = "resnet" if backbone.family == "ResNetV2" else backbone.module
    text = re.sub(r'"\s+f?"|\s', "", (source / f"{module}.py").read_text())
    # The folder stands in the source as one string, the file's name often as a pattern.
    assert backbone.weights_url.rpartition("/")[0] in text
    for digest in (backbone.weights_hash, backbone.weights_hash_top):
        assert digest is None or digest in text
    no_top = r"(-no-top|_no_top_v2|_notop|_no_top)(?=\.h5$)"
    assert backbone.weights_url_top == re.sub(no_top, "", backbone.weights_url)
    assert backbone.weights_file.endswith(("_notop.h5", "_no_top.h5", "_no_top_v2.h5"))


@pytest.mark.parametrize("name", SMALLEST)
def test_parameters_and_width_are_those_of_the_built_network(measured, name):
    backbone, facts = find_backbone(name), measured[name]
    assert facts["without_top"] == backbone.backbone_parameters
    assert facts.get("with_top", backbone.parameters) == backbone.parameters
    assert facts.get("trainable", backbone.trainable_parameters) == backbone.trainable_parameters
    assert facts["width"] == backbone.feature_width


@pytest.mark.parametrize("name", SMALLEST)
def test_exactly_one_tensor_crosses_every_cut_point(measured, name):
    backbone, facts = find_backbone(name), measured[name]
    in_order = [layer for layer in facts["bottlenecks"] if layer in backbone.cut_points]
    assert in_order == list(backbone.cut_points)
    assert backbone.cut_points[-1] == facts["pooled"]


@pytest.mark.parametrize("name", SMALLEST)
def test_the_built_network_is_flat_and_its_names_are_unique(measured, name):
    assert measured[name]["nested"] == []
    assert len(set(measured[name]["layers"])) == len(measured[name]["layers"])


def test_architectures_that_keras_lacks_are_rows_without_weights():
    import keras

    own = [backbone for backbone in backbones()[1:] if not backbone.weights_url]
    assert [backbone.name for backbone in own] == [
        *("LeNet5", "AlexNet", "InceptionV1", "InceptionV4", "InceptionResNetV1", "ResNeXt50")
    ]
    for backbone in own:
        assert not hasattr(keras.applications, backbone.builder)
        assert (backbone.default_weights, backbone.size_mb) == ("none", None)
    # In --backbone a name that Keras has is Keras' network.
    assert find_backbone("vgg-16").module == "vgg16"


def test_figures_repeat_the_published_table():
    assert find_backbone("VGG16").parameters == 138_357_544  # keras.io/api/applications
    assert find_backbone("MobileNetV2").depth == 105


if __name__ == "__main__":
    print(json.dumps({name: measure(name) for name in SMALLEST}))
