"""AlexNet, with which deep learning won ImageNet (2012)."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from headstart.architectures.frame import Shape, finish, pooled, take_image
from headstart.errors import ArgumentError

_FILTERS = {
    2: (96, 256, 384, 384, 256),  # the paper, two towers taken together
    1: (64, 192, 384, 256, 256),  # Krizhevsky 2014, arXiv:1404.5997; torchvision
}


def AlexNet(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    towers: int = 2,
    name: str = "alexnet",
) -> keras.Model:
    """Builds AlexNet.

    Paper: Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural
    Networks, NeurIPS 2012.

    Input 227x227 (the paper says 224, with which its own numbers don't come out). Depth 8: five
    convolutions, three dense layers. Parameters 60,965,224 with the paper's two towers, one on each
    of two graphics cards, which meet in conv3 only; 61,100,840 as the single tower of 2014 that
    torchvision builds.

    Original: sizes, strides, overlapping pooling, ReLU, dropout, towers as grouped convolutions.
    Modernised: no local response normalisation, which has no parameters and which later networks
    found useless (VGG, section 2.1).

    Args:
        include_top: end with the three dense layers; else with pool5, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 67 x 67; default 227 x 227 x 3.
        pooling: without a top: "avg" or "max" for (N, 256), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        towers: 2 or 1.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> AlexNet(include_top=False, input_shape=(67, 67, 3)).output.shape
        (None, 1, 1, 256)
    """
    if towers not in _FILTERS:
        raise ArgumentError(f"towers={towers!r}: expected 2 (the paper) or 1.")
    filters = _FILTERS[towers]
    image = take_image("AlexNet", input_tensor, input_shape, include_top=include_top)
    x = layers.Conv2D(filters[0], 11, strides=4, activation="relu", name="conv1")(image)  # 55
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)  # 27
    x = _conv(x, filters[1], 5, groups=towers, name="conv2")
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(x)  # 13
    x = _conv(x, filters[2], 3, name="conv3")
    x = _conv(x, filters[3], 3, groups=towers, name="conv4")
    x = _conv(x, filters[4], 3, groups=towers, name="conv5")
    x = layers.MaxPooling2D(3, strides=2, name="pool5")(x)  # 6
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        for dense in ("fc6", "fc7"):
            x = layers.Dense(4096, activation="relu", name=dense)(x)
            x = layers.Dropout(0.5, name=f"{dense}_dropout")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def _conv(
    x: keras.KerasTensor, filters: int, size: int, *, name: str, groups: int = 1
) -> keras.KerasTensor:
    return layers.Conv2D(
        filters, size, padding="same", groups=groups, activation="relu", name=name
    )(x)
