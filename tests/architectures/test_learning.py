"""The networks compute what Keras' compute, and learn."""

import gc

import keras
import numpy as np
import pytest

from headstart.architectures import architectures, build, find

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

IN_KERAS = [each.name for each in architectures() if hasattr(keras.applications, each.name)]


@pytest.fixture(autouse=True)
def freed():
    """A network is let go before the next one is built."""
    yield
    keras.backend.clear_session()
    gc.collect()


def random_weights(model, seed=0):
    """Weights that let a signal through, none of them a constant."""
    rng = np.random.default_rng(seed)
    drawn = []
    for weight in model.weights:
        shape = tuple(weight.shape)
        if len(shape) > 1:
            field = int(np.prod(shape[:-1]))
            drawn.append(rng.normal(0, (2 / field) ** 0.5, shape))
        elif "variance" in weight.name:
            drawn.append(rng.uniform(0.5, 1.5, shape))
        else:
            drawn.append(rng.normal(1.0 if "gamma" in weight.name else 0.0, 0.1, shape))
    return [array.astype("float32") for array in drawn]


def test_keras_has_six_of_them():
    assert set(IN_KERAS) == {
        *("VGG16", "VGG19", "InceptionV3", "ResNet50", "Xception", "InceptionResNetV2")
    }


@pytest.mark.parametrize("name", IN_KERAS)
def test_weights_of_kerass_network_give_the_same_answers_here_and_learn_on(name):
    side = find(name).minimum_size
    settings = {"input_shape": (side, side, 3), "classes": 3, "weights": None}
    settings["classifier_activation"] = None  # a softmax would squeeze differences
    theirs, ours = getattr(keras.applications, name)(**settings), build(name, **settings)
    weights = random_weights(theirs)
    theirs.set_weights(weights)
    ours.set_weights(weights)
    photos = random_photos(side)
    expected, found = np.asarray(theirs(photos)), np.asarray(ours(photos))
    assert np.ptp(expected, axis=0).max() > 1e-3  # the photos make a difference
    assert np.abs(found - expected).max() < 1e-4 * min(1.0, np.abs(expected).max())
    assert_that_a_step_lowers_the_loss(ours, photos, keras.optimizers.SGD(1e-5))


@pytest.mark.parametrize(
    "name", [each.name for each in architectures() if each.name not in IN_KERAS]
)
def test_the_others_learn_at_their_smallest_size(name):
    keras.utils.set_random_seed(0)
    side = find(name).minimum_size
    network = build(name, include_top=False, pooling="avg", input_shape=(side, side, 3))
    model = keras.Model(network.inputs[0], keras.layers.Dense(3)(network.output))
    assert_that_a_step_lowers_the_loss(model, random_photos(side), keras.optimizers.Adam(1e-4))


def random_photos(side, count=6):
    return np.random.default_rng(1).normal(0, 1, (count, side, side, 3)).astype("float32")


def assert_that_a_step_lowers_the_loss(model, photos, optimizer):
    """Compared in training mode; no network here has dropout."""
    labels = np.arange(len(photos)) % 3
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, run_eagerly=True)  # a graph would take longer to make
    before = float(model.train_on_batch(photos, labels))
    assert float(loss(labels, model(photos, training=True))) < before
