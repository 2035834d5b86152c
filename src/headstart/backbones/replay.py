"""Calling copies of a model's layers on other tensors: how networks are joined, opened and cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


def opened(network: keras.Model) -> keras.Model:
    """Copies a network that nests models (ConvNeXt's stem and downsampling) into a flat one."""
    import keras

    source = network.inputs[0]
    image = keras.Input(source.shape[1:], name="image", dtype=source.dtype)
    return keras.Model(image, replay(network, [image], taken={"image"}))


def replay(
    model: keras.Model,
    tensors: Sequence[keras.KerasTensor],
    *,
    taken: set[str],
    dtype: str | None = None,
) -> keras.KerasTensor:
    """Calls copies of a model's layers on tensors, those of nested models one by one.

    Copies, so that every layer stands in one graph only: `layer.output` is then what one expects.

    Args:
        model: functional or sequential, one output.
        tensors: one for each of its inputs.
        taken: layer names that are in use; a copy avoids them and adds its own.
        dtype: Keras dtype policy of the copies such as "mixed_bfloat16"; None for the originals'.

    Returns:
        The output.
    """
    import keras

    if isinstance(model, keras.Sequential):
        tensor = tensors[0]
        for layer in model.layers:
            duplicate = _copy(layer, taken=taken, dtype=dtype)
            tensor = _step(layer, duplicate, [tensor], {}, taken=taken, dtype=dtype)
        return tensor
    copies: dict[int, Any] = {}
    values: list[keras.KerasTensor] = []

    def copy(layer: Any) -> Any:
        duplicate = _copy(layer, taken=taken, dtype=dtype)
        copies[id(duplicate)] = layer
        return duplicate

    def call(duplicate: Any, *arguments: Any, **options: Any) -> Any:
        original = copies[id(duplicate)]
        made = _step(original, duplicate, list(arguments), options, taken=taken, dtype=dtype)
        values.append(made)
        return made

    inputs = list(tensors) if isinstance(model.input, list) else tensors[0]
    # Nodes run from the input to the output, so the last value is the model's output.
    keras.models.clone_model(model, input_tensors=inputs, clone_function=copy, call_function=call)
    return values[-1]


def _copy(layer: Any, *, taken: set[str], dtype: str | None) -> Any:
    """A layer of the same settings under a free name; a nested model is opened, not copied."""
    if hasattr(layer, "layers"):
        return layer
    config = layer.get_config()
    if "name" in config:
        config["name"] = _free_name(layer.name, taken)
    if dtype is not None and "dtype" in config:
        config["dtype"] = dtype
    duplicate = type(layer).from_config(config)
    taken.add(duplicate.name)
    return duplicate


def _step(
    original: Any,
    duplicate: Any,
    arguments: list[Any],
    options: dict[str, Any],
    *,
    taken: set[str],
    dtype: str | None,
) -> Any:
    import keras

    if duplicate is original:
        return replay(original, arguments[:1], taken=taken, dtype=dtype)
    block = re.match(r"(convnext_\w+_block_\d+)_identity$", _producer(arguments[-1]))
    if block and type(original).__name__ == "Add":
        # ConvNeXt adds with an operation; a named layer can be found and cut behind.
        name = _free_name(f"{block[1]}_out", taken)
        return keras.layers.Add(name=name)(arguments)
    result = duplicate(*arguments, **options)
    if getattr(original, "weights", None):
        duplicate.set_weights([np.asarray(value) for value in original.get_weights()])
    if hasattr(duplicate, "trainable"):
        duplicate.trainable = original.trainable
    return result


def _producer(value: Any) -> str:
    """Name of the layer that a symbolic tensor comes from."""
    history = getattr(value, "_keras_history", None)
    return history.operation.name if history else ""


def _free_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"head_{name}"
    return name
