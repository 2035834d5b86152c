"""Files mutated at random: whatever comes, the only error is `ModelFileError`, and soon.

More examples: HEADSTART_FUZZ=2000 python -m pytest tests/modelfile/test_fuzz.py
"""

import copy
import io
import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from keras import layers

from headstart.errors import ArgumentError, ModelFileError
from headstart.modelfile.assemble import assemble
from headstart.modelfile.building import build
from headstart.modelfile.contents import read_with_weights
from headstart.modelfile.cutting import ancestors, find_place
from headstart.modelfile.expectation import expected_pixels
from headstart.modelfile.loading import load_model

MANY = int(os.environ.get("HEADSTART_FUZZ", "0"))
CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
VALUES = some.one_of(
    some.none(), some.booleans(), some.integers(-3, 300), some.floats(),
    some.sampled_from([2**31, -(2**63), 10**30, "", "relu", "same", "Lambda", "Dense", "in", "/",
                       [], {}, [[]], [None, None, None, 3], ["in", 0, 0], {"class_name": "Add"}]),
    some.lists(some.integers(-2, 9), max_size=4),
)  # fmt: skip


def seeds() -> list[Any]:
    image = keras.Input((8, 9, 3), name="in")
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.Rescaling(0.1)(image))
    block = keras.Sequential([layers.BatchNormalization(), layers.DepthwiseConv2D(3)], name="block")
    x = layers.Concatenate()([block(x), x[:, 1:-1, 1:-1] * 2.0])
    x = layers.Dense(3)(layers.Reshape((-1,))(layers.MaxPooling2D(2)(x)))
    functional = keras.Model(image, keras.ops.softmax(x))
    old = {"class_name": "Sequential", "config": [
        {"class_name": "Convolution2D", "config": {
            "name": "c", "nb_filter": 2, "nb_row": 2, "nb_col": 2, "dim_ordering": "tf",
            "batch_input_shape": [None, 8, 8, 1]}},
        {"class_name": "Flatten", "config": {"name": "f"}},
        {"class_name": "Dense", "config": {"name": "d", "output_dim": 2}},
    ]}  # fmt: skip
    return [json.loads(functional.to_json()), json.loads(block.to_json()), old]


SEEDS = seeds()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as a path of keys."""
    keys: Any = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    return [path, *(place for key in keys for place in places(value[key], (*path, key)))]


@some.composite
def mutated(draw: Any) -> Any:
    config = copy.deepcopy(draw(some.sampled_from(SEEDS)))
    for _ in range(draw(some.integers(1, 4))):
        path = draw(some.sampled_from(places(config)[1:]))
        target = config
        for key in path[:-1]:
            target = target[key]
        action = draw(some.sampled_from(["set", "set", "delete", "swap", "double"]))
        if action == "set":
            target[path[-1]] = draw(VALUES)
        elif action == "delete":
            del target[path[-1]]
        elif action == "swap":
            other: Any = draw(some.sampled_from(places(config)))
            found: Any = config
            for key in other:
                found = found[key]
            target[path[-1]] = copy.deepcopy(found)
        elif isinstance(target, list):
            target.append(copy.deepcopy(target[path[-1]]))
        if not isinstance(config, dict) or len(places(config)) < 2:
            break
    return config


@settings(max_examples=MANY or 250, deadline=4000, suppress_health_check=CHECKS)
@given(mutated())
def test_a_mutated_network_is_read_or_refused(config: Any) -> None:
    try:
        found = assemble(config, max_bytes=2**26)
    except ModelFileError:
        return
    expected_pixels(found.graph)
    for cut in ("auto", "-1", "-2", "d"):
        try:
            find_place(found.graph, cut)
        except ArgumentError:
            continue


@settings(max_examples=MANY // 20 or 25, deadline=None, suppress_health_check=CHECKS)
@given(mutated())
def test_what_passes_the_audit_is_what_keras_can_build(config: Any) -> None:
    try:
        found = assemble(config, max_bytes=2**22)
    except ModelFileError:
        return
    if found.risks:
        return
    model = build(found.graph)
    shapes = model.output_shape if isinstance(model.output_shape, list) else [model.output_shape]
    nodes = {node.name: node.output_shape for node in found.graph.layers}
    assert [tuple(shape) for shape in shapes] == [nodes[name] for name in found.graph.outputs]
    # A mutation may leave layers that lead nowhere; those are not built.
    kept = set().union(*(ancestors(found.graph, name) for name in found.graph.outputs))
    parameters = sum(node.parameters for node in found.graph.layers if node.name in kept)
    assert model.count_params() == parameters


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("fuzz")
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3), layers.Dense(2)])
    model.save(folder / "a.h5")
    model.save(folder / "a.keras")
    packed = io.BytesIO()
    with zipfile.ZipFile(folder / "a.keras") as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return [(folder / "a.h5").read_bytes(), (folder / "a.keras").read_bytes(), packed.getvalue()]


@settings(max_examples=MANY // 10 or 30, deadline=30_000, suppress_health_check=CHECKS)
@given(data=some.data())
def test_a_file_with_changed_bytes_is_read_or_refused(
    data: Any, files: list[bytes], tmp_path: Path
) -> None:
    content = bytearray(data.draw(some.sampled_from(files)))
    for _ in range(data.draw(some.integers(1, 12))):
        at = data.draw(some.integers(0, len(content) - 1))
        content[at] = data.draw(some.integers(0, 255))
    end = data.draw(some.sampled_from([None, None, data.draw(some.integers(1, len(content)))]))
    file = tmp_path / "fuzz.h5"
    file.write_bytes(content[:end])
    begin = time.monotonic()
    try:
        with read_with_weights(file, max_bytes=2**24) as contents:
            for array in contents.arrays:
                contents.array(array)
    except ModelFileError:
        pass
    assert time.monotonic() - begin < 25


def test_the_unmutated_seeds_are_fine(files: list[bytes], tmp_path: Path) -> None:
    for config in SEEDS:
        assert not assemble(config, max_bytes=2**26).risks
    for number, content in enumerate(files):
        file = tmp_path / f"{number}.h5"
        file.write_bytes(content)
        assert load_model(file).count_params() == 29
    assert h5py.is_hdf5(tmp_path / "0.h5")
