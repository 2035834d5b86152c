"""Calling copies of a model's layers on other tensors: how networks are joined, opened and cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True)
class _Manner:
    """In what copies differ from their originals; see `replay`."""

    dtype: str | None
    fix_batch_norm: bool


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
    fix_batch_norm: bool = False,
) -> keras.KerasTensor:
    """Calls copies of a model's layers on tensors, those of nested models one by one.

    Copies, so that every layer stands in one graph only: `layer.output` is then what one expects.

    Args:
        model: functional or sequential, one output.
        tensors: one for each of its inputs.
        taken: layer names that are in use; a copy avoids them and adds its own.
        dtype: Keras dtype policy of the copies such as "mixed_bfloat16"; None for the originals'.
        fix_batch_norm: put a fixed scale and offset for each channel in the place of every batch
            normalisation: what it does in inference mode, with gradients that cost less.

    Returns:
        The output.
    """
    import keras

    manner = _Manner(dtype, fix_batch_norm)
    if isinstance(model, keras.Sequential):
        tensor = tensors[0]
        for layer in model.layers:
            duplicate = _copy(layer, taken=taken, manner=manner)
            tensor = _step(layer, duplicate, [tensor], {}, taken=taken, manner=manner)
        return tensor
    copies: dict[int, Any] = {}
    values: list[keras.KerasTensor] = []

    def copy(layer: Any) -> Any:
        duplicate = _copy(layer, taken=taken, manner=manner)
        copies[id(duplicate)] = layer
        return duplicate

    def call(duplicate: Any, *arguments: Any, **options: Any) -> Any:
        original = copies[id(duplicate)]
        made = _step(original, duplicate, list(arguments), options, taken=taken, manner=manner)
        values.append(made)
        return made

    inputs = list(tensors) if isinstance(model.input, list) else tensors[0]
    # Nodes run from the input to the output, so the last value is the model's output.
    keras.models.clone_model(model, input_tensors=inputs, clone_function=copy, call_function=call)
    return values[-1]


def _copy(layer: Any, *, taken: set[str], manner: _Manner) -> Any:
    """A layer of the same settings under a free name; a nested model is opened, not copied."""
    if hasattr(layer, "layers"):
        return layer
    config = layer.get_config()
    if "name" in config:
        config["name"] = _free_name(layer.name, taken)
    if manner.dtype is not None and "dtype" in config:
        config["dtype"] = manner.dtype
    if manner.fix_batch_norm and type(layer).__name__ == "BatchNormalization":
        duplicate = _fixed(layer, config)
    else:
        duplicate = type(layer).from_config(config)
    taken.add(duplicate.name)
    return duplicate


def _fixed(norm: Any, config: dict[str, Any]) -> Any:
    """A batch normalisation in inference mode, as scale and offset for each channel."""
    import keras

    scale = 1 / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    scale = scale if norm.gamma is None else scale * np.asarray(norm.gamma)
    offset = -np.asarray(norm.moving_mean) * scale
    offset = offset if norm.beta is None else offset + np.asarray(norm.beta)
    return keras.layers.Rescaling(
        scale.tolist(), offset.tolist(), name=config["name"], dtype=config["dtype"]
    )


def _step(
    original: Any,
    duplicate: Any,
    arguments: list[Any],
    options: dict[str, Any],
    *,
    taken: set[str],
    manner: _Manner,
) -> Any:
    import keras

    if duplicate is original:
        return replay(
            original,
            arguments[:1],
            taken=taken,
            dtype=manner.dtype,
            fix_batch_norm=manner.fix_batch_norm,
        )
    block = re.match(r"(convnext_\w+_block_\d+)_identity$", _producer(arguments[-1]))
    if block and type(original).__name__ == "Add":
        # ConvNeXt adds with an operation; a named layer can be found and cut behind.
        name = _free_name(f"{block[1]}_out", taken)
        return keras.layers.Add(name=name)(arguments)
    result = duplicate(*arguments, **(options if type(duplicate) is type(original) else {}))
    if getattr(original, "weights", None) and getattr(duplicate, "weights", None):
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
