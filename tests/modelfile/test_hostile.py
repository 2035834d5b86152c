"""Hostile files: refused with the reason before anything is built, and nothing in them runs.

Each that carries code would write a canary file. That the canary works is shown first.
"""

import pickle
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

import headstart
from headstart.errors import ModelFileError


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A harmless model in both formats, `good.keras` and `good.h5`."""
    model = keras.Sequential([
        keras.Input((8, 8, 3)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip
    model.save(tmp_path / "good.h5")
    model.save(tmp_path / "good.keras")
    return tmp_path / "good.keras"


def code_for(canary: Path) -> Callable[[Any], Any]:
    return eval(f"lambda x: (open({str(canary)!r}, 'w').close(), x)[1]")


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_lambda_with_code_is_refused_and_never_runs(ending: str, tmp_path, canary) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Lambda(code_for(canary)), layers.Dense(2)])
    canary.unlink()  # written when the layer was called to find its shape
    file = tmp_path / f"lambda.{ending}"
    model.save(file)
    with pytest.raises(ModelFileError, match="Lambda holds code"):
        headstart.load_model(file)
    report = headstart.inspect_model(file)
    assert [risk.kind for risk in report.risks] == ["code"]
    assert not canary.exists()
    keras.models.load_model(file, safe_mode=False)(np.zeros((1, 4)))
    assert canary.exists()


def test_classes_and_functions_that_a_file_names_are_not_imported(
    good: Path, canary: Path, change_config
) -> None:
    call = {"module": "os", "class_name": "system", "config": {"command": f"touch {canary}"}}

    def poison(config: dict) -> None:
        config["config"]["layers"][2] |= {"module": "os", "class_name": "system",
                                          "registered_name": "own>system"}  # fmt: skip
        config["config"]["layers"][1]["config"]["kernel_initializer"] = call
        config["compile_config"] = {"optimizer": call, "loss": call}

    with pytest.raises(ModelFileError, match=r"system is somebody's own layer.*\(os\)"):
        headstart.load_model(change_config(good, poison))
    assert not canary.exists()


def test_what_a_known_layer_does_not_need_is_not_even_looked_at(
    good: Path, canary: Path, change_config
) -> None:
    call = {"module": "os", "class_name": "system", "config": {"command": f"touch {canary}"}}

    def poison(config: dict) -> None:
        config["config"]["layers"][1]["config"]["kernel_initializer"] = call
        config["config"]["layers"][1]["build_config"] = call
        config["compile_config"] = {"optimizer": call}

    headstart.load_model(change_config(good, poison))
    assert not canary.exists()


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("activation", {"module": "os", "class_name": "system", "config": "ls"}, "activation="),
        ("filters", "os.system", "expected a whole number"),
        ("filters", 10**9, "expected a whole number from 1 to"),
        ("filters", True, "expected a whole number"),
        ("kernel_size", [3, 3, 3], "expected two whole numbers"),
        ("kernel_size", [30, 3], "has a window of 30, larger than its input of 8"),
        ("data_format", "channels_first", "expected channels_last"),
        ("groups", 2, "has 2 groups"),
        ("kernel_regularizer", {"class_name": "system"}, "expected an L1 or L2 regulariser"),
    ],
)
def test_settings_are_checked_one_by_one(good, change_config, setting, value, reason) -> None:
    def poison(config: dict) -> None:
        config["config"]["layers"][1]["config"][setting] = value

    with pytest.raises(ModelFileError, match=reason):
        headstart.load_model(change_config(good, poison))


def test_shapes_that_need_more_memory_than_allowed_are_refused_at_once(good, change_config):
    def grow(config: dict) -> None:
        config["config"]["layers"][1]["config"]["filters"] = 2**23
        config["config"]["layers"][3]["config"]["units"] = 2**20

    begin = time.monotonic()
    report = headstart.inspect_model(change_config(good, grow))
    assert {risk.kind for risk in report.risks} == {"memory"}
    with pytest.raises(ModelFileError, match=r"weights take .* bytes, more than"):
        headstart.load_model(good)
    assert time.monotonic() - begin < 10
    with pytest.raises(ModelFileError, match=r"weights take \d+ bytes, more than 100"):
        headstart.load_model(good.with_suffix(".h5"), max_bytes=100)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../canary", "would be written outside"),
        ("/etc/canary", "would be written outside"),
        ("assets/../../canary", "would be written outside"),
        ("C:/canary", "would be written outside"),
        ("assets\\..\\canary", "would be written outside"),
        ("assets/model.pkl", "is code or a pickle"),
        ("__init__.py", "is code or a pickle"),
        ("canary.txt", "none that Keras writes"),
        ("config.json", "two members named"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_an_archive_stay_inside_and_are_those_of_keras(good, name, reason) -> None:
    with zipfile.ZipFile(good, "a") as archive:
        archive.writestr(name, b"canary")
    with pytest.raises(ModelFileError, match=reason):
        headstart.load_model(good)


def test_a_link_in_an_archive_is_refused(good: Path) -> None:
    link = zipfile.ZipInfo("assets/passwords")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(good, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelFileError, match="'assets/passwords' is a link"):
        headstart.load_model(good)


def test_a_bomb_in_an_archive_is_refused_before_it_is_unpacked(good: Path) -> None:
    with zipfile.ZipFile(good, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(64 * 2**20))
    begin = time.monotonic()
    with pytest.raises(ModelFileError, match="is a bomb: 67,108,864 bytes unpacked"):
        headstart.load_model(good)
    assert time.monotonic() - begin < 5


def _external_link(weights: Any, folder: Path) -> None:
    weights["layers/other"] = h5py.ExternalLink(str(folder / "good.h5"), "/")


def _soft_link(weights: Any, folder: Path) -> None:
    weights["layers/other"] = h5py.SoftLink("/layers")


def _external_storage(weights: Any, folder: Path) -> None:
    (folder / "secret").write_bytes(bytes(4096))
    weights.create_dataset(
        "layers/dense/vars/7", (64,), "f4", external=[(str(folder / "secret"), 0, 256)]
    )


def _virtual(weights: Any, folder: Path) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "good.h5"), "x", (4,))
    weights.create_virtual_dataset("layers/dense/vars/7", layout)


def _objects(weights: Any, folder: Path) -> None:
    weights["layers/dense/vars/7"] = [pickle.dumps(1).decode("latin1").replace("\0", " ")]


def _zeros(weights: Any, folder: Path) -> None:
    weights.create_dataset("layers/dense/vars/7", (2**28,), "f4", chunks=(2**20,))


def _cycle(weights: Any, folder: Path) -> None:
    weights["layers/again"] = weights["/"]


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (_external_link, "holds a link at 'other' to .*good.h5', which is not followed"),
        (_soft_link, "holds a link at 'other' to '/layers'"),
        (_external_storage, "'layers/dense/vars/7' lies in another file"),
        (_virtual, "'layers/dense/vars/7' lies in another file"),
        (_objects, "'layers/dense/vars/7' holds no plain numbers"),
        (_zeros, "'layers/dense/vars/7' is a bomb: 1,073,741,824 bytes out of 0"),
        (_cycle, "nested without end"),
    ],
)
@pytest.mark.parametrize("ending", ["h5", "weights.h5"])
def test_hdf5_that_reaches_outside_itself_or_swells_is_refused(
    poison, reason: str, ending: str, tmp_path: Path, good: Path
) -> None:
    file = tmp_path / f"poisoned.{ending}"
    if ending == "h5":
        file.write_bytes(good.with_suffix(".h5").read_bytes())
    else:
        keras.models.load_model(good).save_weights(file)
    with h5py.File(file, "r+") as weights:
        poison(weights, tmp_path)
    with pytest.raises(ModelFileError, match=reason):
        headstart.inspect_model(file)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pickle.dumps({"model": 1}), "is a pickle, which runs code"),
        (b"", "neither a .keras archive nor HDF5"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "is damaged"),
        (b"PK\x03\x04" + bytes(600), "is damaged"),
        (b"TFL3" * 20, "neither a .keras archive nor HDF5"),
    ],
)
def test_what_is_no_model_file_is_refused_by_its_content(tmp_path, content, reason) -> None:
    (tmp_path / "some.h5").write_bytes(content)
    with pytest.raises(ModelFileError, match=reason):
        headstart.load_model(tmp_path / "some.h5")


def _nested(depth: int) -> Any:
    inner: Any = {"class_name": "Dense", "config": {"name": "d", "units": 1, "input_dim": 1}}
    for _ in range(depth):
        inner = {"class_name": "Sequential", "config": {"name": "s", "layers": [inner]}}
    return inner


def _doubling() -> Any:
    """Twenty models, each of which calls the one inside twice: a million calls."""
    first = {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 1]}}
    inner: Any = {"class_name": "Sequential", "config": {"name": "s", "layers": [first]}}
    for number in range(18):
        name = f"m{number}"
        calls = [[["in", 0, 0, {}]], [["inner", 0, 0, {}]]]
        inner = {"class_name": "Functional", "config": {"name": name, "layers": [
            {"class_name": "InputLayer", "name": "in", "inbound_nodes": [],
             "config": {"name": "in", "batch_shape": [None, 1]}},
            {**inner, "name": "inner", "inbound_nodes": calls},
        ], "input_layers": [["in", 0, 0]], "output_layers": [["inner", 1, 0]]}}  # fmt: skip
    return inner


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (_nested(200), "nested without end"),
        (_doubling(), "calls more than 5000 layers"),
        ({"class_name": "MyModel", "config": {}}, "is a 'MyModel'. A subclassed model"),
        ({"class_name": "Functional", "config": {"layers": 5}}, "layers is no list"),
        ({"class_name": "Sequential", "config": {"layers": []}}, "without a layer"),
        ([1, 2], "is a None"),
    ],
)
def test_networks_without_end_or_form_are_refused(write_h5, tmp_path, config, reason) -> None:
    file = write_h5(tmp_path / "a.h5", config, {}, version="2.4.0")
    begin = time.monotonic()
    with pytest.raises(ModelFileError, match=reason):
        headstart.load_model(file)
    assert time.monotonic() - begin < 10


def test_json_that_is_none_is_refused(good: Path) -> None:
    with h5py.File(good.with_suffix(".h5"), "r+") as opened:
        opened.attrs["model_config"] = "[" * 30_000
    with pytest.raises(ModelFileError, match="its config is no JSON"):
        headstart.load_model(good.with_suffix(".h5"))
