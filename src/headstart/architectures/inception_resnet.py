"""Inception-ResNet-v1 and v2: inception modules with shortcuts around them (2016)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers

from headstart.architectures.convolution import Conv, branches, conv_bn, pool_branch, valid
from headstart.architectures.frame import Shape, finish, pooled, take_image
from headstart.architectures.inception_v3 import stem as stem_v2

_Tables = Sequence[Sequence[Conv]]

# Residual scaling of modules A, B and C, section 3.3; the values of the published weights.
_SCALES = (0.17, 0.10, 0.20)

_V1_A = (
    (Conv(32, 1),),
    (Conv(32, 1), Conv(32, 3)),
    (Conv(32, 1), Conv(32, 3), Conv(32, 3)),
)
_V1_B = ((Conv(128, 1),), (Conv(128, 1), Conv(128, (1, 7)), Conv(128, (7, 1))))
_V1_C = ((Conv(192, 1),), (Conv(192, 1), Conv(192, (1, 3)), Conv(192, (3, 1))))
_V1_REDUCTION_A = ((valid(384, 3, 2),), (Conv(192, 1), Conv(192, 3), valid(256, 3, 2)))
_V1_REDUCTION_B = (
    (Conv(256, 1), valid(384, 3, 2)),
    (Conv(256, 1), valid(256, 3, 2)),
    (Conv(256, 1), Conv(256, 3), valid(256, 3, 2)),
)

_V2_A = (
    (Conv(32, 1),),
    (Conv(32, 1), Conv(32, 3)),
    (Conv(32, 1), Conv(48, 3), Conv(64, 3)),
)
_V2_B = ((Conv(192, 1),), (Conv(128, 1), Conv(160, (1, 7)), Conv(192, (7, 1))))
_V2_C = ((Conv(192, 1),), (Conv(192, 1), Conv(224, (1, 3)), Conv(256, (3, 1))))
_V2_REDUCTION_A = ((valid(384, 3, 2),), (Conv(256, 1), Conv(256, 3), valid(384, 3, 2)))
_V2_REDUCTION_B = (
    (Conv(256, 1), valid(384, 3, 2)),
    (Conv(256, 1), valid(288, 3, 2)),
    (Conv(256, 1), Conv(288, 3), valid(320, 3, 2)),
)


def InceptionResNetV1(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "inception_resnet_v1",
) -> keras.Model:
    """Builds Inception-ResNet-v1.

    Paper: Szegedy, Ioffe, Vanhoucke, Alemi, Inception-v4, Inception-ResNet and the Impact of
    Residual Connections on Learning, AAAI 2017, arXiv:1602.07261, figures 10 to 15.

    Input 299x299. Parameters 24,371,384. Without its top it is the network of FaceNet's
    implementation (davidsandberg/facenet), which with a bottleneck of 128 has 22,808,144 in Keras.

    Original: every module, 5 of A, 10 of B, 5 of C. As in that implementation a sixth module C
    follows, without scaling and ReLU, and normalisations learn no scale.

    Args:
        include_top: end with dropout and the classes; else with block8_6, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 75 x 75; default 299 x 299 x 3.
        pooling: without a top: "avg" or "max" for (N, 1792), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> InceptionResNetV1(include_top=False, pooling="avg").output.shape
        (None, 1792)
    """
    image = take_image("InceptionResNetV1", input_tensor, input_shape, include_top=include_top)
    x = _stem_v1(image)  # 35
    x = _blocks(x, _V1_A, 5, scale=_SCALES[0], name="block35")
    x = _reduction(x, _V1_REDUCTION_A, name="reduction_a")  # 17
    x = _blocks(x, _V1_B, 10, scale=_SCALES[1], name="block17")
    x = _reduction(x, _V1_REDUCTION_B, name="reduction_b")  # 8
    x = _blocks(x, _V1_C, 5, scale=_SCALES[2], name="block8")
    x = _residual(x, _V1_C, scale=None, name="block8_6")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(0.2, name="avg_pool_dropout")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def InceptionResNetV2(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "inception_resnet_v2",
) -> keras.Model:
    """Builds Inception-ResNet-v2.

    Paper: as for `InceptionResNetV1`, figures 15 to 19.

    Input 299x299. Parameters 55,873,736, as `keras.applications` counts.

    Original: every module but the stem. As in the network that was published with weights
    (TensorFlow's, and `keras.applications`) the stem is that of Inception-v3 with one module more,
    and there are twice as many modules: 10, 20 and 10. Keras' ImageNet weights fit.

    Args:
        include_top: end with the classes; else with conv_7b, or its pooling.
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
        >>> InceptionResNetV2(include_top=False, pooling="avg").output.shape
        (None, 1536)
    """
    image = take_image("InceptionResNetV2", input_tensor, input_shape, include_top=include_top)
    x = _mixed_5b(stem_v2(image))  # 35
    x = _blocks(x, _V2_A, 10, scale=_SCALES[0], name="block35")
    x = _reduction(x, _V2_REDUCTION_A, name="mixed_6a")  # 17
    x = _blocks(x, _V2_B, 20, scale=_SCALES[1], name="block17")
    x = _reduction(x, _V2_REDUCTION_B, name="mixed_7a")  # 8
    x = _blocks(x, _V2_C, 9, scale=_SCALES[2], name="block8")
    x = _residual(x, _V2_C, scale=None, name="block8_10")
    x = conv_bn(x, Conv(1536, 1), name="conv_7b")
    if include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)


def _stem_v1(image: keras.KerasTensor) -> keras.KerasTensor:
    """Figure 14."""
    x = conv_bn(image, valid(32, 3, 2), name="stem_1")  # 149
    x = conv_bn(x, valid(32, 3), name="stem_2")  # 147
    x = conv_bn(x, Conv(64, 3), name="stem_3")
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)  # 73
    x = conv_bn(x, valid(80, 1), name="stem_4")
    x = conv_bn(x, valid(192, 3), name="stem_5")  # 71
    return conv_bn(x, valid(256, 3, 2), name="stem_6")  # 35


def _mixed_5b(x: keras.KerasTensor) -> keras.KerasTensor:
    ends = branches(
        x,
        (
            (Conv(96, 1),),
            (Conv(48, 1), Conv(64, 5)),
            (Conv(64, 1), Conv(96, 3), Conv(96, 3)),
        ),
        name="mixed_5b",
    )
    ends.append(pool_branch(x, 64, name="mixed_5b_branch4"))
    return layers.Concatenate(name="mixed_5b_concat")(ends)


def _reduction(x: keras.KerasTensor, tables: _Tables, *, name: str) -> keras.KerasTensor:
    ends = branches(x, tables, name=name)
    pool = layers.MaxPooling2D(3, strides=2, name=f"{name}_branch{len(ends) + 1}_pool")(x)
    return layers.Concatenate(name=f"{name}_concat")([*ends, pool])


def _blocks(
    x: keras.KerasTensor, tables: _Tables, count: int, *, scale: float, name: str
) -> keras.KerasTensor:
    for number in range(1, count + 1):
        x = _residual(x, tables, scale=scale, name=f"{name}_{number}")
    return x


def _residual(
    x: keras.KerasTensor, tables: _Tables, *, scale: float | None, name: str
) -> keras.KerasTensor:
    """An inception module, brought to the width of its input, scaled down and added to it.

    Args:
        x: map (N, h, w, c).
        tables: convolutions of each branch.
        scale: of what is added; None for the last module, which has no ReLU either.
        name: of the module.
    """
    mixed = layers.Concatenate(name=f"{name}_concat")(branches(x, tables, name=name))
    up = layers.Conv2D(x.shape[-1], 1, name=f"{name}_up_conv")(mixed)
    if scale is None:
        return layers.Add(name=f"{name}_add")([x, up])
    up = layers.Rescaling(scale, name=f"{name}_up_scale")(up)
    x = layers.Add(name=f"{name}_add")([x, up])
    return layers.ReLU(name=f"{name}_out")(x)
