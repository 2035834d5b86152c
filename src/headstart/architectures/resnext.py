"""ResNeXt-50: a residual block of many narrow paths (2016)."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from headstart.architectures.frame import Shape, finish, pooled, take_image

_GROUPS = 32
_STAGES = ((128, 3), (256, 4), (512, 6), (1024, 3))
"""Table 1, ResNeXt-50 (32x4d): width of all paths together, number of blocks in conv2 to conv5."""

_EPSILON = 1e-5


def ResNeXt50(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "resnext50",
) -> keras.Model:
    """Builds ResNeXt-50 (32x4d): 32 paths of width 4 in the first stage.

    Paper: Xie, Girshick, Dollar, Tu, He, Aggregated Residual Transformations for Deep Neural
    Networks, CVPR 2017, arXiv:1611.05431, table 1 and figure 3c.

    Input 224x224. Depth 50. Parameters 25,097,128, of which 25,028,904 are trainable, as timm
    counts `resnext50_32x4d`.

    Original: everything, with the paths as one grouped convolution, which has the stride.

    Args:
        include_top: end with the classes; else with conv5_block3, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 32 x 32; default 224 x 224 x 3.
        pooling: without a top: "avg" or "max" for (N, 2048), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> ResNeXt50(include_top=False, pooling="avg").output.shape
        (None, 2048)
    """
    image = take_image("ResNeXt50", input_tensor, input_shape, include_top=include_top)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)  # 112
    x = layers.BatchNormalization(epsilon=_EPSILON, name="conv1_bn")(x)
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)  # 56
    for stage, (width, repeat) in enumerate(_STAGES, start=2):
        for block in range(1, repeat + 1):
            strides = 2 if block == 1 and stage > 2 else 1
            x = _block(
                x, width, strides=strides, projects=block == 1, name=f"conv{stage}_block{block}"
            )
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def _block(
    x: keras.KerasTensor, width: int, *, strides: int, projects: bool, name: str
) -> keras.KerasTensor:
    shortcut = x
    if projects:
        shortcut = _conv(x, 2 * width, 1, strides=strides, name=f"{name}_0")
    x = layers.ReLU(name=f"{name}_1_relu")(_conv(x, width, 1, name=f"{name}_1"))
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = _conv(x, width, 3, strides=strides, groups=_GROUPS, name=f"{name}_2")
    x = layers.ReLU(name=f"{name}_2_relu")(x)
    x = _conv(x, 2 * width, 1, name=f"{name}_3")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.ReLU(name=f"{name}_out")(x)


def _conv(
    x: keras.KerasTensor, filters: int, size: int, *, name: str, strides: int = 1, groups: int = 1
) -> keras.KerasTensor:
    x = layers.Conv2D(
        filters, size, strides=strides, groups=groups, use_bias=False, name=f"{name}_conv"
    )(x)
    return layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_bn")(x)
