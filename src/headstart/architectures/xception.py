"""Xception: inception taken to its extreme, a convolution of each channel on its own (2016)."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from headstart.architectures.frame import Shape, finish, pooled, take_image


def Xception(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "xception",
) -> keras.Model:
    """Builds Xception.

    Paper: Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017,
    arXiv:1610.02357, figure 5.

    Input 299x299. Depth 36 convolutions in 14 blocks. Parameters 22,910,480, as
    `keras.applications` counts.

    Original: everything of figure 5; no optional dense layers. Keras' ImageNet weights fit.

    Args:
        include_top: end with the classes; else with block14, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 71 x 71; default 299 x 299 x 3.
        pooling: without a top: "avg" or "max" for (N, 2048), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> Xception(include_top=False, pooling="avg").output.shape
        (None, 2048)
    """
    image = take_image("Xception", input_tensor, input_shape, include_top=include_top)
    # entry flow
    x = image
    for number, (filters, strides) in enumerate(((32, 2), (64, 1)), start=1):
        step = f"block1_conv{number}"
        x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=step)(x)
        x = layers.BatchNormalization(name=f"{step}_bn")(x)
        x = layers.ReLU(name=f"{step}_act")(x)
    x = _narrowing(x, (128, 128), name="block2", starts_with_relu=False)
    x = _narrowing(x, (256, 256), name="block3")
    x = _narrowing(x, (728, 728), name="block4")
    # middle flow
    for block in range(5, 13):
        x = _middle(x, name=f"block{block}")
    # exit flow
    x = _narrowing(x, (728, 1024), name="block13")
    for number, filters in enumerate((1536, 2048), start=1):
        x = _separable(x, filters, name=f"block14_sepconv{number}")
        x = layers.ReLU(name=f"block14_sepconv{number}_act")(x)
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def _narrowing(
    x: keras.KerasTensor, filters: tuple[int, int], *, name: str, starts_with_relu: bool = True
) -> keras.KerasTensor:
    """Two separable convolutions and a pooling of stride 2; the shortcut projects."""
    shortcut = layers.Conv2D(
        filters[1], 1, strides=2, padding="same", use_bias=False, name=f"{name}_shortcut_conv"
    )(x)
    shortcut = layers.BatchNormalization(name=f"{name}_shortcut_bn")(shortcut)
    for number, width in enumerate(filters, start=1):
        if number > 1 or starts_with_relu:
            x = layers.ReLU(name=f"{name}_sepconv{number}_act")(x)
        x = _separable(x, width, name=f"{name}_sepconv{number}")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _middle(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Three separable convolutions; the shortcut passes the input on as it is."""
    shortcut = x
    for number in range(1, 4):
        x = layers.ReLU(name=f"{name}_sepconv{number}_act")(x)
        x = _separable(x, 728, name=f"{name}_sepconv{number}")
    return layers.Add(name=f"{name}_add")([x, shortcut])


def _separable(x: keras.KerasTensor, filters: int, *, name: str) -> keras.KerasTensor:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)
