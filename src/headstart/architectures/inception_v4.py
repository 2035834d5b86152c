"""Inception-v4: the inception modules made uniform (2016)."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from headstart.architectures.convolution import (
    Conv,
    branches,
    chain,
    conv_bn,
    fork,
    pool_branch,
    valid,
)
from headstart.architectures.frame import Shape, finish, pooled, take_image


def InceptionV4(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "inception_v4",
) -> keras.Model:
    """Builds Inception-v4.

    Paper: Szegedy, Ioffe, Vanhoucke, Alemi, Inception-v4, Inception-ResNet and the Impact of
    Residual Connections on Learning, AAAI 2017, arXiv:1602.07261, figures 3 to 9.

    Input 299x299. Depth 76 along its longest path. Parameters 42,742,984, of which 42,679,816 are
    trainable, as timm counts `inception_v4`.

    Original: every module of the figures. As in timm the normalisations learn a scale.

    Args:
        include_top: end with dropout and the classes; else with module C3, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 75 x 75; default 299 x 299 x 3.
        pooling: without a top: "avg" or "max" for (N, 1536), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> InceptionV4(include_top=False, pooling="avg").output.shape
        (None, 1536)
    """
    image = take_image("InceptionV4", input_tensor, input_shape, include_top=include_top)
    x = _stem(image)  # 35
    for number in range(1, 5):
        x = _module_a(x, name=f"inception_a{number}")
    x = _reduction_a(x, name="reduction_a")  # 17
    for number in range(1, 8):
        x = _module_b(x, name=f"inception_b{number}")
    x = _reduction_b(x, name="reduction_b")  # 8
    for number in range(1, 4):
        x = _module_c(x, name=f"inception_c{number}")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(0.2, name="avg_pool_dropout")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def _stem(image: keras.KerasTensor) -> keras.KerasTensor:
    """Figure 3."""
    x = conv_bn(image, valid(32, 3, 2), name="stem_1", scale=True)  # 149
    x = conv_bn(x, valid(32, 3), name="stem_2", scale=True)  # 147
    x = conv_bn(x, Conv(64, 3), name="stem_3", scale=True)
    pool = layers.MaxPooling2D(3, strides=2, name="stem_mixed1_branch1_pool")(x)  # 73
    x = conv_bn(x, valid(96, 3, 2), name="stem_mixed1_branch2_1", scale=True)
    x = layers.Concatenate(name="stem_mixed1_concat")([pool, x])
    ends = branches(
        x,
        (
            (Conv(64, 1), valid(96, 3)),
            (Conv(64, 1), Conv(64, (1, 7)), Conv(64, (7, 1)), valid(96, 3)),
        ),
        name="stem_mixed2",
        scale=True,
    )
    x = layers.Concatenate(name="stem_mixed2_concat")(ends)  # 71
    conv = conv_bn(x, valid(192, 3, 2), name="stem_mixed3_branch1_1", scale=True)  # 35
    pool = layers.MaxPooling2D(3, strides=2, name="stem_mixed3_branch2_pool")(x)
    return layers.Concatenate(name="stem_mixed3_concat")([conv, pool])


def _module_a(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Figure 4."""
    ends = branches(
        x,
        (
            (Conv(96, 1),),
            (Conv(64, 1), Conv(96, 3)),
            (Conv(64, 1), Conv(96, 3), Conv(96, 3)),
        ),
        name=name,
        scale=True,
    )
    ends.append(pool_branch(x, 96, name=f"{name}_branch4", scale=True))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _reduction_a(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Figure 7, with k, l, m, n of table 1."""
    ends = branches(
        x,
        ((valid(384, 3, 2),), (Conv(192, 1), Conv(224, 3), valid(256, 3, 2))),
        name=name,
        scale=True,
    )
    ends.append(layers.MaxPooling2D(3, strides=2, name=f"{name}_branch3_pool")(x))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _module_b(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Figure 5."""
    across, down = (1, 7), (7, 1)
    ends = branches(
        x,
        (
            (Conv(384, 1),),
            (Conv(192, 1), Conv(224, across), Conv(256, down)),
            (
                Conv(192, 1),
                Conv(192, down),
                Conv(224, across),
                Conv(224, down),
                Conv(256, across),
            ),
        ),
        name=name,
        scale=True,
    )
    ends.append(pool_branch(x, 128, name=f"{name}_branch4", scale=True))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _reduction_b(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Figure 8."""
    ends = branches(
        x,
        (
            (Conv(192, 1), valid(192, 3, 2)),
            (Conv(256, 1), Conv(256, (1, 7)), Conv(320, (7, 1)), valid(320, 3, 2)),
        ),
        name=name,
        scale=True,
    )
    ends.append(layers.MaxPooling2D(3, strides=2, name=f"{name}_branch3_pool")(x))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _module_c(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Figure 6."""
    across, down = (1, 3), (3, 1)
    sides = (Conv(256, across), Conv(256, down))
    branch1 = conv_bn(x, Conv(256, 1), name=f"{name}_branch1_1", scale=True)
    branch2 = conv_bn(x, Conv(384, 1), name=f"{name}_branch2_1", scale=True)
    branch2 = fork(branch2, sides, name=f"{name}_branch2_2", scale=True)
    branch3 = (Conv(384, 1), Conv(448, down), Conv(512, across))
    deep = chain(x, branch3, name=f"{name}_branch3", scale=True)
    deep = fork(deep, sides, name=f"{name}_branch3_4", scale=True)
    branch4 = pool_branch(x, 256, name=f"{name}_branch4", scale=True)
    return layers.Concatenate(name=f"{name}_concat")([branch1, branch2, deep, branch4])
