"""Frozen networks and joined classifiers: flat, the same on every backend, free of this package."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.surgery import build_frozen, join, preprocess
from headstart.backbones.weights import find_weights
from headstart.errors import ArgumentError

# Keras 3.15 on TensorFlow with NumPy 2: keras/src/backend/tensorflow/core.py, convert_to_numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch", "openvino": "openvino"}


def frozen_network(name="MobileNetV2-0.35", *, image_size=32, pooling="avg", seed=0):
    backbone = find_backbone(name)
    source = find_weights(backbone, "none", seed=seed)
    return build_frozen(backbone, image_size=image_size, pooling=pooling, weights=source, seed=seed)


def photos(count=2, size=32):
    return np.random.default_rng(0).uniform(0, 255, (count, size, size, 3)).astype("float32")


def in_child(code, *, backend, **environment):
    """Runs code in a fresh process on a backend; returns what it prints last, as JSON."""
    pytest.importorskip(PACKAGES[backend])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_BACKEND": backend} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("backend", PACKAGES)
def test_preprocessing_is_that_of_keras_on_every_backend(backend):
    code = (
        "import json, keras, numpy as np\n"
        "from headstart.backbones.surgery import preprocess\n"
        "x = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype('float32')\n"
        "modules = {'tf': 'mobilenet_v2', 'caffe': 'vgg16', 'torch': 'densenet'}\n"
        "found = {}\n"
        "for mode, name in modules.items():\n"
        "    image = keras.Input((8, 8, 3))\n"
        "    ours = keras.Model(image, preprocess(image, mode)).predict(x, verbose=0)\n"
        "    theirs = getattr(keras.applications, name).preprocess_input(x.copy())\n"
        "    found[mode] = float(np.abs(ours - theirs).max())\n"
        "print(json.dumps(found))"
    )
    assert max(in_child(code, backend=backend).values()) <= 1e-4


def test_a_backbone_that_takes_photos_as_they_are_gets_them():
    image = keras.Input((8, 8, 3))
    assert preprocess(image, "none") is image
    with pytest.raises(
        ArgumentError, match="mode='keras': expected one of tf, caffe, torch, unit, none"
    ):
        preprocess(image, "keras")


@pytest.mark.parametrize("name", ["VGG16", "ConvNeXtTiny"])
def test_features_are_those_of_keras_own_network(name):
    frozen, backbone = frozen_network(name, image_size=32), find_backbone(name)
    reference = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    reference.set_weights(frozen.get_weights())
    module = getattr(keras.applications, backbone.module)
    expected = reference.predict(module.preprocess_input(photos()), verbose=0)
    found = frozen.predict(photos(), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_the_openvino_process_builds_the_same_network(tmp_path):
    # Caffe's flipped channels, a network with shortcuts, and one that nests models inside.
    names = ["VGG16", "MobileNetV2-0.35", "ConvNeXtTiny"]
    code = (
        "import json, keras, numpy as np, openvino, sys\n"
        "from headstart.backbones.catalogue import find_backbone as find\n"
        "from headstart.backbones.weights import find_weights\n"
        "from headstart.backbones.surgery import build_frozen\n"
        "x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype('float32')\n"
        "found = {}\n"
        f"for name in {names}:\n"
        "    source = find_weights(find(name), 'none')\n"
        "    model = build_frozen(find(name), image_size=32, pooling='avg', weights=source)\n"
        f"    model.export({str(tmp_path / 'm.xml')!r}, format='openvino', verbose=False)\n"
        f"    graph = openvino.Core().read_model({str(tmp_path / 'm.xml')!r})\n"
        "    hint = {'INFERENCE_PRECISION_HINT': 'f32'}\n"
        "    rows = openvino.Core().compile_model(graph, 'CPU', hint)(x)[0]\n"
        "    found[name] = rows.tolist()\n"
        # Copying ConvNeXt's layers serialises them, and Keras imports TensorFlow to do so.
        "    assert name == 'ConvNeXtTiny' or 'tensorflow' not in sys.modules\n"
        "print(json.dumps(found))"
    )
    for name, rows in in_child(code, backend="openvino").items():
        expected = frozen_network(name).predict(photos(), verbose=0)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(np.array(rows) / scale, expected / scale, atol=1e-4)


def test_a_frozen_network_has_nothing_to_train_and_stays_in_inference_mode():
    frozen = frozen_network()
    assert frozen.trainable_weights == []
    before = frozen.get_weights()
    trained = np.asarray(frozen(photos(), training=True))
    np.testing.assert_allclose(trained, np.asarray(frozen(photos(), training=False)))
    assert all(map(np.array_equal, before, frozen.get_weights()))


@pytest.mark.parametrize(
    ("pooling", "shape"),
    [("avg", (512,)), ("max", (512,)), ("flatten", (2048,)), (None, (2, 2, 512))],
)
def test_pooling_decides_the_shape_of_the_features(pooling, shape):
    frozen = frozen_network("VGG16", image_size=64, pooling=pooling)
    assert frozen.output.shape[1:] == shape
    assert frozen.layers[0].name == "image"
    assert frozen.layers[-1].name == ("features" if pooling else "block5_pool")


def test_layer_names_do_not_depend_on_what_was_built_before():
    first = [layer.name for layer in frozen_network("MobileNetV3Small").layers]
    second = [layer.name for layer in frozen_network("MobileNetV3Small").layers]
    assert first == second
    assert {"image", "conv", "expanded_conv_2_add", "activation_17"} <= set(first)


def test_a_photo_smaller_than_the_minimum_is_refused():
    with pytest.raises(ArgumentError) as error:
        frozen_network("InceptionV3", image_size=64)
    assert "image_size=64 is too small for InceptionV3" in str(error.value)
    assert "its minimum is 75 pixels, it was trained on 299" in str(error.value)


def test_an_unknown_pooling_is_answered_with_the_known_ones():
    with pytest.raises(ArgumentError, match=r"pooling='averag' is unknown.*avg, max, flatten"):
        frozen_network(pooling="averag")


def plain_head(width=1280):
    return keras.Sequential([keras.Input((width,)), keras.layers.Dense(3, activation="softmax")])


def branched_head(width=1280):
    """Two ways side by side, one layer used twice, a nested model, and a name already taken."""
    features = keras.Input((width,))
    shared = keras.layers.Dense(8, activation="relu", name="Conv1")
    inner = keras.Sequential([keras.layers.Dense(width), keras.layers.Dropout(0.5)], name="inner")
    both = keras.layers.Concatenate()([shared(features), shared(inner(features))])
    scores = keras.layers.Dense(3, name="scores")(both * 0.5)
    return keras.Model(features, keras.layers.Softmax()(scores))


@pytest.mark.parametrize("make_head", [plain_head, branched_head])
def test_the_joined_model_answers_as_head_after_backbone(make_head):
    frozen, head = frozen_network("VGG16"), make_head(512)
    joined = join(frozen, head)
    expected = head.predict(frozen.predict(photos(), verbose=0), verbose=0)
    np.testing.assert_allclose(joined.predict(photos(), verbose=0), expected, atol=1e-6)


def test_the_joined_model_is_flat_and_every_layer_can_be_reached():
    joined = join(frozen_network(), branched_head())
    names = [operation.name for operation in joined.operations]
    assert len(set(names)) == len(names)
    assert not [layer for layer in joined.layers if hasattr(layer, "layers")]
    assert {"Conv1", "head_Conv1", "features", "scores"} <= set(names)
    for layer in joined.layers:  # every layer's output hangs on this very graph
        keras.Model(joined.input, layer.output)


def test_training_the_joined_model_leaves_the_head_alone():
    frozen, head = frozen_network("VGG16"), plain_head(512)
    before = head.get_weights()
    joined = join(frozen, head)
    joined.compile(optimizer=keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy")
    joined.fit(photos(), np.array([0, 1]), verbose=0)
    assert len(joined.trainable_weights) == 2
    assert not np.array_equal(joined.get_weights()[-2], before[0])
    assert all(map(np.array_equal, before, head.get_weights()))


def test_a_head_of_another_width_is_refused():
    with pytest.raises(ArgumentError) as error:
        join(frozen_network(), plain_head(512))
    assert "head takes features of shape (512,), but the backbone gives (1280,)" in str(error.value)
    with pytest.raises(ArgumentError, match="head must be a functional or sequential"):
        join(frozen_network(), keras.Sequential([keras.layers.Dense(3)]))


def test_saved_models_load_where_this_package_is_not(tmp_path):
    joined = {}
    for name in ("VGG16", "MobileNetV3Small", "ConvNeXtTiny"):
        frozen = frozen_network(name)
        joined[name] = join(frozen, plain_head(frozen.output.shape[-1]))
        joined[name].save(tmp_path / f"{name}.keras")
    code = (
        "import sys; sys.modules['headstart'] = None\n"
        "import json, keras, numpy as np, pathlib\n"
        "x = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype('float32')\n"
        f"files = pathlib.Path({str(tmp_path)!r}).glob('*.keras')\n"
        "models = {file.stem: keras.models.load_model(file, safe_mode=True) for file in files}\n"
        "print(json.dumps({n: m.predict(x, verbose=0).tolist() for n, m in models.items()}))"
    )
    answers = in_child(code, backend=keras.backend.backend())
    assert set(answers) == set(joined)
    for name, model in joined.items():
        np.testing.assert_allclose(answers[name], model.predict(photos(), verbose=0), atol=1e-6)
