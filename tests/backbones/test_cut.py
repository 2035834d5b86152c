"""A network in two parts computes what it computed in one."""

import keras
import numpy as np
import pytest

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.cut import Cut, check_trainable, find_cut, trainable_layers
from headstart.backbones.suffix import (
    backbone_weights,
    build_prefix,
    build_suffix,
    set_backbone_weights,
    take_head,
)
from headstart.backbones.surgery import build_frozen
from headstart.backbones.weights import find_weights
from headstart.errors import ArgumentError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def frozen_network(name, size=None):
    backbone = find_backbone(name)
    return backbone, build_frozen(
        backbone,
        image_size=size or max(backbone.minimum_size, 32),
        pooling="avg",
        weights=find_weights(backbone, "none"),
    )


def softmax_head(width, classes=3):
    features = keras.Input((width,))
    return keras.Model(features, keras.layers.Dense(classes, activation="softmax")(features))


def photos(model, count=2):
    size = model.input_shape[1]
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3)).astype("float32")


FAMILIES = [
    ("VGG16", "from:block5_conv1", 1),
    ("MobileNet", "last:4", 1),
    ("MobileNetV2", "from:block_13_expand", 1),
    ("MobileNetV3Small", "last:6", None),
    ("ResNet50", "from:conv5", 1),
    ("ResNet50V2", "last:5", None),
    ("Xception", "last:20", 1),
    ("InceptionV3", "last:20", 3),
    ("InceptionResNetV2", "last:3", None),
    ("DenseNet121", "last:20", 2),
    ("NASNetMobile", "last:20", 8),
    ("EfficientNetB0", "last:6", None),
    ("EfficientNetV2B0", "last:6", None),
    ("ConvNeXtTiny", "last:5", None),
    ("Starter", "from:block3_out", 1),
]


@pytest.mark.parametrize(("name", "trainable", "crossing"), FAMILIES)
def test_prefix_and_suffix_compute_what_the_network_computes(name, trainable, crossing):
    backbone, frozen = frozen_network(name)
    layers = trainable_layers(frozen, trainable, blocks=backbone.cut_points)
    cut = find_cut(frozen, layers)
    head = softmax_head(backbone.feature_width)
    suffix = build_suffix(frozen, cut, head)
    x = photos(frozen)
    rows = np.asarray(build_prefix(frozen, cut)(x))
    assert rows.shape == (2, cut.value_count)
    assert crossing in (None, len(cut.crossing))
    assert np.allclose(suffix(rows), head(frozen(x)), atol=2e-5)
    named = {layer.name for layer in suffix.layers if layer.trainable and layer.weights}
    norms = {each.name for each in frozen.layers if "BatchNorm" in type(each).__name__}
    assert named == {*layers} - norms | {suffix.layers[-1].name}


@pytest.mark.neutral
def test_a_trained_suffix_goes_back_into_the_network_exactly():
    backbone, frozen = frozen_network("Starter", 16)
    cut = find_cut(frozen, trainable_layers(frozen, "last:1"))
    head = softmax_head(backbone.feature_width)
    suffix = build_suffix(frozen, cut, head)
    suffix.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    x = photos(frozen, 8)
    rows = build_prefix(frozen, cut).predict(x, verbose=0)
    suffix.fit(rows, np.arange(8) % 3, epochs=2, verbose=0)
    tuned = suffix.predict(rows, verbose=0)
    weights = backbone_weights(suffix, frozen)
    set_backbone_weights(frozen, weights)
    take_head(suffix, head)
    assert all(map(np.array_equal, backbone_weights(suffix, frozen).values(), weights.values()))
    joined = head.predict(frozen.predict(x, verbose=0), verbose=0)
    assert np.allclose(joined, tuned, atol=1e-5)


@pytest.mark.neutral
@pytest.mark.parametrize("batch_norm", ["freeze", "adapt"])
def test_batch_norm_statistics_move_only_when_told_to(batch_norm):
    backbone, frozen = frozen_network("Starter", 16)
    cut = find_cut(frozen, trainable_layers(frozen, "last:1"))
    suffix = build_suffix(frozen, cut, softmax_head(backbone.feature_width), batch_norm=batch_norm)
    norm = suffix.get_layer("block3_conv2_bn")
    before = [np.array(value) for value in norm.get_weights()]
    suffix.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    rows = build_prefix(frozen, cut).predict(photos(frozen, 8), verbose=0)
    suffix.fit(rows, np.arange(8) % 3, verbose=0)
    same = list(map(np.array_equal, before, norm.get_weights()))
    assert same == [batch_norm == "freeze"] * 4


def test_with_everything_trainable_photos_go_in():
    _, frozen = frozen_network("MobileNetV2")
    cut = find_cut(frozen, trainable_layers(frozen, "all"))
    assert cut.is_whole
    assert cut.shapes == ((32, 32, 3),)


def test_the_head_alone_needs_features_only():
    backbone, frozen = frozen_network("MobileNetV2")
    cut = find_cut(frozen, trainable_layers(frozen, "head"))
    assert cut == Cut(("features",), ((backbone.feature_width,),), ())


def test_last_counts_a_convolution_and_its_normalisation_as_one():
    _, frozen = frozen_network("MobileNetV2")
    assert trainable_layers(frozen, "last:1") == ("Conv_1", "Conv_1_bn")
    assert trainable_layers(frozen, "last:2")[:2] == ("block_16_project", "block_16_project_BN")
    assert trainable_layers(frozen, "last:9999") == trainable_layers(frozen, "all")


def test_a_block_of_the_catalogue_is_a_name_too():
    backbone, frozen = frozen_network("VGG16")
    blocks = backbone.cut_points
    whole_block = ("block5_conv1", "block5_conv2", "block5_conv3")
    assert trainable_layers(frozen, "from:block5_pool", blocks=blocks) == whole_block
    assert trainable_layers(frozen, "from:block5", blocks=blocks) == whole_block
    assert trainable_layers(frozen, "from:block5_conv3", blocks=blocks) == ("block5_conv3",)


def test_a_wrong_layer_is_answered_with_what_is_near():
    _, frozen = frozen_network("MobileNetV2")
    with pytest.raises(ArgumentError, match=r"no layer or block 'block_13_expnd'.*block_13_expand"):
        trainable_layers(frozen, "from:block_13_expnd")
    with pytest.raises(ArgumentError, match="would train nothing: no layer from 'out_relu' on"):
        trainable_layers(frozen, "from:out_relu")


@pytest.mark.parametrize("word", ["last", "last:0", "last:-3", "everything", "from:", "lst:3", ""])
def test_other_words_are_refused(word):
    with pytest.raises(ArgumentError, match="Expected head, last:N"):
        check_trainable(word)
