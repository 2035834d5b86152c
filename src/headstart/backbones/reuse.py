"""Parts of a model that is there already: cut it, copy it, freeze it, on any Keras model.

`Sequential(model_A.layers[:-1])` shares A's weights, so training B changes A; `clone_model` copies
no weights; `layers.pop()` does not cut. Here a cut is a deep copy, unless sharing is asked for.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.backbones.replay import replay
from headstart.errors import ArgumentError, near_matches
from headstart.modelfile.cutting import find_place
from headstart.modelfile.from_keras import graph_of_model

if TYPE_CHECKING:
    import keras


def cut(model: keras.Model, layer: str = "auto", *, share: bool = False) -> keras.Model:
    """Cuts the output layer off a model, or whatever lies above a layer.

    Args:
        model: sequential (built) or functional, nested or not, with one output.
        layer: `auto` cuts off the whole head, all dense layers behind the last map; `-1` the output
            layer alone; anything else names the layer after which to cut.
        share: True takes the layers of `model` themselves: whatever trains the result then changes
            `model` too, and a warning says so. False copies them, with their weights.

    Returns:
        A functional model; a copy is flat, its layers have the names of `model`'s.

    Raises:
        ArgumentError: when there is no such layer, nothing would be left, or the layer lies in a
            nested model and is to be shared.

    Example:
        >>> import headstart, keras
        >>> layers = [keras.layers.Dense(4, activation="relu"), keras.layers.Dense(8)]
        >>> model_a = keras.Sequential([keras.Input((64,)), *layers])
        >>> lower = headstart.cut(model_a, "-1")
        >>> lower.output_shape, lower.count_params()
        ((None, 4), 260)
    """
    import keras

    source = model if share else _flat_copy(model)
    place = find_place(graph_of_model(source), layer)
    operations = {each.name: each for each in source.operations}
    name, _, call = place.node.partition(":")
    if name not in operations:
        raise ArgumentError(
            f"layer={layer!r} lies in a nested model at {place.node!r}, whose layers cannot be "
            "shared one by one. Leave share=True out, or cut the nested model itself."
        )
    # The last node: a Sequential model was perhaps called before, on another input.
    node = operations[name]._inbound_nodes[int(call or 0) - 1]
    # Some models list their only input; one that expects a list warns about every array.
    inputs = source.inputs[0] if len(source.inputs) == 1 else source.inputs
    lower = keras.Model(inputs, node.output_tensors[0], name=f"{model.name}_cut")
    if share:
        warnings.warn(
            f"share=True: training what is built on {lower.name!r} changes {model.name!r} too.",
            UserWarning,
            stacklevel=2,
        )
    return lower


def clone(model: keras.Model) -> keras.Model:
    """Copies a model: architecture and weights, which `keras.models.clone_model` leaves out.

    Args:
        model: sequential or functional.

    Returns:
        A model that shares nothing with it, not compiled.

    Example:
        >>> import headstart, keras
        >>> model_a = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> twin = headstart.clone(model_a)
        >>> bool((twin.get_weights()[0] == model_a.get_weights()[0]).all())
        True
    """
    import keras

    try:
        copy = keras.models.clone_model(model)
    except (NotImplementedError, ValueError) as error:
        raise ArgumentError(f"model={model.name!r} cannot be copied: {error}") from error
    copy.set_weights([np.array(value) for value in model.get_weights()])
    return copy


def freeze(model: keras.Model, upto: str | None = None) -> tuple[str, ...]:
    """Freezes layers: their weights no longer learn.

    A model that was compiled has to be compiled again: what learns is settled there. Until then its
    `fit` refuses to work, instead of training the wrong layers.

    Args:
        model: any Keras model; layers of nested models count too.
        upto: the last layer to freeze, or a block such as `block4`, of which all is frozen. None
            freezes everything.

    Returns:
        Names of the layers with weights that are now frozen.

    Raises:
        ArgumentError: for an unknown layer.

    Example:
        >>> import headstart, keras
        >>> layers = [keras.layers.Dense(4, name="lower"), keras.layers.Dense(2, name="upper")]
        >>> model = keras.Sequential([keras.Input((3,)), *layers])
        >>> headstart.freeze(model, upto="lower")
        ('lower',)
    """
    leaves = list(_leaves(model))
    end = len(leaves) if upto is None else _positions(leaves, upto, "upto")[-1] + 1
    if upto is None:
        model.trainable = False
    for layer in leaves[:end]:
        layer.trainable = False
    _compile_again(model)
    return tuple(layer.name for layer in leaves if layer.weights and not layer.trainable)


def unfreeze(
    model: keras.Model, since: str | None = None, *, batch_norm: str = "freeze"
) -> tuple[str, ...]:
    """Lets layers learn again; the model has to be compiled again, as after `freeze`.

    Args:
        model: any Keras model; layers of nested models count too.
        since: the first layer to unfreeze, or a block such as `block4`; all above it follow. None
            unfreezes everything.
        batch_norm: "freeze" keeps batch normalisation frozen, which statistics of small batches
            would ruin; "adapt" unfreezes it too.

    Returns:
        Names of the layers with weights that learn now.

    Raises:
        ArgumentError: for an unknown layer.

    Example:
        >>> import headstart, keras
        >>> layers = [keras.layers.Dense(4, name="lower"), keras.layers.Dense(2, name="upper")]
        >>> model = keras.Sequential([keras.Input((3,)), *layers])
        >>> _ = headstart.freeze(model)
        >>> headstart.unfreeze(model, since="upper")
        ('upper',)
    """
    import keras

    if batch_norm not in ("freeze", "adapt"):
        raise ArgumentError(f"batch_norm={batch_norm!r} is unknown. Expected freeze or adapt.")
    leaves = list(_leaves(model))
    begin = 0 if since is None else _positions(leaves, since, "since")[0]
    flags = {id(layer): layer.trainable for layer in leaves[:begin]}
    model.trainable = True  # a frozen model around them would keep its layers frozen
    for at, layer in enumerate(leaves):
        is_kept = batch_norm == "freeze" and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = flags[id(layer)] if at < begin else not is_kept
    _compile_again(model)
    return tuple(layer.name for layer in leaves if layer.weights and layer.trainable)


def weights_digest(model: keras.Model) -> str:
    """Returns 64 hexadecimal digits that change when any weight does.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> before = weights_digest(model)
        >>> model.set_weights([value + 1 for value in model.get_weights()])
        >>> weights_digest(model) == before
        False
    """
    content = hashlib.sha256()
    for weight in model.weights:
        value = np.ascontiguousarray(weight)
        content.update(f"{value.dtype} {value.shape}".encode())
        content.update(value.tobytes())
    return content.hexdigest()


def _flat_copy(model: keras.Model) -> keras.Model:
    import keras

    if not getattr(model, "inputs", None) or len(model.outputs) != 1:
        raise ArgumentError(
            f"model={model.name!r} must be functional or sequential and built, with one output."
        )
    taken: set[str] = set()
    inputs = []
    for tensor in model.inputs:
        name = tensor._keras_history.operation.name
        taken.add(name)
        inputs.append(keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name))
    return keras.Model(inputs, replay(model, inputs, taken=taken))


def _leaves(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _leaves(layer)
        else:
            yield layer


def _positions(leaves: list[Any], name: str, argument: str) -> list[int]:
    """Where a layer stands, or all layers of a block: those whose names begin with it and "_"."""
    exact = [at for at, layer in enumerate(leaves) if layer.name == name]
    block = [
        at for at, layer in enumerate(leaves) if re.match(rf"{re.escape(name)}[_/]", layer.name)
    ]
    if not exact and not block:
        names = [layer.name for layer in leaves]
        raise ArgumentError(
            f"{argument}={name!r} is neither a layer nor a block.{near_matches(name, names)} "
            f"The model's layers begin with {', '.join(names[:5])}."
        )
    return exact or block


def _compile_again(model: Any) -> None:
    if getattr(model, "compiled", False):
        model.compiled = False
        model.train_function = None
