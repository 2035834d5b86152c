"""A network read out of a file, with shapes of our own, equals what Keras makes of it."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from headstart.errors import ModelFileError
from headstart.modelfile.assemble import assemble
from headstart.modelfile.from_keras import graph_of_model
from headstart.modelfile.reading import read_graph


def everything() -> keras.Model:
    """Nested, branched and shared; layers, operations, slices."""
    image = keras.Input((33, 47, 3), name="image")
    x = layers.Rescaling(1 / 127.5, -1.0)(keras.ops.flip(image, axis=-1))
    x = layers.Conv2D(8, 3, strides=2, padding="same", groups=1, activation="relu")(x)
    x = layers.DepthwiseConv2D((3, 2), depth_multiplier=2)(x)
    x = layers.SeparableConv2D(6, 3, dilation_rate=2, activation=keras.activations.relu6)(x)
    x = layers.Conv2DTranspose(6, 3, strides=2)(layers.BatchNormalization(scale=False)(x))
    x = layers.ZeroPadding2D(((0, 1), (2, 3)))(layers.Cropping2D((1, 2))(x))
    shared = keras.Sequential(
        [layers.Dense(6, name="dense"), layers.LayerNormalization()], name="shared"
    )
    y = layers.LeakyReLU(0.1)(shared(layers.PReLU(shared_axes=[1, 2])(shared(x))))
    z = layers.Concatenate()([layers.Add()([x, y]), x * 0.5 + 1.0])[:, 1:-1, ::2]
    z = layers.MaxPooling2D(3, 2, padding="same")(layers.UpSampling2D(2)(z))
    z = layers.AveragePooling2D(2)(layers.GroupNormalization(6)(z))
    flat = layers.Reshape((-1, 12))(z)
    flat = layers.Dropout(0.1)(layers.Permute((2, 1))(flat))
    pooled = layers.Multiply()([layers.GlobalMaxPooling2D()(z), layers.GlobalAveragePooling2D()(z)])
    pooled = layers.Dense(5, activation="softmax")(keras.ops.relu(pooled))
    return keras.Model(image, [pooled, layers.Flatten()(flat), keras.ops.mean(z, axis=(1, 2))])


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return everything()


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_shapes_and_weights_are_those_that_keras_gives(model, ending: str, tmp_path) -> None:
    file = tmp_path / f"model.{ending}"
    model.save(file)
    graph = read_graph(file)
    assert graph == assemble(json.loads(model.to_json()), max_bytes=2**63).graph
    assert graph.parameters == model.count_params()
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert graph.trainable_parameters == trainable
    nodes = {node.name: node for node in graph.layers}
    for operation in model.operations:
        if operation.name != "shared":
            assert nodes[operation.name].output_shape == tuple(operation.output.shape)
            found = [tuple(weight.shape) for weight in getattr(operation, "weights", [])]
            assert list(nodes[operation.name].weights.values()) == found
    assert [nodes[name].output_shape for name in graph.outputs] == model.output_shape


@pytest.mark.parametrize("name", ["MobileNetV2", "ConvNeXtTiny", "InceptionResNetV2"])
def test_networks_of_keras_applications_are_counted_alike(name: str) -> None:
    builder = getattr(keras.applications, name)
    model = builder(weights=None, input_shape=(96, 96, 3), classes=7)
    graph = graph_of_model(model)
    assert graph.parameters == model.count_params()
    assert graph.layers[-1].output_shape == (None, 7)


def test_each_layer_stands_behind_its_inputs_and_nested_ones_carry_both_names(model) -> None:
    graph = graph_of_model(model)
    seen: set[str] = set()
    for node in graph.layers:
        assert seen.issuperset(node.inputs)
        seen.add(node.name)
    again = next(node for node in graph.layers if node.name == "shared/dense:2")
    assert (again.shared_with, again.parameters) == ("shared/dense", 0)


@pytest.mark.parametrize(
    ("file", "kind", "parameters", "output"),
    [
        ("keras2_0_fer2013/fer2013_mini_XCEPTION.102-0.66.hdf5", "Conv2D", 58_423, (None, 7)),
        ("keras2_0_fer2013/tiny_XCEPTION_KDEF.hdf5", "SeparableConv2D", 18_314, (None, 7)),
        ("keras2_0_mnist/TFKeras.h5", "Dense", 7_850, (None, 10)),
        ("keras3_6_cats_dogs/cat_dog_classifier.keras", "MaxPooling2D", 813_217, (None, 1)),
        ("teachable_machine_water/keras_model.h5", "DepthwiseConv2D", 538_508, (None, 2)),
    ],
)
def test_files_of_ten_years_are_read(test_data: Path, file, kind, parameters, output) -> None:
    graph = read_graph(test_data / "models" / file)
    assert graph.parameters == parameters
    assert kind in {node.kind for node in graph.layers}
    assert graph.layers[-1].output_shape == output


def test_reading_imports_no_keras(model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, json; from headstart.modelfile.reading import read_graph; "
        "graph = read_graph(sys.argv[1]); "
        "print(json.dumps([len(graph.layers), 'keras' in sys.modules, 'h5py' in sys.modules]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model.keras")]
    done = subprocess.run(command, capture_output=True, check=True)
    assert json.loads(done.stdout) == [len(graph_of_model(model).layers), False, False]


def test_weights_alone_are_no_network(model, tmp_path: Path) -> None:
    model.save_weights(tmp_path / "some.weights.h5")
    with pytest.raises(ModelFileError, match="holds weights alone"):
        read_graph(tmp_path / "some.weights.h5")


def test_a_saved_model_folder_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ModelFileError, match="is a SavedModel: a program"):
        read_graph(tmp_path)
