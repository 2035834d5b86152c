"""ResNet-50: shortcuts around every block, which let a network be deep (2015)."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from headstart.architectures.frame import Shape, finish, pooled, take_image

_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Table 1, 50 layers: width and number of blocks in conv2 to conv5."""

_EPSILON = 1.001e-5  # as the published weights were made with


def ResNet50(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "resnet50",
) -> keras.Model:
    """Builds ResNet-50.

    Paper: He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016,
    arXiv:1512.03385, table 1 and figure 5.

    Input 224x224. Depth 50. Parameters 25,636,712, as `keras.applications` counts, of which
    53,120 are moving statistics.

    Original: everything, the stride in a block's first 1x1 convolution included. Keras' ImageNet
    weights fit; layers have the same names.

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
        >>> ResNet50(include_top=False, pooling="avg").output.shape
        (None, 2048)
    """
    image = take_image("ResNet50", input_tensor, input_shape, include_top=include_top)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)  # 112
    x = layers.BatchNormalization(epsilon=_EPSILON, name="conv1_bn")(x)
    x = layers.ReLU(name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)  # 56
    for stage, (width, repeat) in enumerate(_STAGES, start=2):
        strides = 1 if stage == 2 else 2
        x = _convolution_block(x, width, strides=strides, name=f"conv{stage}_block1")
        for block in range(2, repeat + 1):
            x = _identity_block(x, width, name=f"conv{stage}_block{block}")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def _identity_block(x: keras.KerasTensor, width: int, *, name: str) -> keras.KerasTensor:
    """The shortcut passes the input on as it is."""
    return _add(x, _bottleneck(x, width, strides=1, name=name), name=name)


def _convolution_block(
    x: keras.KerasTensor, width: int, *, strides: int, name: str
) -> keras.KerasTensor:
    """The shortcut projects the input to the new width and size."""
    shortcut = layers.Conv2D(4 * width, 1, strides=strides, name=f"{name}_0_conv")(x)
    shortcut = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_0_bn")(shortcut)
    return _add(shortcut, _bottleneck(x, width, strides=strides, name=name), name=name)


def _bottleneck(x: keras.KerasTensor, width: int, *, strides: int, name: str) -> keras.KerasTensor:
    """1x1 to a small width, 3x3 there, 1x1 to four times the width."""
    x = layers.Conv2D(width, 1, strides=strides, name=f"{name}_1_conv")(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_1_bn")(x)
    x = layers.ReLU(name=f"{name}_1_relu")(x)
    x = layers.Conv2D(width, 3, padding="same", name=f"{name}_2_conv")(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_2_bn")(x)
    x = layers.ReLU(name=f"{name}_2_relu")(x)
    x = layers.Conv2D(4 * width, 1, name=f"{name}_3_conv")(x)
    return layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_3_bn")(x)


def _add(shortcut: keras.KerasTensor, x: keras.KerasTensor, *, name: str) -> keras.KerasTensor:
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.ReLU(name=f"{name}_out")(x)
