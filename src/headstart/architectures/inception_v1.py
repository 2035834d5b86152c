"""Inception-v1, called GoogLeNet: convolutions of several sizes side by side (2014)."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from headstart.architectures.frame import Shape, finish, pooled, take_image
from headstart.errors import ArgumentError

# Table 1: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj.
_MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
_POOLED_AFTER = ("3b", "4e")
_AUXILIARY_ON = {"4a": "aux1", "4d": "aux2"}
_AUXILIARY_MINIMUM = 65  # 4a and 4d are then 5x5, which their heads pool over


def InceptionV1(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    auxiliary: bool = False,
    name: str = "inception_v1",
) -> keras.Model:
    """Builds Inception-v1 (GoogLeNet).

    Paper: Szegedy and others, Going Deeper with Convolutions, CVPR 2015, arXiv:1409.4842, table 1.

    Input 224x224. Depth 22. Parameters 6,998,552, those of Caffe's BVLC GoogLeNet; 13,378,280 with
    both auxiliary heads.

    Original: everything of table 1, 5x5 convolutions included, with biases and no batch
    normalisation. Modernised: no local response normalisation, which has no parameters.

    Args:
        include_top: end with the classes; else with module 5b, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 32 x 32; default 224 x 224 x 3.
        pooling: without a top: "avg" or "max" for (N, 1024), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layers, with a top; None for logits.
        auxiliary: with a top: two more outputs, of heads on modules 4a and 4d. The paper adds their
            losses with weight 0.3 in training; afterwards they are not used.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> InceptionV1(input_shape=(65, 65, 3), classes=5, auxiliary=True).output_names
        ['predictions', 'aux1_predictions', 'aux2_predictions']
    """
    image = take_image("InceptionV1", input_tensor, input_shape, include_top=include_top)
    if auxiliary:
        _check_auxiliary(image, include_top=include_top)
    x = _stem(image)
    ends: list[keras.KerasTensor] = []
    for module, filters in _MODULES.items():
        x = _inception(x, filters, name=f"inception_{module}")
        if auxiliary and module in _AUXILIARY_ON:
            ends.append(_auxiliary(x, classes, classifier_activation, name=_AUXILIARY_ON[module]))
        if module in _POOLED_AFTER:
            x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"pool{module[0]}")(x)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(0.4, name="avg_pool_dropout")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, [x, *ends] if ends else x, name=name, weights=weights)


def _stem(x: keras.KerasTensor) -> keras.KerasTensor:
    x = _conv(x, 64, 7, strides=2, name="stem_conv1")  # 112
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool1")(x)  # 56
    x = _conv(x, 64, 1, name="stem_conv2_reduce")
    x = _conv(x, 192, 3, name="stem_conv2")
    return layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool2")(x)  # 28


def _inception(x: keras.KerasTensor, filters: tuple[int, ...], *, name: str) -> keras.KerasTensor:
    one, three_reduce, three, five_reduce, five, projection = filters
    branch1 = _conv(x, one, 1, name=f"{name}_branch1_1_conv")
    branch2 = _conv(x, three_reduce, 1, name=f"{name}_branch2_1_conv")
    branch2 = _conv(branch2, three, 3, name=f"{name}_branch2_2_conv")
    branch3 = _conv(x, five_reduce, 1, name=f"{name}_branch3_1_conv")
    branch3 = _conv(branch3, five, 5, name=f"{name}_branch3_2_conv")
    branch4 = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_branch4_pool")(x)
    branch4 = _conv(branch4, projection, 1, name=f"{name}_branch4_1_conv")
    return layers.Concatenate(name=f"{name}_concat")([branch1, branch2, branch3, branch4])


def _auxiliary(
    x: keras.KerasTensor, classes: int, activation: str | None, *, name: str
) -> keras.KerasTensor:
    x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(x)
    x = _conv(x, 128, 1, name=f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = layers.Dense(1024, activation="relu", name=f"{name}_fc")(x)
    x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
    return layers.Dense(classes, activation=activation, name=f"{name}_predictions")(x)


def _check_auxiliary(image: keras.KerasTensor, *, include_top: bool) -> None:
    if not include_top:
        raise ArgumentError("auxiliary=True needs include_top=True: its heads are tops as well.")
    if min(image.shape[1:3]) < _AUXILIARY_MINIMUM:
        raise ArgumentError(
            f"input_shape={tuple(image.shape[1:])!r} is too small for auxiliary=True, which needs "
            f"{_AUXILIARY_MINIMUM} x {_AUXILIARY_MINIMUM} pixels."
        )


def _conv(
    x: keras.KerasTensor, filters: int, size: int, *, name: str, strides: int = 1
) -> keras.KerasTensor:
    return layers.Conv2D(
        filters, size, strides=strides, padding="same", activation="relu", name=name
    )(x)
