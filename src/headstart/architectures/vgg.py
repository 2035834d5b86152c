"""VGG-16 and VGG-19: nothing but 3x3 convolutions (2014)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers

from headstart.architectures.frame import Shape, finish, pooled, take_image

_FILTERS = (64, 128, 256, 512, 512)
_D = (2, 2, 3, 3, 3)
_E = (2, 2, 4, 4, 4)


def VGG16(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "vgg16",
) -> keras.Model:
    """Builds VGG-16, configuration D of the paper.

    Paper: Simonyan, Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition,
    ICLR 2015, arXiv:1409.1556, table 1.

    Input 224x224. Depth 16: 13 convolutions, 3 dense layers. Parameters 138,357,544, of which the
    dense layers own 124 million.

    Original: everything but the dropout between the dense layers, which Keras' network lacks too.
    Keras' ImageNet weights fit.

    Args:
        include_top: end with the three dense layers; else with block5_pool, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 32 x 32; default 224 x 224 x 3.
        pooling: without a top: "avg" or "max" for (N, 512), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> VGG16(include_top=False, pooling="avg").output.shape
        (None, 512)
    """
    image = take_image("VGG16", input_tensor, input_shape, include_top=include_top)
    x = _blocks(image, _D)
    x = _top(x, classes, classifier_activation) if include_top else pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def VGG19(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "vgg19",
) -> keras.Model:
    """Builds VGG-19, configuration E of the paper: a fourth convolution in blocks 3 to 5.

    Paper, input and arguments as for `VGG16`. Depth 19. Parameters 143,667,240. Keras' ImageNet
    weights fit.

    Args:
        include_top: end with the three dense layers; else with block5_pool, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 32 x 32; default 224 x 224 x 3.
        pooling: without a top: "avg" or "max" for (N, 512), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> VGG19(include_top=False, pooling="max").output.shape
        (None, 512)
    """
    image = take_image("VGG19", input_tensor, input_shape, include_top=include_top)
    x = _blocks(image, _E)
    x = _top(x, classes, classifier_activation) if include_top else pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def _blocks(x: keras.KerasTensor, repeats: Sequence[int]) -> keras.KerasTensor:
    for block, (filters, repeat) in enumerate(zip(_FILTERS, repeats, strict=True), start=1):
        for number in range(1, repeat + 1):
            x = layers.Conv2D(
                filters, 3, padding="same", activation="relu", name=f"block{block}_conv{number}"
            )(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    return x


def _top(x: keras.KerasTensor, classes: int, activation: str | None) -> keras.KerasTensor:
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)
