"""A weights file read as data: what is in it is known before anything of a model is touched.

Both layouts that Keras writes are understood: the legacy one of `.h5` files (every ImageNet file of
`keras.applications`), a list of layers in attributes; and that of Keras 3 (`.weights.h5`), a tree
that mirrors the model. Only plain arrays inside the file itself are read: HDF5 can also point to
other files on the machine, which a weights file from elsewhere has no business to do.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import h5py

from headstart.errors import WeightsError

if TYPE_CHECKING:
    import keras


class Slot(NamedTuple):
    """One array that a model needs: the layer that holds it and Keras' variable for it."""

    layer: str
    variable: Any


class Saved(NamedTuple):
    """One array that a file holds: where it stands in the file, and the unread array."""

    place: str
    array: Any


@contextlib.contextmanager
def open_weights(path: Path) -> Iterator[Any]:
    """Opens a weights file for reading.

    Raises:
        WeightsError: when it is empty, not HDF5, cut off, or turns out damaged while it is read.
    """
    if path.stat().st_size == 0:
        raise WeightsError(f"The weights file {path} is empty. Download it again.")
    if not h5py.is_hdf5(path):
        raise WeightsError(
            f"The weights file {path} is not HDF5. Expected a file that Keras' save_weights wrote, "
            "named .weights.h5 or .h5."
        )
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        raise WeightsError(
            f"The weights file {path} is damaged or cut off ({error}). Download or copy it again."
        ) from error


def slots(model: keras.Model) -> list[Slot]:
    """Returns every array that a model needs, in the order in which Keras saves them."""
    return [Slot(layer.name, variable) for layer in model.layers for variable in layer.weights]


def saved_arrays(file: Any, model: keras.Model) -> list[Saved]:
    """Returns the arrays of a file in the order of `slots(model)`.

    A legacy file may hold more (the top that the model lacks) or fewer; the caller compares.

    Args:
        file: from `open_weights`.
        model: of the same architecture; only its names and classes are looked at.

    Raises:
        WeightsError: when the file holds links out of itself, or no weights.
    """
    root = file
    if "layer_names" not in file.attrs and "model_weights" in file:
        root = _child(file, "model_weights", where="")  # a whole model, saved by model.save
    if "layer_names" in root.attrs or "layer_names0" in root.attrs:
        return list(_legacy(root))
    if "layers" in root:
        return list(_keras3(_child(root, "layers", where=""), model, where="layers"))
    raise WeightsError(
        f"The file {file.filename} holds no Keras weights: neither 'layer_names' nor 'layers'."
    )


def _legacy(root: Any) -> Iterator[Saved]:
    for layer in _names(root, "layer_names"):
        group = _child(root, layer, where="")
        for name in _names(group, "weight_names"):
            yield Saved(f"{layer}/{name}", _array(_child(group, name, where=layer), name))


def _names(group: Any, attribute: str) -> list[str]:
    """Reads a list of names; Keras splits those over 64 kB into name0, name1, ..."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    names = [name for part in parts for name in group.attrs[part]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def _keras3(group: Any, model: keras.Model, *, where: str) -> Iterator[Saved]:
    seen: dict[str, int] = {}
    for layer in model.layers:
        name = _snake_case(type(layer).__name__)
        count = seen.get(name, 0)
        seen[name] = count + 1
        name = f"{name}_{count}" if count else name
        if not layer.weights:
            continue
        place = f"{where}/{name}"
        child = _child(group, name, where=where, needed_by=layer.name)
        if hasattr(layer, "layers"):
            inner = _child(child, "layers", where=place, needed_by=layer.name)
            yield from _keras3(inner, layer, where=f"{place}/layers")
            continue
        arrays = _child(child, "vars", where=place, needed_by=layer.name)
        for index in range(len(layer.weights)):
            array = _child(arrays, str(index), where=place, needed_by=layer.name)
            yield Saved(place, _array(array, place))


def _snake_case(name: str) -> str:
    """Class name to group name, as Keras 3 makes it: DepthwiseConv2D is depthwise_conv2d."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _child(group: Any, path: str, *, where: str, needed_by: str = "") -> Any:
    """Walks down by hard links only."""
    for part in filter(None, path.split("/")):
        link = group.get(part, getlink=True)
        if link is None:
            needed = f", needed by layer {needed_by!r}" if needed_by else ""
            raise WeightsError(
                f"The weights file {group.file.filename} lacks {where}/{path}{needed}. "
                "It belongs to another network, or was cut off."
            )
        if not isinstance(link, h5py.HardLink):
            raise WeightsError(
                f"The weights file {group.file.filename} holds a link at {where}/{path}, which is "
                "not followed. Get the file from its original source."
            )
        group = group[part]
    return group


def _array(array: Any, place: str) -> Any:
    if (
        not isinstance(array, h5py.Dataset)
        or array.external
        or array.is_virtual
        or array.dtype.kind not in "fiu"
    ):
        raise WeightsError(
            f"The weights file {array.file.filename} holds no plain array of numbers at {place}. "
            "Get the file from its original source."
        )
    return array
