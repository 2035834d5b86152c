"""Inception-v3: large convolutions taken apart into small ones (2015)."""

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


def InceptionV3(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "inception_v3",
) -> keras.Model:
    """Builds Inception-v3.

    Paper: Szegedy and others, Rethinking the Inception Architecture for Computer Vision, CVPR 2016,
    arXiv:1512.00567, table 1 and figures 5 to 7 and 10.

    Input 299x299. Depth 48. Parameters 23,851,784, as `keras.applications` counts.

    Original: the network that TensorFlow trained for the paper, which differs from its table 1 in
    the stem. Left out: the auxiliary head, as in `keras.applications`. Keras' ImageNet weights fit.

    Args:
        include_top: end with the classes; else with mixed10, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 75 x 75; default 299 x 299 x 3.
        pooling: without a top: "avg" or "max" for (N, 2048), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> InceptionV3(include_top=False, pooling="avg").output.shape
        (None, 2048)
    """
    image = take_image("InceptionV3", input_tensor, input_shape, include_top=include_top)
    x = stem(image)  # 35
    x = _module_a(x, 32, name="mixed0")
    x = _module_a(x, 64, name="mixed1")
    x = _module_a(x, 64, name="mixed2")
    x = _reduction_a(x, name="mixed3")  # 17
    x = _module_b(x, 128, name="mixed4")
    x = _module_b(x, 160, name="mixed5")
    x = _module_b(x, 160, name="mixed6")
    x = _module_b(x, 192, name="mixed7")
    x = _reduction_b(x, name="mixed8")  # 8
    x = _module_c(x, name="mixed9")
    x = _module_c(x, name="mixed10")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def stem(image: keras.KerasTensor) -> keras.KerasTensor:
    """Adds what Inception-v3 and Inception-ResNet-v2 begin with: 299 pixels to 35."""
    x = conv_bn(image, valid(32, 3, 2), name="stem_1")  # 149
    x = conv_bn(x, valid(32, 3), name="stem_2")  # 147
    x = conv_bn(x, Conv(64, 3), name="stem_3")
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool1")(x)  # 73
    x = conv_bn(x, valid(80, 1), name="stem_4")
    x = conv_bn(x, valid(192, 3), name="stem_5")  # 71
    return layers.MaxPooling2D(3, strides=2, name="stem_pool2")(x)  # 35


def _module_a(x: keras.KerasTensor, projection: int, *, name: str) -> keras.KerasTensor:
    """Figure 5: a 5x5 convolution as two of 3x3."""
    ends = branches(
        x,
        (
            (Conv(64, 1),),
            (Conv(48, 1), Conv(64, 5)),
            (Conv(64, 1), Conv(96, 3), Conv(96, 3)),
        ),
        name=name,
    )
    ends.append(pool_branch(x, projection, name=f"{name}_branch4"))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _reduction_a(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Figure 10: a convolution and a pooling of stride 2 side by side."""
    ends = branches(
        x, ((valid(384, 3, 2),), (Conv(64, 1), Conv(96, 3), valid(96, 3, 2))), name=name
    )
    ends.append(layers.MaxPooling2D(3, strides=2, name=f"{name}_branch3_pool")(x))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _module_b(x: keras.KerasTensor, width: int, *, name: str) -> keras.KerasTensor:
    """Figure 6: 7x7 convolutions as 1x7 and 7x1."""
    across, down = (1, 7), (7, 1)
    ends = branches(
        x,
        (
            (Conv(192, 1),),
            (Conv(width, 1), Conv(width, across), Conv(192, down)),
            (
                Conv(width, 1),
                Conv(width, down),
                Conv(width, across),
                Conv(width, down),
                Conv(192, across),
            ),
        ),
        name=name,
    )
    ends.append(pool_branch(x, 192, name=f"{name}_branch4"))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _reduction_b(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    ends = branches(
        x,
        (
            (Conv(192, 1), valid(320, 3, 2)),
            (Conv(192, 1), Conv(192, (1, 7)), Conv(192, (7, 1)), valid(192, 3, 2)),
        ),
        name=name,
    )
    ends.append(layers.MaxPooling2D(3, strides=2, name=f"{name}_branch3_pool")(x))
    return layers.Concatenate(name=f"{name}_concat")(ends)


def _module_c(x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    """Figure 7: 1x3 and 3x1 side by side, for more features on the coarsest grid."""
    sides = (Conv(384, (1, 3)), Conv(384, (3, 1)))
    branch1 = conv_bn(x, Conv(320, 1), name=f"{name}_branch1_1")
    branch2 = conv_bn(x, Conv(384, 1), name=f"{name}_branch2_1")
    branch2 = fork(branch2, sides, name=f"{name}_branch2_2")
    branch3 = chain(x, (Conv(448, 1), Conv(384, 3)), name=f"{name}_branch3")
    branch3 = fork(branch3, sides, name=f"{name}_branch3_3")
    branch4 = pool_branch(x, 192, name=f"{name}_branch4")
    return layers.Concatenate(name=f"{name}_concat")([branch1, branch2, branch3, branch4])
