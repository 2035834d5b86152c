"""Where each network can be cut: the layers behind which exactly one tensor goes on.

Layer names go bottom to top: the stem, then the output of each smallest repeated unit (a residual
block, a dense layer, an inception module), and last the layer that is pooled into features. The
names follow Keras' builders; what Keras leaves to a counter has the name it gets in a fresh
session, which `surgery.build_frozen` guarantees. Tests walk the built graphs.
"""

from collections.abc import Iterable

_GOOGLENET = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
_MOBILENET_V2_RESIDUAL = (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)
_MOBILENET_V3 = {  # blocks, those with a shortcut, number of the last activation
    "MobileNetV3Small": (11, (2, 4, 5, 7, 9, 10), 17),
    "MobileNetV3Large": (15, (0, 2, 4, 5, 7, 8, 9, 11, 13, 14), 19),
}
_DENSENET = {
    "DenseNet121": (6, 12, 24, 16),
    "DenseNet169": (6, 12, 32, 32),
    "DenseNet201": (6, 12, 48, 32),
}
_RESNET = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}
_NASNET_LAST_ACTIVATION = {"NASNetMobile": 187, "NASNetLarge": 259}
_CONVNEXT = {
    "ConvNeXtTiny": (3, 3, 9, 3),
    "ConvNeXtSmall": (3, 3, 27, 3),
    "ConvNeXtBase": (3, 3, 27, 3),
    "ConvNeXtLarge": (3, 3, 27, 3),
    "ConvNeXtXLarge": (3, 3, 27, 3),
}
_EFFICIENTNET = {  # blocks in each stage, after the depth multiplier of the paper's table
    "EfficientNetB0": (1, 2, 2, 3, 3, 4, 1),
    "EfficientNetB1": (2, 3, 3, 4, 4, 5, 2),
    "EfficientNetB2": (2, 3, 3, 4, 4, 5, 2),
    "EfficientNetB3": (2, 3, 3, 5, 5, 6, 2),
    "EfficientNetB4": (2, 4, 4, 6, 6, 8, 2),
    "EfficientNetB5": (3, 5, 5, 7, 7, 9, 3),
    "EfficientNetB6": (3, 6, 6, 8, 8, 11, 3),
    "EfficientNetB7": (4, 7, 7, 10, 10, 13, 4),
    "EfficientNetV2B0": (1, 2, 2, 3, 5, 8),
    "EfficientNetV2B1": (2, 3, 3, 4, 6, 9),
    "EfficientNetV2B2": (2, 3, 3, 4, 6, 10),
    "EfficientNetV2B3": (2, 3, 3, 5, 7, 12),
    "EfficientNetV2S": (2, 4, 4, 6, 9, 15),
    "EfficientNetV2M": (3, 5, 5, 7, 14, 18, 5),
    "EfficientNetV2L": (4, 7, 7, 10, 19, 25, 7),
}


def cut_points(name: str, *, family: str) -> tuple[str, ...]:
    """Returns the layer names at which a network of the catalogue can be cut, bottom to top.

    Args:
        name: of the network without a width, such as "MobileNetV2".
        family: its family in the catalogue.

    Example:
        >>> cut_points("VGG16", family="VGG")
        ('block1_pool', 'block2_pool', 'block3_pool', 'block4_pool', 'block5_pool')
    """
    fixed = {
        "LeNet": lambda: ("s2_pool", "s4_pool", "c5_conv"),
        "AlexNet": lambda: ("pool1", "pool2", "conv3", "conv4", "pool5"),
        "InceptionV1": lambda: (
            *_numbered("stem_pool{}", (1, 2)),
            *(f"inception_{module}_concat" for module in _GOOGLENET),
        ),
        "InceptionV4": _inception_v4,
        "InceptionResNetV1": _inception_resnet_v1,
        "ResNeXt": lambda: _resnet("ResNet50"),
        "VGG": lambda: _numbered("block{}_pool", range(1, 6)),
        "Inception": lambda: ("max_pooling2d_1", *_numbered("mixed{}", range(11))),
        "InceptionResNet": _inception_resnet,
        "Xception": lambda: ("block1_conv2_act", *_counted("add", 12), "block14_sepconv2_act"),
        "MobileNet": lambda: ("conv1_relu", *_numbered("conv_pw_{}_relu", range(1, 14))),
        "MobileNetV2": _mobilenet_v2,
    }
    if family in fixed:
        return fixed[family]()
    by_name = {
        "ResNet": _resnet,
        "ResNetV2": _resnet,
        "MobileNetV3": _mobilenet_v3,
        "DenseNet": _densenet,
        "NASNet": _nasnet,
        "ConvNeXt": _convnext,
        "EfficientNet": _efficientnet,
        "EfficientNetV2": _efficientnet,
    }
    return by_name[family](name)


def _numbered(pattern: str, numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(pattern.format(number) for number in numbers)


def _counted(name: str, count: int) -> tuple[str, ...]:
    """Names as Keras' counter gives them: name, name_1, name_2, ..."""
    return (name, *_numbered(name + "_{}", range(1, count)))


def _resnet(name: str) -> tuple[str, ...]:
    repeats = _RESNET[name.removeprefix("ResNet").removesuffix("V2")]
    blocks = [
        f"conv{stage}_block{block}_out"
        for stage, repeat in enumerate(repeats, start=2)
        for block in range(1, repeat + 1)
    ]
    last = ("post_relu",) if name.endswith("V2") else ()
    return ("pool1_pool", *blocks, *last)


def _inception_resnet() -> tuple[str, ...]:
    return (
        "max_pooling2d_1",
        "mixed_5b",
        *_numbered("block35_{}_ac", range(1, 11)),
        "mixed_6a",
        *_numbered("block17_{}_ac", range(1, 21)),
        "mixed_7a",
        *_numbered("block8_{}_ac", range(1, 10)),
        "custom_scale_layer_39",  # block8_10, which has no activation
        "conv_7b_ac",
    )


def _inception_v4() -> tuple[str, ...]:
    return (
        *_numbered("stem_mixed{}_concat", range(1, 4)),
        *_numbered("inception_a{}_concat", range(1, 5)),
        "reduction_a_concat",
        *_numbered("inception_b{}_concat", range(1, 8)),
        "reduction_b_concat",
        *_numbered("inception_c{}_concat", range(1, 4)),
    )


def _inception_resnet_v1() -> tuple[str, ...]:
    return (
        "stem_pool",
        "stem_6_relu",
        *_numbered("block35_{}_out", range(1, 6)),
        "reduction_a_concat",
        *_numbered("block17_{}_out", range(1, 11)),
        "reduction_b_concat",
        *_numbered("block8_{}_out", range(1, 6)),
        "block8_6_add",  # which has no activation
    )


def _mobilenet_v2() -> tuple[str, ...]:
    blocks = [
        f"block_{block}_" + ("add" if block in _MOBILENET_V2_RESIDUAL else "project_BN")
        for block in range(1, 17)
    ]
    return ("Conv1_relu", "expanded_conv_project_BN", *blocks, "out_relu")


def _mobilenet_v3(name: str) -> tuple[str, ...]:
    count, residual, last = _MOBILENET_V3[name]
    blocks = [
        prefix + ("_add" if block in residual else "_project_bn")
        for block, prefix in enumerate(_counted("expanded_conv", count))
    ]
    return ("activation", *blocks, f"activation_{last}")


def _nasnet(name: str) -> tuple[str, ...]:
    # Two tensors run side by side through all its cells: only the ends are left.
    return ("stem_bn1", f"activation_{_NASNET_LAST_ACTIVATION[name]}")


def _densenet(name: str) -> tuple[str, ...]:
    names = ["pool1"]
    for stage, repeat in enumerate(_DENSENET[name], start=2):
        names += _numbered(f"conv{stage}_block{{}}_concat", range(1, repeat + 1))
        names.append(f"pool{stage}_pool" if stage < 5 else "relu")
    return tuple(names)


def _convnext(name: str) -> tuple[str, ...]:
    prefix = f"convnext_{name.removeprefix('ConvNeXt').lower()}"
    blocks = [
        f"{prefix}_stage_{stage}_block_{block}_out"
        for stage, repeat in enumerate(_CONVNEXT[name])
        for block in range(repeat)
    ]
    return (f"{prefix}_stem_layernorm", *blocks)


def _efficientnet(name: str) -> tuple[str, ...]:
    blocks = [
        f"block{stage}{chr(ord('a') + block)}_" + _efficientnet_end(name, stage, block)
        for stage, repeat in enumerate(_EFFICIENTNET[name], start=1)
        for block in range(repeat)
    ]
    return ("stem_activation", *blocks, "top_activation")


def _efficientnet_end(name: str, stage: int, block: int) -> str:
    """The last layer of a block: the sum of a shortcut, where width and size stay the same."""
    if block > 0:
        return "add"
    if stage == 1 and name.startswith("EfficientNetV2"):
        return "project_activation" if "B" in name.removeprefix("EfficientNetV2") else "add"
    return "project_bn"
