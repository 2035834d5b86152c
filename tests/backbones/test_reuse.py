"""Cut, clone, freeze and unfreeze any Keras model, and leave it as it was."""

import keras
import numpy as np
import pytest
from keras import layers

import headstart
from headstart.backbones.reuse import weights_digest
from headstart.errors import ArgumentError

ROWS = np.random.default_rng(0).normal(size=(12, 8, 8, 3)).astype(np.float32)
LABELS = np.arange(12) % 2


def nested() -> keras.Model:
    keras.utils.set_random_seed(0)
    base = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="block1_conv"),
            layers.BatchNormalization(name="block1_bn"),
            layers.Conv2D(4, 3, name="block2_conv"),
            layers.GlobalAveragePooling2D(name="pool"),
        ],
        name="base",
    )
    image = keras.Input((8, 8, 3))
    x = layers.Dense(5, activation="relu", name="hidden")(base(image))
    return keras.Model(image, layers.Dense(3, name="classes")(x), name="model_a")


def branched() -> keras.Model:
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    x = layers.Add(name="both")([shared(image), shared(image * 2.0)])
    x = layers.Dense(4, name="hidden")(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(2, activation="softmax", name="classes")(x))


def train_on(lower: keras.Model) -> keras.Model:
    model = keras.Model(lower.input, layers.Dense(1, activation="sigmoid")(lower.output))
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    model.fit(ROWS, LABELS, epochs=2, verbose=0)
    return model


@pytest.mark.neutral
@pytest.mark.parametrize("make", [nested, branched])
def test_a_cut_gives_what_the_layer_gave_and_training_it_leaves_the_model_alone(make) -> None:
    model = make()
    before, answers = weights_digest(model), keras.ops.convert_to_numpy(model(ROWS))
    lower = headstart.cut(model, "-1")
    hidden = keras.ops.convert_to_numpy(lower(ROWS))
    head = model.get_layer("classes")
    expected = keras.ops.convert_to_numpy(head(hidden))
    np.testing.assert_allclose(expected, answers, atol=1e-5)
    train_on(lower)
    assert weights_digest(model) == before
    assert np.abs(keras.ops.convert_to_numpy(lower(ROWS)) - hidden).max() > 1e-4


def test_auto_cuts_the_whole_head_and_a_name_cuts_inside_a_nested_model() -> None:
    model = nested()
    assert headstart.cut(model).output_shape == (None, 4)
    assert headstart.cut(model, "block1_conv").output_shape == (None, 6, 6, 4)
    assert [layer.name for layer in headstart.cut(model, "block1_bn").layers][1:] == [
        "block1_conv", "block1_bn"]  # fmt: skip
    with pytest.raises(ArgumentError, match="Did you mean block1_conv"):
        headstart.cut(model, "block1_con")


def test_sharing_trains_the_models_own_layers_and_says_so() -> None:
    model = branched()
    before = weights_digest(model)
    with pytest.warns(UserWarning, match=r"share=True: training .* changes"):
        lower = headstart.cut(model, "-1", share=True)
    assert lower.get_layer("shared") is model.get_layer("shared")
    train_on(lower)
    assert weights_digest(model) != before
    with pytest.raises(ArgumentError, match="lies in a nested model"):
        headstart.cut(nested(), "block1_conv", share=True)


def test_a_copy_has_the_weights_and_shares_none() -> None:
    model = nested()
    copy = headstart.clone(model)
    assert weights_digest(copy) == weights_digest(model)
    assert copy.get_layer("base") is not model.get_layer("base")
    copy.set_weights([value + 1 for value in copy.get_weights()])
    assert weights_digest(copy) != weights_digest(model)


def test_freezing_goes_up_to_a_layer_or_a_block_through_nested_models() -> None:
    model = nested()
    assert headstart.freeze(model, upto="block1") == ("block1_conv", "block1_bn")
    assert len(model.trainable_weights) == 6
    assert headstart.freeze(model, upto="hidden")[-1] == "hidden"
    assert [weight.path.split("/")[-2] for weight in model.trainable_weights] == ["classes"] * 2
    assert len(headstart.freeze(model)) == 5
    assert not model.trainable_weights
    with pytest.raises(ArgumentError, match=r"upto='blok1' is neither .*Did you mean block1"):
        headstart.freeze(model, upto="blok1")


def test_unfreezing_leaves_batch_normalisation_frozen_unless_it_is_asked_for() -> None:
    model = nested()
    headstart.freeze(model)
    assert headstart.unfreeze(model, since="block2") == ("block2_conv", "hidden", "classes")
    assert headstart.unfreeze(model) == ("block1_conv", "block2_conv", "hidden", "classes")
    assert "block1_bn" in headstart.unfreeze(model, batch_norm="adapt")
    with pytest.raises(ArgumentError, match="Expected freeze or adapt"):
        headstart.unfreeze(model, batch_norm="no")


def test_a_model_that_was_compiled_must_be_compiled_again() -> None:
    """Keras settles what learns when it compiles; else the wrong layers learn in silence."""
    model = branched()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(ROWS, LABELS, verbose=0)
    headstart.freeze(model, upto="shared")
    with pytest.raises(ValueError, match="compile"):
        model.fit(ROWS, LABELS, verbose=0)
    before = np.array(model.get_layer("shared").kernel)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(ROWS, LABELS, verbose=0)
    np.testing.assert_array_equal(before, np.array(model.get_layer("shared").kernel))


def test_what_has_no_layers_to_cut_is_refused() -> None:
    image = keras.Input((4,))
    two = keras.Model(image, [layers.Dense(2)(image), layers.Dense(3)(image)])
    with pytest.raises(ArgumentError, match="with one output"):
        headstart.cut(two)
