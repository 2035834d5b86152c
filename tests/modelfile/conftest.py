"""Fixtures that write model files as Keras of other times did, and as nobody should."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

Arrays = Mapping[str, Mapping[str, np.ndarray]]


def _write_h5(
    file: Path, config: Any, arrays: Arrays, *, version: str, training: Any = None
) -> Path:
    """Writes what `model.save` of Keras 1 and 2 wrote: a config, and a group a layer."""
    with h5py.File(file, "w") as opened:
        opened.attrs["model_config"] = json.dumps(config)
        opened.attrs["keras_version"] = version
        if training is not None:
            opened.attrs["training_config"] = json.dumps(training)
        root = opened.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name in arrays]
        for layer, weights in arrays.items():
            group = root.create_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in weights]
            for name, value in weights.items():
                group.create_dataset(name, data=value)
    return file


def _change_config(file: Path, change: Any) -> Path:
    """Rewrites the config of a `.keras` file in place by a function of the parsed JSON."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def _change_h5_config(file: Path, change: Any) -> Path:
    """The same for an `.h5` file."""
    with h5py.File(file, "r+") as opened:
        config = json.loads(opened.attrs["model_config"])
        change(config)
        opened.attrs["model_config"] = json.dumps(config)
    return file


@pytest.fixture
def write_h5() -> Callable[..., Path]:
    """Returns a function that writes an `.h5` file as Keras 1 and 2 did."""
    return _write_h5


@pytest.fixture
def change_config() -> Callable[..., Path]:
    """Returns a function that rewrites the config in a `.keras` or `.h5` file."""
    return lambda file, change: (_change_config if file.suffix == ".keras" else _change_h5_config)(
        file, change
    )
