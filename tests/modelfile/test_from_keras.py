"""A model in memory as data; it agrees with what the model's own file says."""

import json
import math

import keras
import pytest
from keras import layers

from headstart.errors import ArgumentError
from headstart.modelfile.assemble import assemble
from headstart.modelfile.from_keras import graph_of_model


def nested() -> keras.Model:
    stem = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Conv2D(4, 3, name="conv"), layers.ReLU(name="relu")],
        name="stem",
    )
    image = keras.Input((16, 16, 3), name="image")
    shared = layers.Conv2D(4, 1, name="shared")
    x = stem(image)
    x = keras.ops.flip(shared(x) + shared(shared(x)), axis=-1)
    x = layers.BatchNormalization(name="bn")(x)
    return keras.Model(image, layers.Dense(2, name="answer")(layers.Flatten(name="flat")(x)))


def test_nested_models_are_opened_and_operations_named() -> None:
    graph = graph_of_model(nested())
    kinds = [layer.kind for layer in graph.layers]
    assert kinds == [
        "InputLayer", "Conv2D", "ReLU", "Conv2D", "Conv2D", "Conv2D", "Add", "Flip",
        "BatchNormalization", "Flatten", "Dense",
    ]  # fmt: skip
    assert graph.layers[1].name == "stem/conv"
    assert graph.layers[1].inputs == ("image",)
    assert graph.layers[3].inputs == ("stem/relu",)
    assert graph.outputs == ("answer",)


def test_a_layer_that_is_called_twice_is_counted_once() -> None:
    model = nested()
    graph = graph_of_model(model)
    assert [layer.shared_with for layer in graph.layers if layer.kind == "Conv2D"] == [
        None, None, "shared", "shared",
    ]  # fmt: skip
    assert graph.parameters == model.count_params()


def test_what_no_gradient_moves_is_told_from_what_is_frozen() -> None:
    model = nested()
    model.get_layer("stem").trainable = False
    graph = graph_of_model(model)
    by_name = {layer.name: layer for layer in graph.layers}
    assert not by_name["stem/conv"].trainable
    assert by_name["bn"].non_trainable == ("moving_mean", "moving_variance")
    assert graph.trainable_parameters == sum(
        math.prod(weight.shape) for weight in model.trainable_weights
    )  # fmt: skip


@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50V2", "DenseNet121"])
def test_it_agrees_with_the_reader_of_files_on_names_shapes_and_weights(name) -> None:
    with keras.StatelessScope(initialize_variables=False):
        model = getattr(keras.applications, name)(
            weights=None, input_shape=(64, 64, 3), classes=7
        )  # fmt: skip
    live = graph_of_model(model)
    read = assemble(json.loads(model.to_json()), max_bytes=2**63).graph
    for one, other in zip(live.layers, read.layers, strict=True):
        assert (one.name, one.kind, one.inputs, one.trainable, one.non_trainable) == (
            other.name, other.kind, other.inputs, other.trainable, other.non_trainable,
        )  # fmt: skip
        assert one.output_shape == other.output_shape, one.name
        assert list(one.weights.values()) == list(other.weights.values()), one.name


def test_layers_of_ones_own_have_their_shapes() -> None:
    class Halve(layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), name="scale")

        def call(self, x):
            return x[:, ::2, ::2] * self.scale

    image = keras.Input((8, 8, 3))
    graph = graph_of_model(keras.Model(image, Halve(name="halve")(image)))
    assert graph.layers[1].output_shape == (None, 4, 4, 3)
    assert dict(graph.layers[1].weights) == {"scale": (3,)}


def test_a_model_of_code_alone_is_refused() -> None:
    class Mine(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ArgumentError, match="is a Mine whose graph only its own code knows"):
        graph_of_model(Mine())
