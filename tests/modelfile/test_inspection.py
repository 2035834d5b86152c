"""`inspect_model` and `headstart inspect`: everything that is known of a file, without Keras."""

import json
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest
from keras import layers
from typer.testing import CliRunner

import headstart
from headstart.cli.main import app
from headstart.errors import ArgumentError
from headstart.modelfile.answers import answers_of
from headstart.modelfile.compiled import Compiled, read_compiled
from headstart.modelfile.cutting import block_ends, find_place, output_layer
from headstart.modelfile.expectation import expected_pixels
from headstart.modelfile.from_keras import graph_of_model
from headstart.modelfile.labels import labels_beside, read_labels


def classifier(*lower: layers.Layer, head: tuple[layers.Layer, ...] = ()) -> keras.Model:
    return keras.Sequential([keras.Input((16, 16, 3)), *lower, *head])


def small() -> keras.Model:
    return classifier(
        layers.Conv2D(4, 3, name="low"), layers.MaxPooling2D(2), layers.Conv2D(8, 3, name="high"),
        head=(layers.Flatten(), layers.Dropout(0.5), layers.Dense(9, name="hidden"),
              layers.Dropout(0.5, name="second"), layers.Dense(3, name="classes"),
              layers.Softmax(name="softmax")),
    )  # fmt: skip


FACTS = {
    "keras2_0_fer2013/fer2013_mini_XCEPTION.102-0.66.hdf5":
        ("2.0.5", "categorical_crossentropy", "Adam", "conv2d_7", "add_4", None),
    "keras2_0_fer2013/tiny_XCEPTION_KDEF.hdf5":
        ("2.0.5", "categorical_crossentropy", "Adam", "conv2d_7", "add_4", None),
    "keras2_0_mnist/TFKeras.h5":
        ("2.0.4", "categorical_crossentropy", "Adadelta", "dense_1", None, None),
    "keras3_6_cats_dogs/cat_dog_classifier.keras":
        ("3.6.0", "binary_crossentropy", "Adam", "dense_1", "max_pooling2d_1", None),
    "teachable_machine_water/keras_model.h5":
        ("2.4.0", "", "", "sequential_3/dense_Dense2",
         "sequential_1/global_average_pooling2d_GlobalAveragePooling2D1", "-1..1"),
}  # fmt: skip


@pytest.mark.parametrize("file", FACTS)
def test_who_saved_a_file_how_it_was_trained_and_where_to_cut(test_data: Path, file: str) -> None:
    report = headstart.inspect_model(test_data / "models" / file)
    version, loss, optimizer, output, cut, pixels = FACTS[file]
    assert (report.keras_version, report.compiled.loss) == (version, loss)
    assert (report.compiled.optimizer, report.output_layer) == (optimizer, output)
    assert (report.cuts["auto"].node if report.cuts else None) == cut
    assert report.pixels is not None
    assert report.pixels.mode == pixels
    assert not report.risks


def test_class_names_lie_beside_teachable_machines_export(test_data: Path) -> None:
    file = test_data / "models/teachable_machine_water/keras_model.h5"
    assert headstart.inspect_model(file).class_names == ("5 Galoon", "500ML")


def test_labels_are_names_with_or_without_their_numbers(tmp_path: Path) -> None:
    for text, names in (("0 a b\n1 2 c\n", ("a b", "2 c")), ("1 x\n0 y\n", ("1 x", "0 y")),
                        ("\ufeffcat\r\n\r\ndog\r\n", ("cat", "dog"))):  # fmt: skip
        (tmp_path / "labels.txt").write_text(text, "utf-8")
        assert labels_beside(tmp_path / "model.h5") == names
    (tmp_path / "labels.txt").write_text("same\nsame\n")
    assert labels_beside(tmp_path / "model.h5") is None
    with pytest.raises(ArgumentError, match="holds 2 names, 1 of them different"):
        read_labels(tmp_path / "labels.txt")


def test_inspect_takes_under_a_second_and_no_keras(test_data: Path) -> None:
    file = test_data / "models/teachable_machine_water/keras_model.h5"
    code = (
        "import sys; from headstart.cli.main import app\n"
        "try: app(['inspect', sys.argv[1]])\n"
        "finally: assert not {'keras', 'tensorflow', 'h5py'} & set(sys.modules)"
    )
    seconds = []
    for _ in range(3):
        begin = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code, file], capture_output=True, check=False)
        seconds.append(time.monotonic() - begin)
        assert done.returncode == 0, done.stderr
    assert min(seconds) < 2.5  # a second, with room for a busy machine


def test_the_command_prints_facts_and_layers_and_json(tmp_path: Path) -> None:
    model = small()
    model.compile(keras.optimizers.SGD(0.25), "categorical_crossentropy")
    model.save(tmp_path / "small.keras")
    shown = CliRunner().invoke(app, ["inspect", str(tmp_path / "small.keras")])
    assert shown.exit_code == 0
    for words in ("SGD(learning_rate=0.25", "--cut auto", "after high, 5 x 5 x 8", "classes"):
        assert words in " ".join(shown.stdout.split())
    told = CliRunner().invoke(app, ["inspect", str(tmp_path / "small.keras"), "--json"])
    found = json.loads(told.stdout)
    assert found["cuts"]["-1"]["node"] == "second"
    assert found["graph"]["parameters"] == model.count_params()
    assert found["graph"]["layers"][1]["settings"]["filters"] == 4


def test_the_command_exits_with_1_for_a_file_that_would_not_be_loaded(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2, name="code")])
    model.save(tmp_path / "lambda.keras")
    shown = CliRunner().invoke(app, ["inspect", str(tmp_path / "lambda.keras")])
    assert shown.exit_code == 1
    assert "REFUSED  code: Lambda holds code" in shown.stdout
    missing = CliRunner().invoke(app, ["inspect", str(tmp_path / "none.keras")])
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "does not exist" in missing.stderr


def test_a_file_of_weights_alone_is_listed(tmp_path: Path) -> None:
    small().save_weights(tmp_path / "a.weights.h5")
    report = headstart.inspect_model(tmp_path / "a.weights.h5")
    assert (report.format, report.graph) == ("weights", None)
    assert report.arrays["layers/conv2d/vars/0"] == (3, 3, 3, 4)
    assert report.parameters == small().count_params()
    shown = CliRunner().invoke(app, ["inspect", str(tmp_path / "a.weights.h5")])
    assert shown.exit_code == 0
    assert "weights alone, no network" in shown.stdout


def test_cuts_take_the_head_the_output_layer_or_what_is_above_a_name() -> None:
    graph = graph_of_model(small())
    assert output_layer(graph).name == "classes"
    assert find_place(graph, "auto").node == "high"
    assert find_place(graph, "auto").shape == (5, 5, 8)
    assert find_place(graph, "-1").node == "second"
    assert find_place(graph, "-1").removed == ("classes", "softmax")
    assert find_place(graph, "low").node == "low"
    assert block_ends(graph, "high") == ("low", "high")
    with pytest.raises(ArgumentError, match=r"cut='hidde' is no layer.*Did you mean hidden"):
        find_place(graph, "hidde")


def test_a_cut_below_everything_that_was_learnt_is_refused() -> None:
    graph = graph_of_model(keras.Sequential([keras.Input((4,)), layers.Dense(2)]))
    with pytest.raises(ArgumentError, match="leaves nothing that was learnt"):
        find_place(graph, "auto")


def test_blocks_of_a_residual_network_end_where_one_tensor_goes_on() -> None:
    model = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classes=4)
    graph = graph_of_model(model)
    place = find_place(graph, "auto")
    assert place.node == "avg_pool"
    ends = block_ends(graph, place.node)
    assert ends[-4:] == (
        "conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "conv5_block3_out",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "size", "mode", "certain"),
    [
        ("VGG16", 32, "caffe", False),
        ("MobileNetV2", 32, "-1..1", False),
        ("DenseNet121", 32, "torch", False),
        ("ResNet50", 32, "caffe", False),
        ("ResNet50V2", 32, "-1..1", False),
        ("EfficientNetB0", 32, "none", True),
    ],
)
def test_pixels_are_read_from_the_graph_or_from_the_names_of_known_networks(
    name: str, size: int, mode: str, certain: bool
) -> None:
    builder = getattr(keras.applications, name)
    model = builder(weights=None, include_top=False, input_shape=(size, size, 3))
    found = expected_pixels(graph_of_model(model))
    assert (found.mode, found.is_certain) == (mode, certain)


def test_nothing_is_said_of_pixels_where_nothing_tells() -> None:
    found = expected_pixels(graph_of_model(small()))
    assert (found.mode, found.is_certain) == (None, False)
    assert "--preprocess probe" in found.reason


def test_answers_are_probabilities_one_probability_or_logits() -> None:
    def of(*head: layers.Layer, compiled: Compiled | None = None) -> tuple[int, str, bool]:
        found = answers_of(
            graph_of_model(classifier(layers.Flatten(), head=head)), compiled or Compiled()
        )
        return found.class_count, found.activation, found.is_missing

    assert of(layers.Dense(3), layers.Activation("softmax")) == (3, "softmax", False)
    assert of(layers.Dense(1, activation="sigmoid")) == (2, "sigmoid", False)
    assert of(layers.Dense(3)) == (3, "softmax", True)
    logits = read_compiled(
        {"loss": {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}}
    )
    assert of(layers.Dense(1), compiled=logits) == (2, "sigmoid", True)
    with pytest.raises(ArgumentError, match="probably no classifier"):
        of(layers.Dense(1))
    with pytest.raises(ArgumentError, match="answers 4 questions with yes or no"):
        of(layers.Dense(4, activation="sigmoid"))
