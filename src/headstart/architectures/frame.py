"""What the builders have in common: the input that they take, the pooling, the weights."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
from keras import layers

from headstart.architectures import find
from headstart.errors import ArgumentError, WeightsError, near_matches

Shape = tuple[int | None, int | None, int]
"""Height, width and channels of a photo; a side may be open where no top needs to know it."""

_POOLING = ("avg", "max")


def take_image(
    network: str,
    input_tensor: keras.KerasTensor | None,
    input_shape: Shape | None,
    *,
    include_top: bool,
) -> keras.KerasTensor:
    """Returns the tensor that a network starts from, after checking its size.

    Args:
        network: name of the architecture, for its usual shape and its smallest size.
        input_tensor: to build on, or None.
        input_shape: to make an input of, where there is no tensor; None for the paper's (with open
            sides where there is no top).
        include_top: whether a top follows, which needs to know both sides.

    Raises:
        ArgumentError: when the shape is none, or too small.
    """
    facts = find(network)
    usual = facts.input_shape
    if input_tensor is not None:
        shape = tuple(input_tensor.shape[1:])
    else:
        shape = tuple(input_shape or (usual if include_top else (None, None, usual[-1])))
    whole = all(side is None or isinstance(side, int) for side in shape)
    if len(shape) != 3 or not whole or shape[-1] is None:
        raise ArgumentError(
            f"input_shape={shape!r}: {network} takes (height, width, channels), such as {usual}."
        )
    if include_top and None in shape:
        raise ArgumentError(
            f"input_shape={shape!r}: with include_top=True both sides must be known, such as "
            f"{usual}."
        )
    if any(side is not None and side < facts.minimum_size for side in shape[:2]):
        raise ArgumentError(
            f"input_shape={shape!r} is too small for {network}: its minimum is "
            f"{facts.minimum_size} x {facts.minimum_size} pixels, its paper has {usual[0]} x "
            f"{usual[1]}."
        )
    return keras.Input(shape, name="image") if input_tensor is None else input_tensor


def pooled(x: keras.KerasTensor, pooling: str | None) -> keras.KerasTensor:
    """Pools a map (N, h, w, c) into (N, c); None leaves it a map.

    Raises:
        ArgumentError: for another word than "avg" or "max".
    """
    if pooling is None:
        return x
    if pooling not in _POOLING:
        raise ArgumentError(
            f"pooling={pooling!r} is unknown.{near_matches(pooling, _POOLING)} "
            "Expected 'avg', 'max' or None."
        )
    if pooling == "avg":
        return layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return layers.GlobalMaxPooling2D(name="max_pool")(x)


def finish(
    image: keras.KerasTensor, outputs: Any, *, name: str, weights: str | Path | None
) -> keras.Model:
    """Makes the model, and loads its weights from a file.

    Args:
        image: what the network starts from; the model starts where that starts.
        outputs: its last tensor, or several.
        name: of the model.
        weights: a `.h5` or `.weights.h5` file that Keras wrote, or None.

    Raises:
        ArgumentError: when there is no such file.
        WeightsError: when the file is not of this network.
    """
    sources = keras.utils.get_source_inputs(image)
    model = keras.Model(sources[0] if len(sources) == 1 else sources, outputs, name=name)
    if weights is not None:
        _load(model, Path(weights), channels=image.shape[-1])
    return model


def _load(model: keras.Model, path: Path, *, channels: int) -> None:
    if not path.is_file():
        raise ArgumentError(
            f"weights={str(path)!r} is no file. Expected None (random weights) or the path of a "
            ".h5 or .weights.h5 file; pretrained ones by name are those of keras.applications."
        )
    try:
        with warnings.catch_warnings():
            # Keras says "Skipping ..." and leaves random weights where a file lacks some.
            warnings.filterwarnings("error", "Skipping", UserWarning)
            model.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        reason = str(error).strip().splitlines()[0]
        raise WeightsError(
            f"weights={str(path)!r} does not fit {model.name} with {channels} channels: {reason} "
            "A file fits a network of the same kind, top, classes and channels."
        ) from error
