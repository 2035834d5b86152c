"""Models of ten years of Keras: loaded as data, with the outputs that they had."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import headstart
from headstart.errors import ArgumentError, ModelFileError
from headstart.modelfile.reading import read_graph

PHOTOS = np.random.default_rng(0).uniform(0, 1, (5, 20, 24, 3)).astype(np.float32)


def some_model() -> keras.Model:
    """Nested, branched and shared, with operations, moved statistics and frozen layers."""
    image = keras.Input((20, 24, 3), name="photo")
    x = layers.Rescaling(2.0, [-1.0, 0.5, 0.0])(keras.ops.flip(image, axis=-1))
    x = layers.Conv2D(6, 3, activation="relu", trainable=False, name="frozen")(layers.Normalization(
        mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0])(x))  # fmt: skip
    inner = keras.Input((18, 22, 6))
    y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(inner))
    block = keras.Model(inner, layers.Add()([inner, layers.LeakyReLU(0.2)(y)]), name="block")
    x = block(block(x))
    x = keras.Sequential([layers.SeparableConv2D(5, 3), layers.PReLU()], name="tail")(x * 0.5 + 0.1)
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x[:, 1:, :-1]))
    x = layers.Dense(4, kernel_regularizer="l2")(layers.LayerNormalization()(x))
    model = keras.Model(image, layers.Softmax()(x))
    rng = np.random.default_rng(1)
    values = [np.abs(rng.normal(0.1, 0.4, each.shape)) for each in model.get_weights()]
    model.set_weights(values)
    return model


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return some_model()


def answers(model: keras.Model) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(PHOTOS, training=False))


@pytest.mark.neutral
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_outputs_are_those_of_the_saved_model(model, ending: str, tmp_path: Path) -> None:
    model.save(tmp_path / f"a.{ending}")
    loaded = headstart.load_model(tmp_path / f"a.{ending}")
    np.testing.assert_allclose(answers(loaded), answers(model), atol=1e-6)
    assert loaded.count_params() == model.count_params()
    assert not any(hasattr(layer, "layers") for layer in loaded.layers)
    assert not loaded.get_layer("frozen").trainable
    found = loaded.layers[-2].kernel_regularizer
    assert float(found.l2) == pytest.approx(0.01)


def test_what_is_loaded_can_be_saved_and_loaded_by_plain_keras(model, tmp_path: Path) -> None:
    model.save(tmp_path / "a.keras")
    headstart.load_model(tmp_path / "a.keras").save(tmp_path / "b.keras")
    again = keras.models.load_model(tmp_path / "b.keras")
    np.testing.assert_allclose(answers(again), answers(model), atol=1e-6)


@pytest.mark.parametrize(
    "file",
    [
        "keras2_0_fer2013/fer2013_mini_XCEPTION.102-0.66.hdf5",
        "keras2_0_fer2013/tiny_XCEPTION_KDEF.hdf5",
        "keras3_6_cats_dogs/cat_dog_classifier.keras",
    ],
)
def test_where_plain_keras_loads_a_file_the_outputs_agree(test_data: Path, file: str) -> None:
    ours = headstart.load_model(test_data / "models" / file)
    plain = keras.models.load_model(test_data / "models" / file, compile=False)
    photos = np.random.default_rng(0).uniform(-1, 1, (4, *ours.input_shape[1:]))
    given = [photos] if file.startswith("keras2") else photos
    np.testing.assert_allclose(ours(photos), plain(given), atol=1e-6)


def test_a_bare_list_of_layers_that_plain_keras_refuses_is_loaded(test_data: Path) -> None:
    import h5py

    file = test_data / "models/keras2_0_mnist/TFKeras.h5"
    model = headstart.load_model(file)
    with h5py.File(file) as opened:
        kernel, bias = (
            opened[f"model_weights/dense_1/dense_1/{n}:0"][()] for n in ("kernel", "bias")
        )
    rows = np.random.default_rng(0).uniform(0, 1, (3, 784)).astype(np.float32)
    logits = rows @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model(rows), expected, atol=1e-5)


def test_teachable_machines_export_answers_for_each_photo_alone(test_data: Path) -> None:
    """Plain Keras 3 refuses this file."""
    from PIL import Image

    model = headstart.load_model(test_data / "models/teachable_machine_water/keras_model.h5")
    files = sorted((test_data / "photos/cats_dogs/train/cats").iterdir())[:6]
    sized = [np.asarray(Image.open(file).convert("RGB").resize((224, 224))) for file in files]
    photos = np.stack(sized).astype(np.float32) / 127.5 - 1
    together = np.asarray(model(photos))
    alone = np.concatenate([np.asarray(model(photo[None])) for photo in photos])
    np.testing.assert_allclose(together, alone, atol=2e-6)
    assert np.ptp(together[:, 0]) > 0.01  # and not the same answer to everything


def test_keras_1_is_understood(write_h5, tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 4)).astype(np.float32)
    dense = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)
    config = {"class_name": "Sequential", "config": [
        {"class_name": "Convolution2D", "config": {
            "name": "convolution2d_1", "batch_input_shape": [None, 20, 24, 3], "nb_filter": 4,
            "nb_row": 3, "nb_col": 3, "border_mode": "valid", "subsample": [2, 2], "bias": True,
            "dim_ordering": "tf", "activation": "relu", "init": "glorot_uniform"}},
        {"class_name": "GlobalAveragePooling2D", "config": {"name": "pool", "dim_ordering": "tf"}},
        {"class_name": "Dropout", "config": {"name": "dropout_1", "p": 0.5}},
        {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 2, "bias": False,
                                           "activation": "softmax"}},
    ]}  # fmt: skip
    own = {"convolution2d_1_W": kernel, "convolution2d_1_b": np.full(4, 0.5, np.float32)}
    arrays = {"convolution2d_1": own, "pool": {}, "dropout_1": {}, "dense_1": {"dense_1_W": dense}}
    file = write_h5(tmp_path / "old.h5", config, arrays, version="1.2.2")
    today = keras.Sequential([
        keras.Input((20, 24, 3)), layers.Conv2D(4, 3, strides=2, activation="relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(2, use_bias=False, activation="softmax"),
    ])  # fmt: skip
    today.set_weights([kernel, np.full(4, 0.5), dense])
    np.testing.assert_allclose(answers(headstart.load_model(file)), answers(today), atol=1e-6)
    told = {repair.text for repair in headstart.inspect_model(file).repairs}
    assert {"Convolution2D is Conv2D", "p is rate", "subsample is strides"} <= told


def test_tf_keras_2_is_understood_with_slashes_groups_and_functions(write_h5, tmp_path) -> None:
    depthwise = np.random.default_rng(0).normal(size=(3, 3, 3, 1)).astype(np.float32)
    seeded = {"class_name": "GlorotUniform", "config": {"seed": None, "dtype": "float32"}}

    def entry(kind: str, name: str, config: dict, inbound: list) -> dict:
        config = {"name": name, "trainable": True, "dtype": "float32", **config}
        return {"class_name": kind, "name": name, "config": config, "inbound_nodes": inbound}

    config = {"class_name": "Functional", "config": {"name": "m", "layers": [
        {"class_name": "InputLayer", "name": "in", "inbound_nodes": [],
         "config": {"name": "in", "batch_input_shape": [None, 20, 24, 3], "sparse": False}},
        entry("TFOpLambda", "tf.math.truediv", {"function": "math.truediv"},
              [["in", 0, 0, {"y": 0.5, "name": None}]]),
        entry("TFOpLambda", "tf.math.subtract", {"function": "math.subtract"},
              [["tf.math.truediv", 0, 0, {"y": 1.0, "name": None}]]),
        entry("DepthwiseConv2D", "block/dw", {
            "kernel_size": [3, 3], "padding": "same", "groups": 1, "depth_multiplier": 1,
            "use_bias": False, "depthwise_initializer": seeded},
            [[["tf.math.subtract", 0, 0, {}]]]),
        entry("BatchNormalization", "bn", {"axis": [3], "epsilon": 0.01},
              [[["block/dw", 0, 0, {}]]]),
        entry("LeakyReLU", "leaky", {"alpha": 0.25}, [[["bn", 0, 0, {}]]]),
        entry("GlobalAveragePooling2D", "pool", {}, [[["leaky", 0, 0, {}]]]),
    ], "input_layers": [["in", 0, 0]], "output_layers": [["pool", 0, 0]]}}  # fmt: skip
    gamma, beta, mean, variance = (np.array([n, 2.0, 3.0], np.float32) for n in (1, 2, 3, 4))
    norm = {"bn/gamma:0": gamma, "bn/beta:0": beta, "bn/moving_mean:0": mean,
            "bn/moving_variance:0": variance}  # fmt: skip
    arrays = {"in": {}, "block/dw": {"block/dw/depthwise_kernel:0": depthwise}, "bn": norm}
    file = write_h5(
        tmp_path / "old.h5", config, arrays, version="2.7.0",
        training={"loss": "mse", "optimizer_config": {
            "class_name": "SGD", "config": {"lr": 0.1, "decay": 0.01}}},
    )  # fmt: skip
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)
    normalised = layers.BatchNormalization(epsilon=0.01)
    image = keras.Input((20, 24, 3))
    y = layers.LeakyReLU(0.25)(normalised(x(image / 0.5 - 1.0)))
    today = keras.Model(image, layers.GlobalAveragePooling2D()(y))
    x.set_weights([depthwise])
    normalised.set_weights([gamma, beta, mean, variance])
    np.testing.assert_allclose(answers(headstart.load_model(file)), answers(today), atol=1e-5)
    told = " | ".join(repair.text for repair in headstart.inspect_model(file).repairs)
    for word in ("block/dw", "groups dropped", "tf.math.truediv is Divide", "alpha is", "axis in a",
                 "dtype in initialisers", "lr is learning_rate", "decay=0.01"):  # fmt: skip
        assert word in told


def test_weights_of_another_shape_are_refused_with_both_shapes(model, tmp_path, change_config):
    model.save(tmp_path / "a.h5")

    def grow(config: dict) -> None:
        next(each for each in config["config"]["layers"] if each["class_name"] == "Dense")[
            "config"]["units"] = 9  # fmt: skip

    change_config(tmp_path / "a.h5", grow)
    with pytest.raises(ModelFileError, match=r"needs its kernel of shape \(5, 9\), the file has"):
        headstart.load_model(tmp_path / "a.h5")
    assert [risk.kind for risk in headstart.inspect_model(tmp_path / "a.h5").risks] == ["weights"]


def test_a_layer_of_ones_own_is_refused_until_its_code_is_named(tmp_path: Path) -> None:
    code = tmp_path / "own.py"
    code.write_text(
        "import keras\n\nclass Doubled(keras.layers.Layer):\n"
        "    def __init__(self, times=2, **rest):\n        super().__init__(**rest)\n"
        "        self.times = times\n\n    def build(self, shape):\n"
        "        self.scale = self.add_weight(shape=(shape[-1],), name='scale')\n\n"
        "    def call(self, x):\n        return x * self.scale * self.times\n\n"
        "    def get_config(self):\n"
        "        return super().get_config() | {'times': self.times}\n"
    )
    from headstart.imports import load_file

    own = load_file("test", str(code)).Doubled
    model = keras.Sequential([keras.Input((20, 24, 3)), own(times=3), layers.Flatten(),
                              layers.Dense(2)])  # fmt: skip
    for file in (tmp_path / "a.keras", tmp_path / "a.h5"):
        model.save(file)
        with pytest.raises(ModelFileError, match=r"Doubled is .*--trust-custom FILE.py"):
            headstart.load_model(file)
        assert [risk.kind for risk in headstart.inspect_model(file).risks] == ["custom layer"]
        assert not headstart.inspect_model(file, trust_custom=code).risks
        loaded = headstart.load_model(file, trust_custom=code)
        np.testing.assert_allclose(answers(loaded), answers(model), atol=1e-5)
    with pytest.raises(ArgumentError, match="is no Python file"):
        headstart.load_model(file, trust_custom="own.txt")


def test_first_files_of_keras_3_that_name_no_layers_are_matched_by_order(tmp_path: Path) -> None:
    import io
    import zipfile

    import h5py

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(3)])
    model.save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = io.BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as weights:
        groups: list[str] = []
        weights.visit(groups.append)
        for group in groups:
            weights[group].attrs.pop("name", None)
    members["model.weights.h5"] = content.getvalue()
    with zipfile.ZipFile(tmp_path / "b.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in members.items():
            archive.writestr(name, each)
    rows = np.eye(4, dtype=np.float32)
    np.testing.assert_array_equal(headstart.load_model(tmp_path / "b.keras")(rows), model(rows))
    assert read_graph(tmp_path / "b.keras").parameters == model.count_params()
    (told,) = headstart.inspect_model(tmp_path / "b.keras").repairs
    assert told.text == "weights found by the layers' order: the file does not name them"
