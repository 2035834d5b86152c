"""Heat maps: the formula where it is known, every backbone family, and a check of sanity."""

import gc
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from headstart.backbones.catalogue import backbones, find_backbone
from headstart.backbones.surgery import build_frozen, join
from headstart.backbones.weights import find_weights
from headstart.errors import EngineError
from headstart.explanation.grad_cam import grad_cam, split_at_last_map
from headstart.explanation.gradients import gradient

# Keras 3.15 on TensorFlow with NumPy 2: keras/src/backend/tensorflow/core.py, convert_to_numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SMALLEST = {
    row.module: row.name for row in sorted(backbones(), key=lambda row: -row.backbone_parameters)
}


def classifier(name: str, size: int, *, units: int = 3, weights: str = "none"):
    backbone, seed = find_backbone(name), 0
    source = find_weights(backbone, weights, seed=seed)
    frozen = build_frozen(backbone, image_size=size, pooling="avg", weights=source, seed=seed)
    features = keras.Input(frozen.output.shape[1:])
    keras.utils.set_random_seed(seed)
    activation = "softmax" if units > 1 else "sigmoid"
    answer = keras.layers.Dense(units, activation=activation, name="probabilities")(features)
    return join(frozen, keras.Model(features, answer))


def photos(count: int, size: int):
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3)).astype(np.float32)


def small(units: int = 3, size: int = 64):
    """The starter: four cells a side."""
    return classifier("Starter", size, units=units)


@pytest.mark.parametrize("name", SMALLEST.values(), ids=SMALLEST)
def test_every_family_has_a_map_that_depends_on_photo_and_class(name: str) -> None:
    # Three cells a side; the Inceptions and AlexNet lose a border at every stride.
    size = 139 if name.startswith(("AlexNet", "Inception")) else 96
    split = split_at_last_map(classifier(name, size))
    assert split is not None
    heat = grad_cam(split, photos(2, size), np.array([0, 1]))
    assert heat.shape[0] == 2
    assert min(heat.shape[1:]) >= 3
    assert np.isfinite(heat).all()
    assert 0 <= heat.min() <= heat.max() <= 1
    keras.backend.clear_session()
    gc.collect()


def test_behind_average_pooling_it_is_the_class_activation_map() -> None:
    model = small()
    split = split_at_last_map(model)
    shown = photos(4, 64)
    maps = np.asarray(split.lower.predict(shown, verbose=0))
    kernel = model.get_layer("probabilities").get_weights()[0]
    for number in range(3):
        expected = np.maximum(np.einsum("nhwc,c->nhw", maps, kernel[:, number]), 0)
        largest = expected.max(axis=(1, 2), keepdims=True)
        expected = np.divide(expected, largest, where=largest > 0, out=np.zeros_like(expected))
        np.testing.assert_allclose(grad_cam(split, shown, np.full(4, number)), expected, atol=1e-4)


def test_one_sigmoid_explains_both_classes_with_opposite_signs() -> None:
    model = small(1)
    split = split_at_last_map(model)
    maps = np.asarray(split.lower.predict(photos(2, 64), verbose=0))
    kernel = model.get_layer("probabilities").get_weights()[0][:, 0]
    for number, sign in ((0, -1), (1, 1)):
        found = grad_cam(split, photos(2, 64), np.full(2, number))
        expected = np.maximum(sign * np.einsum("nhwc,c->nhw", maps, kernel), 0)
        np.testing.assert_array_equal(found > 1e-6, expected > 1e-6 * expected.max())


def test_a_sure_softmax_does_not_flatten_the_map() -> None:
    model = small()
    before = grad_cam(split_at_last_map(model), photos(2, 64), np.array([0, 1]))
    head = model.get_layer("probabilities")
    head.set_weights([1000 * weights for weights in head.get_weights()])
    after = grad_cam(split_at_last_map(model), photos(2, 64), np.array([0, 1]))
    assert before.max() == 1
    np.testing.assert_allclose(after, before, atol=1e-3)


def test_the_classifier_stays_as_it_is() -> None:
    model = small()
    before = model.predict(photos(2, 64), verbose=0)
    grad_cam(split_at_last_map(model), photos(2, 64), np.array([0, 1]))
    np.testing.assert_array_equal(model.predict(photos(2, 64), verbose=0), before)
    assert model.get_layer("probabilities").activation.__name__ == "softmax"


def test_randomised_weights_change_the_map() -> None:
    """Adebayo et al., Sanity Checks for Saliency Maps, 2018: a map that stays shows no network."""
    learnt = find_backbone("Starter").default_weights
    one, other = classifier("Starter", 64, weights=learnt), small()
    shown, classes = photos(8, 64), np.arange(8) % 3
    maps = [grad_cam(split_at_last_map(model), shown, classes) for model in (one, other)]
    again = grad_cam(split_at_last_map(one), shown, classes)
    assert abs(np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1]) < 0.7
    np.testing.assert_allclose(again, maps[0], atol=1e-6)


def test_without_a_map_of_some_size_there_is_no_grad_cam() -> None:
    assert split_at_last_map(classifier("MobileNetV2-0.35", 64)) is None
    image = keras.Input((32, 32, 3))
    flat = keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(image))
    assert split_at_last_map(keras.Model(image, flat)) is None


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_gradients_agree_on_every_backend(backend: str) -> None:
    pytest.importorskip(backend)
    code = (
        "import keras, numpy as np\n"
        "from headstart.explanation.gradients import gradient\n"
        "x = np.arange(6, dtype='float32').reshape(2, 3)\n"
        "found = gradient(lambda t: keras.ops.sum(keras.ops.sin(t) * t, axis=1), x)\n"
        "np.testing.assert_allclose(found, np.sin(x) + x * np.cos(x), atol=1e-5)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_backend_without_gradients_is_an_error_that_says_so(monkeypatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "openvino")
    with pytest.raises(EngineError, match="'openvino' here, which has no gradients"):
        gradient(lambda tensor: tensor, np.zeros((1, 2), np.float32))
