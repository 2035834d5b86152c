"""The figures behind the catalogue, as plain values.

Sources, read in November 2026 save for the second:
`Family.source` names the first two in the catalogue:

- size, top-1, top-5 and depth: the table on https://keras.io/api/applications. It has neither
  MobileNetV3 nor the width variants: their accuracies are those of the README of
  keras-team/keras-applications (as of April 2020), at 224 pixels, their size is four bytes a
  parameter, and a width variant is as deep as the full width.
- top-1 and top-5 of `headstart.architectures`, one network on ImageNet's validation photos: AlexNet
  table 2 of its paper ("1 CNN", ten crops), InceptionV1 the table of crops in its paper (one crop),
  InceptionV4 the README of tensorflow/models' slim, ResNeXt50 the README of
  facebookresearch/ResNeXt. None where no such source was read. Depth counts the layers with weights
  on the longest way through the network, as AlexNet's 8 and GoogLeNet's 22 do; LeNet-5's 7 are its
  paper's, whose subsampling layers have weights too. There are no published Keras weights of these.
- parameters and feature widths: counted on the networks that Keras 3.15.1 builds (tests repeat it).
- licences: the documentation of Keras 2.3 states them up to NASNet and MobileNetV2. Later ones are
  those of the repository that published the weights: tensorflow/models (MobileNetV3),
  tensorflow/tpu (EfficientNet), google/automl (EfficientNetV2), facebookresearch/ConvNeXt.
  For ResNetV2 Keras names facebook/fb.resnet.torch, which lists no such weights of 50, 101 or 152
  layers; those of the same accuracies in taehoonlee/tensornets are from TF-Slim (Apache-2.0).
"""

from typing import NamedTuple

_STORE = "https://storage.googleapis.com/tensorflow/keras-applications"
_ARXIV = "https://arxiv.org/abs"


class Family(NamedTuple):
    """What the networks of one family share."""

    module: str
    preprocessing: str
    minimum_size: int
    licence: str
    paper: str
    weights_folder: str
    source: str = "https://keras.io/api/applications"


class Row(NamedTuple):
    """One network; sizes in pixels, `size_mb` in megabytes, accuracies in [0, 1]."""

    name: str
    family: str
    image_size: int
    feature_width: int
    parameters: int
    trainable_parameters: int
    backbone_parameters: int
    size_mb: float | None
    top_1: float | None
    top_5: float | None
    depth: int | None


def _family(
    module: str,
    preprocessing: str,
    licence: str,
    arxiv: str,
    *,
    minimum: int = 32,
    folder: str = "",
) -> Family:
    paper = f"{_ARXIV}/{arxiv}"
    return Family(module, preprocessing, minimum, licence, paper, f"{_STORE}/{folder or module}/")


def _without_weights(module: str, preprocessing: str, paper: str) -> Family:
    """A family of `headstart.architectures`, whose weights nobody published for Keras."""
    module = f"headstart.architectures.{module}"
    return Family(module, preprocessing, 0, "", paper, "", source=paper)


FAMILIES: dict[str, Family] = {
    "Xception": _family("xception", "tf", "MIT", "1610.02357", minimum=71),
    "VGG": _family("vgg16", "caffe", "CC-BY-4.0 (VGG, Oxford)", "1409.1556"),
    "ResNet": _family("resnet", "caffe", "MIT (Kaiming He)", "1512.03385"),
    "ResNetV2": _family(
        "resnet_v2", "tf", "BSD-3-Clause (Facebook)", "1603.05027", folder="resnet"
    ),
    "Inception": _family("inception_v3", "tf", "Apache-2.0", "1512.00567", minimum=75),
    "InceptionResNet": _family("inception_resnet_v2", "tf", "Apache-2.0", "1602.07261", minimum=75),
    "MobileNet": _family("mobilenet", "tf", "Apache-2.0", "1704.04861"),
    "MobileNetV2": _family("mobilenet_v2", "tf", "Apache-2.0", "1801.04381"),
    "MobileNetV3": _family("mobilenet_v3", "none", "Apache-2.0", "1905.02244"),
    "DenseNet": _family("densenet", "torch", "BSD-3-Clause (Zhuang Liu)", "1608.06993"),
    "NASNet": _family("nasnet", "tf", "Apache-2.0", "1707.07012"),
    "EfficientNet": _family("efficientnet", "none", "Apache-2.0", "1905.11946")._replace(
        weights_folder="https://storage.googleapis.com/keras-applications/"
    ),
    "EfficientNetV2": _family("efficientnet_v2", "none", "Apache-2.0", "2104.00298"),
    "ConvNeXt": _family("convnext", "none", "MIT (Meta)", "2201.03545"),
    "LeNet": _without_weights("lenet", "tf", "https://doi.org/10.1109/5.726791"),
    "AlexNet": _without_weights("alexnet", "torch", "https://doi.org/10.1145/3065386"),
    "InceptionV1": _without_weights("inception_v1", "torch", f"{_ARXIV}/1409.4842"),
    "InceptionV4": _without_weights("inception_v4", "tf", f"{_ARXIV}/1602.07261"),
    "InceptionResNetV1": _without_weights("inception_resnet", "tf", f"{_ARXIV}/1602.07261"),
    "ResNeXt": _without_weights("resnext", "torch", f"{_ARXIV}/1611.05431"),
}

_Figures = tuple[str, int, int, int, int, int, float | None, float | None, float | None, int | None]

# fmt: off
_FIGURES: dict[str, tuple[_Figures, ...]] = {
    # name, image size, feature width, parameters, trainable ones, those without top,
    # megabytes, top-1, top-5, depth
    "Xception": (
        ("Xception", 299, 2048, 22_910_480, 22_855_952, 20_861_480, 88, 0.790, 0.945, 81),
    ),
    "VGG": (
        ("VGG16", 224, 512, 138_357_544, 138_357_544, 14_714_688, 528, 0.713, 0.901, 16),
        ("VGG19", 224, 512, 143_667_240, 143_667_240, 20_024_384, 549, 0.713, 0.900, 19),
    ),
    "ResNet": (
        ("ResNet50", 224, 2048, 25_636_712, 25_583_592, 23_587_712, 98, 0.749, 0.921, 107),
        ("ResNet101", 224, 2048, 44_707_176, 44_601_832, 42_658_176, 171, 0.764, 0.928, 209),
        ("ResNet152", 224, 2048, 60_419_944, 60_268_520, 58_370_944, 232, 0.766, 0.931, 311),
    ),
    "ResNetV2": (
        ("ResNet50V2", 224, 2048, 25_613_800, 25_568_360, 23_564_800, 98, 0.760, 0.930, 103),
        ("ResNet101V2", 224, 2048, 44_675_560, 44_577_896, 42_626_560, 171, 0.772, 0.938, 205),
        ("ResNet152V2", 224, 2048, 60_380_648, 60_236_904, 58_331_648, 232, 0.780, 0.942, 307),
    ),
    "Inception": (
        ("InceptionV3", 299, 2048, 23_851_784, 23_817_352, 21_802_784, 92, 0.779, 0.937, 189),
    ),
    "InceptionResNet": (
        ("InceptionResNetV2", 299, 1536,
         55_873_736, 55_813_192, 54_336_736, 215, 0.803, 0.953, 449),
    ),
    "MobileNet": (
        ("MobileNet", 224, 1024, 4_253_864, 4_231_976, 3_228_864, 16, 0.704, 0.895, 55),
        ("MobileNet-0.75", 224, 768, 2_601_976, 2_585_560, 1_832_976, 9.9, 0.684, 0.882, 55),
        ("MobileNet-0.50", 224, 512, 1_342_536, 1_331_592, 829_536, 5.1, 0.643, 0.856, 55),
        ("MobileNet-0.25", 224, 256, 475_544, 470_072, 218_544, 1.8, 0.516, 0.758, 55),
    ),
    "MobileNetV2": (
        ("MobileNetV2", 224, 1280, 3_538_984, 3_504_872, 2_257_984, 14, 0.713, 0.901, 105),
        ("MobileNetV2-1.4", 224, 1792, 6_156_712, 6_108_776, 4_363_712, 23.5, 0.752, 0.924, 105),
        ("MobileNetV2-1.3", 224, 1664, 5_431_048, 5_386_792, 3_766_048, 20.7, 0.747, 0.921, 105),
        ("MobileNetV2-0.75", 224, 1280, 2_663_064, 2_636_424, 1_382_064, 10.2, 0.695, 0.892, 105),
        ("MobileNetV2-0.50", 224, 1280, 1_987_224, 1_968_680, 706_224, 7.6, 0.652, 0.861, 105),
        ("MobileNetV2-0.35", 224, 1280, 1_691_208, 1_677_128, 410_208, 6.5, 0.601, 0.824, 105),
    ),
    "MobileNetV3": (
        ("MobileNetV3Small", 224, 576, 2_554_968, 2_542_856, 939_120, 9.7, 0.681, 0.878, None),
        ("MobileNetV3Large", 224, 960, 5_507_432, 5_483_032, 2_996_352, 21, 0.756, 0.927, None),
    ),
    "DenseNet": (
        ("DenseNet121", 224, 1024, 8_062_504, 7_978_856, 7_037_504, 33, 0.750, 0.923, 242),
        ("DenseNet169", 224, 1664, 14_307_880, 14_149_480, 12_642_880, 57, 0.762, 0.932, 338),
        ("DenseNet201", 224, 1920, 20_242_984, 20_013_928, 18_321_984, 80, 0.773, 0.936, 402),
    ),
    "NASNet": (
        ("NASNetMobile", 224, 1056, 5_326_716, 5_289_978, 4_269_716, 23, 0.744, 0.919, 389),
        ("NASNetLarge", 331, 4032, 88_949_818, 88_753_150, 84_916_818, 343, 0.825, 0.960, 533),
    ),
    "EfficientNet": (
        ("EfficientNetB0", 224, 1280, 5_330_571, 5_288_548, 4_049_571, 29, 0.771, 0.933, 132),
        ("EfficientNetB1", 240, 1280, 7_856_239, 7_794_184, 6_575_239, 31, 0.791, 0.944, 186),
        ("EfficientNetB2", 260, 1408, 9_177_569, 9_109_994, 7_768_569, 36, 0.801, 0.949, 186),
        ("EfficientNetB3", 300, 1536, 12_320_535, 12_233_232, 10_783_535, 48, 0.816, 0.957, 210),
        ("EfficientNetB4", 380, 1792, 19_466_823, 19_341_616, 17_673_823, 75, 0.829, 0.964, 258),
        ("EfficientNetB5", 456, 2048, 30_562_527, 30_389_784, 28_513_527, 118, 0.836, 0.967, 312),
        ("EfficientNetB6", 528, 2304, 43_265_143, 43_040_704, 40_960_143, 166, 0.840, 0.968, 360),
        ("EfficientNetB7", 600, 2560, 66_658_687, 66_347_960, 64_097_687, 256, 0.843, 0.970, 438),
    ),
    "EfficientNetV2": (
        ("EfficientNetV2B0", 224, 1280, 7_200_312, 7_139_704, 5_919_312, 29, 0.787, 0.943, None),
        ("EfficientNetV2B1", 240, 1280, 8_212_124, 8_141_052, 6_931_124, 34, 0.798, 0.950, None),
        ("EfficientNetV2B2", 260, 1408, 10_178_374, 10_096_086, 8_769_374, 42, 0.805, 0.951, None),
        ("EfficientNetV2B3", 300, 1536, 14_467_622, 14_358_406, 12_930_622, 59, 0.820, 0.958, None),
        ("EfficientNetV2S", 384, 1280, 21_612_360, 21_458_488, 20_331_360, 88, 0.839, 0.967, None),
        ("EfficientNetV2M", 480, 1280, 54_431_388, 54_139_356, 53_150_388, 220, 0.853, 0.974, None),
        ("EfficientNetV2L", 480, 1280,
         119_027_848, 118_515_272, 117_746_848, 479, 0.857, 0.975, None),
    ),
    "ConvNeXt": (
        ("ConvNeXtTiny", 224, 768, 28_589_128, 28_589_128, 27_820_128, 109.42, 0.813, None, None),
        ("ConvNeXtSmall", 224, 768, 50_223_688, 50_223_688, 49_454_688, 192.29, 0.823, None, None),
        ("ConvNeXtBase", 224, 1024, 88_591_464, 88_591_464, 87_566_464, 338.58, 0.853, None, None),
        ("ConvNeXtLarge", 224, 1536,
         197_767_336, 197_767_336, 196_230_336, 755.07, 0.863, None, None),
        ("ConvNeXtXLarge", 224, 2048,
         350_196_968, 350_196_968, 348_147_968, 1310, 0.867, None, None),
    ),
    "LeNet": (("LeNet5", 32, 120, 61_706, 61_706, 50_992, None, None, None, 7),),
    "AlexNet": (("AlexNet", 227, 256, 60_965_224, 60_965_224, 2_334_080, None, 0.593, 0.818, 8),),
    "InceptionV1": (
        ("InceptionV1", 224, 1024, 6_998_552, 6_998_552, 5_973_552, None, None, 0.899, 22),
    ),
    "InceptionV4": (
        ("InceptionV4", 299, 1536, 42_742_984, 42_679_816, 41_205_984, None, 0.802, 0.952, 76),
    ),
    "InceptionResNetV1": (
        ("InceptionResNetV1", 299, 1792,
         24_371_384, 24_342_808, 22_578_384, None, None, None, 97),
    ),
    "ResNeXt": (
        ("ResNeXt50", 224, 2048, 25_097_128, 25_028_904, 23_048_128, None, 0.778, None, 50),
    ),
}
# fmt: on

ROWS: tuple[Row, ...] = tuple(
    Row(figures[0], family, *figures[1:]) for family, rows in _FIGURES.items() for figures in rows
)
