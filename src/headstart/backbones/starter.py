"""The starter: a small pretrained backbone that ships inside the package.

It makes the embedded demo possible with no download: a convolutional network of 0.4 million
parameters, trained by `tools/pretrain_starter.py` to tell rendered letters and symbols apart. No
digit was among them, so what it knows about handwritten digits is transfer.

Loading this module loads neither Keras nor the weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headstart.errors import ArgumentError, WeightsError
from headstart.files import sha256

if TYPE_CHECKING:
    import keras

STARTER_IMAGE_SIZE = 16
STARTER_FEATURE_WIDTH = 384  # 64 + 128 + 192, see `_blocks`
STARTER_CUT_POINTS = ("block1_out", "block2_out", "block3_out")
STARTER_WEIGHTS_FILE = Path(__file__).with_name("starter.npz")

# Two rounds of 2x2 reduction follow; below this the last block would see a single cell.
_SMALLEST_SIDE = 8


def starter(  # noqa: PLR0917 - the positions are those of the builders of `keras.applications`
    include_top: bool = False,
    weights: str | None = "starter",
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int, int, int] | None = None,
    pooling: str | None = None,
    name: str = "starter",
) -> keras.Model:
    """Builds the starter network as a plain functional Keras model.

    Same manner as the builders of `keras.applications`, so that a catalogue can treat both alike.

    Args:
        include_top: end with softmax over the pretraining's letter classes (see
            `starter_metadata`) instead of features; `pooling` is then not used.
        weights: `"starter"` for the weights of the package, None for random ones.
        input_tensor: Keras tensor to build on; the model then starts where that tensor starts.
        input_shape: (height, width, 3), at least 8 x 8; default 16 x 16. Not used when
            `input_tensor` is given.
        pooling: `"avg"` or `"max"` for (N, 384) features, None for the (N, h/4, w/4, 384) map.
        name: of the model.

    Returns:
        A model of float32 RGB values in [-1, 1] (x / 127.5 - 1, the "tf" mode of
        `keras.applications`), shape (N, h, w, 3), channels last.

    Raises:
        ArgumentError: when an argument has a value other than these.
        WeightsError: when the weights file is missing or belongs to another network.

    Example:
        >>> import numpy as np
        >>> from headstart.backbones.starter import starter
        >>> backbone = starter(pooling="avg")
        >>> backbone.predict(np.zeros((2, 16, 16, 3), "float32"), verbose=0).shape
        (2, 384)
    """
    import keras

    _check_arguments(weights, pooling, input_shape)
    side = STARTER_IMAGE_SIZE
    image = (
        keras.Input(input_shape or (side, side, 3), name="image")
        if input_tensor is None
        else input_tensor
    )
    letters_map, features_map = _blocks(image)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(letters_map)
        count = len(starter_metadata()["classes"])
        x = keras.layers.Dense(count, activation="softmax", name="letters")(x)
    elif pooling == "avg":
        x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(features_map)
    elif pooling == "max":
        x = keras.layers.GlobalMaxPooling2D(name="max_pool")(features_map)
    else:
        x = features_map
    source = image if input_tensor is None else keras.utils.get_source_inputs(image)
    model = keras.Model(source, x, name=name)
    if weights == "starter":
        _set_weights(model)
    return model


def starter_weights_digest() -> str:
    """Returns the SHA-256 of the weights file as 64 hexadecimal digits; loads no Keras.

    Example:
        >>> len(starter_weights_digest())
        64
    """
    _require_weights_file()
    return sha256(STARTER_WEIGHTS_FILE)


def starter_metadata() -> dict[str, Any]:
    """Returns how the weights were made: seed, fonts, classes, versions, accuracy.

    Example:
        >>> starter_metadata()["seed"]
        0
    """
    _require_weights_file()
    with np.load(STARTER_WEIGHTS_FILE, allow_pickle=False) as arrays:
        metadata: dict[str, Any] = json.loads(str(arrays["metadata"]))
    return metadata


def _check_arguments(
    weights: str | None, pooling: str | None, input_shape: tuple[int, int, int] | None
) -> None:
    if weights not in (None, "starter"):
        raise ArgumentError(f"weights={weights!r}: the starter knows 'starter' and None.")
    if pooling not in (None, "avg", "max"):
        raise ArgumentError(f"pooling={pooling!r}: expected 'avg', 'max' or None.")
    if input_shape is None:
        return
    if len(input_shape) != 3 or input_shape[2] != 3 or min(input_shape[:2]) < _SMALLEST_SIDE:
        raise ArgumentError(
            f"input_shape={input_shape!r}: expected (height, width, 3) with sides of at least "
            f"{_SMALLEST_SIDE}, for example ({STARTER_IMAGE_SIZE}, {STARTER_IMAGE_SIZE}, 3)."
        )


def _blocks(image: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Returns the map that the letters were told from, and the map that serves as features."""
    from keras import layers

    # Back to [0, 1]: the zeros that "same" padding adds then mean "no ink", as around a digit.
    x = layers.Rescaling(0.5, offset=0.5, name="ink")(image)
    x = _conv(x, 32, name="block1_conv1")
    x = _conv(x, 64, name="block1_conv2", strides=2, out="block1_out")
    x = _conv(x, 64, name="block2_conv1")
    x = _conv(x, 64, name="block2_conv2", out="block2_out")
    simple = layers.MaxPooling2D(name="block2_pool")(x)
    middle = _conv(simple, 128, name="block3_conv1")
    late = _conv(middle, 192, name="block3_conv2")
    # The last layer has specialised in letters; joined with the two before it, it tells digits
    # apart better. Pretraining reads `late` alone, which keeps it from leaning on the others.
    return late, layers.Concatenate(name="block3_out")([simple, middle, late])


def _conv(
    x: keras.KerasTensor, filters: int, *, name: str, strides: int = 1, out: str | None = None
) -> keras.KerasTensor:
    """3x3 convolution, batch normalisation, ReLU; the ReLU is called `out` at a cut point."""
    from keras import layers

    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=out or f"{name}_relu")(x)


def _set_weights(model: keras.Model) -> None:
    _require_weights_file()
    with np.load(STARTER_WEIGHTS_FILE, allow_pickle=False) as arrays:
        for layer in model.layers:
            # Layers in front of an `input_tensor` are the caller's; ours are in the file by name.
            if layer.weights and f"{layer.name}/{layer.weights[0].name}" in arrays:
                layer.set_weights([_array(arrays, layer, weight) for weight in layer.weights])


def _array(arrays: Any, layer: Any, weight: Any) -> npt.NDArray[np.float32]:
    key = f"{layer.name}/{weight.name}"
    expected = tuple(weight.shape)
    found = arrays[key].shape if key in arrays else None
    if found != expected:
        raise WeightsError(
            f"The starter's weights file has shape {found} for {key}, the network needs "
            f"{expected}. Install headstart again, or repeat tools/pretrain_starter.py."
        )
    return np.asarray(arrays[key], dtype=np.float32)


def _require_weights_file() -> None:
    if not STARTER_WEIGHTS_FILE.is_file():
        raise WeightsError(
            f"The starter's weights are missing: {STARTER_WEIGHTS_FILE}. They ship with the "
            "package: install headstart again, or run tools/pretrain_starter.py."
        )
