"""The figures behind the catalogue, as plain values.

Sources, all read in November 2026:

- size, top-1, top-5 and depth: the table on https://keras.io/api/applications. It has neither
  MobileNetV3 nor the width variants: their accuracies are those of the README of
  keras-team/keras-applications (as of April 2020), at 224 pixels, their size is four bytes a
  parameter, and a width variant is as deep as the full width.
- parameters and feature widths: counted on the networks that Keras 3.15.1 builds (tests repeat it).
- file names, addresses and digests: `keras.applications` of Keras 3.15.1.
- licences: the documentation of Keras 2.3 states them up to NASNet and MobileNetV2. Later ones are
  those of the repository that published the weights: tensorflow/models (MobileNetV3),
  tensorflow/tpu (EfficientNet), google/automl (EfficientNetV2), facebookresearch/ConvNeXt.
  For ResNetV2 Keras names facebook/fb.resnet.torch, which lists no such weights of 50, 101 or 152
  layers; those of the same accuracies in taehoonlee/tensornets are from TF-Slim (Apache-2.0).
"""

from typing import NamedTuple

_STORE = "https://storage.googleapis.com/tensorflow/keras-applications"


class Family(NamedTuple):
    """What the networks of one family share."""

    module: str
    preprocessing: str
    minimum_size: int
    licence: str
    paper: str
    weights_folder: str


class Row(NamedTuple):
    """One network; sizes in pixels, `size_mb` in megabytes, accuracies in [0, 1]."""

    name: str
    family: str
    image_size: int
    feature_width: int
    parameters: int
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
    paper = f"https://arxiv.org/abs/{arxiv}"
    return Family(module, preprocessing, minimum, licence, paper, f"{_STORE}/{folder or module}/")


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
}

_Figures = tuple[str, int, int, int, int, float | None, float | None, float | None, int | None]

_FIGURES: dict[str, tuple[_Figures, ...]] = {
    # name, image size, feature width, parameters, without top, megabytes, top-1, top-5, depth
    "Xception": (("Xception", 299, 2048, 22_910_480, 20_861_480, 88, 0.790, 0.945, 81),),
    "VGG": (
        ("VGG16", 224, 512, 138_357_544, 14_714_688, 528, 0.713, 0.901, 16),
        ("VGG19", 224, 512, 143_667_240, 20_024_384, 549, 0.713, 0.900, 19),
    ),
    "ResNet": (
        ("ResNet50", 224, 2048, 25_636_712, 23_587_712, 98, 0.749, 0.921, 107),
        ("ResNet101", 224, 2048, 44_707_176, 42_658_176, 171, 0.764, 0.928, 209),
        ("ResNet152", 224, 2048, 60_419_944, 58_370_944, 232, 0.766, 0.931, 311),
    ),
    "ResNetV2": (
        ("ResNet50V2", 224, 2048, 25_613_800, 23_564_800, 98, 0.760, 0.930, 103),
        ("ResNet101V2", 224, 2048, 44_675_560, 42_626_560, 171, 0.772, 0.938, 205),
        ("ResNet152V2", 224, 2048, 60_380_648, 58_331_648, 232, 0.780, 0.942, 307),
    ),
    "Inception": (("InceptionV3", 299, 2048, 23_851_784, 21_802_784, 92, 0.779, 0.937, 189),),
    "InceptionResNet": (
        ("InceptionResNetV2", 299, 1536, 55_873_736, 54_336_736, 215, 0.803, 0.953, 449),
    ),
    "MobileNet": (
        ("MobileNet", 224, 1024, 4_253_864, 3_228_864, 16, 0.704, 0.895, 55),
        ("MobileNet-0.75", 224, 768, 2_601_976, 1_832_976, 9.9, 0.684, 0.882, 55),
        ("MobileNet-0.50", 224, 512, 1_342_536, 829_536, 5.1, 0.643, 0.856, 55),
        ("MobileNet-0.25", 224, 256, 475_544, 218_544, 1.8, 0.516, 0.758, 55),
    ),
    "MobileNetV2": (
        ("MobileNetV2", 224, 1280, 3_538_984, 2_257_984, 14, 0.713, 0.901, 105),
        ("MobileNetV2-1.4", 224, 1792, 6_156_712, 4_363_712, 23.5, 0.752, 0.924, 105),
        ("MobileNetV2-1.3", 224, 1664, 5_431_048, 3_766_048, 20.7, 0.747, 0.921, 105),
        ("MobileNetV2-0.75", 224, 1280, 2_663_064, 1_382_064, 10.2, 0.695, 0.892, 105),
        ("MobileNetV2-0.50", 224, 1280, 1_987_224, 706_224, 7.6, 0.652, 0.861, 105),
        ("MobileNetV2-0.35", 224, 1280, 1_691_208, 410_208, 6.5, 0.601, 0.824, 105),
    ),
    "MobileNetV3": (
        ("MobileNetV3Small", 224, 576, 2_554_968, 939_120, 9.7, 0.681, 0.878, None),
        ("MobileNetV3Large", 224, 960, 5_507_432, 2_996_352, 21, 0.756, 0.927, None),
    ),
    "DenseNet": (
        ("DenseNet121", 224, 1024, 8_062_504, 7_037_504, 33, 0.750, 0.923, 242),
        ("DenseNet169", 224, 1664, 14_307_880, 12_642_880, 57, 0.762, 0.932, 338),
        ("DenseNet201", 224, 1920, 20_242_984, 18_321_984, 80, 0.773, 0.936, 402),
    ),
    "NASNet": (
        ("NASNetMobile", 224, 1056, 5_326_716, 4_269_716, 23, 0.744, 0.919, 389),
        ("NASNetLarge", 331, 4032, 88_949_818, 84_916_818, 343, 0.825, 0.960, 533),
    ),
    "EfficientNet": (
        ("EfficientNetB0", 224, 1280, 5_330_571, 4_049_571, 29, 0.771, 0.933, 132),
        ("EfficientNetB1", 240, 1280, 7_856_239, 6_575_239, 31, 0.791, 0.944, 186),
        ("EfficientNetB2", 260, 1408, 9_177_569, 7_768_569, 36, 0.801, 0.949, 186),
        ("EfficientNetB3", 300, 1536, 12_320_535, 10_783_535, 48, 0.816, 0.957, 210),
        ("EfficientNetB4", 380, 1792, 19_466_823, 17_673_823, 75, 0.829, 0.964, 258),
        ("EfficientNetB5", 456, 2048, 30_562_527, 28_513_527, 118, 0.836, 0.967, 312),
        ("EfficientNetB6", 528, 2304, 43_265_143, 40_960_143, 166, 0.840, 0.968, 360),
        ("EfficientNetB7", 600, 2560, 66_658_687, 64_097_687, 256, 0.843, 0.970, 438),
    ),
    "EfficientNetV2": (
        ("EfficientNetV2B0", 224, 1280, 7_200_312, 5_919_312, 29, 0.787, 0.943, None),
        ("EfficientNetV2B1", 240, 1280, 8_212_124, 6_931_124, 34, 0.798, 0.950, None),
        ("EfficientNetV2B2", 260, 1408, 10_178_374, 8_769_374, 42, 0.805, 0.951, None),
        ("EfficientNetV2B3", 300, 1536, 14_467_622, 12_930_622, 59, 0.820, 0.958, None),
        ("EfficientNetV2S", 384, 1280, 21_612_360, 20_331_360, 88, 0.839, 0.967, None),
        ("EfficientNetV2M", 480, 1280, 54_431_388, 53_150_388, 220, 0.853, 0.974, None),
        ("EfficientNetV2L", 480, 1280, 119_027_848, 117_746_848, 479, 0.857, 0.975, None),
    ),
    "ConvNeXt": (
        ("ConvNeXtTiny", 224, 768, 28_589_128, 27_820_128, 109.42, 0.813, None, None),
        ("ConvNeXtSmall", 224, 768, 50_223_688, 49_454_688, 192.29, 0.823, None, None),
        ("ConvNeXtBase", 224, 1024, 88_591_464, 87_566_464, 338.58, 0.853, None, None),
        ("ConvNeXtLarge", 224, 1536, 197_767_336, 196_230_336, 755.07, 0.863, None, None),
        ("ConvNeXtXLarge", 224, 2048, 350_196_968, 348_147_968, 1310, 0.867, None, None),
    ),
}

ROWS: tuple[Row, ...] = tuple(
    Row(figures[0], family, *figures[1:]) for family, rows in _FIGURES.items() for figures in rows
)

DIGESTS: dict[str, str] = {
    "Xception": "b0042744bf5b25fce3cb969f33bebb97",
    "VGG16": "6d6bbae143d832006294945121d1f1fc",
    "VGG19": "253f8cb515780f3b799900260a226db6",
    "ResNet50": "4d473c1dd8becc155b73f8504c6f6626",
    "ResNet101": "88cf7a10940856eca736dc7b7e228a21",
    "ResNet152": "ee4c566cf9a93f14d82f913c2dc6dd0c",
    "ResNet50V2": "fac2f116257151a9d068a22e544a4917",
    "ResNet101V2": "c0ed64b8031c3730f411d2eb4eea35b5",
    "ResNet152V2": "ed17cf2e0169df9d443503ef94b23b33",
    "InceptionV3": "bcbd6486424b2319ff4ef7d526e38f63",
    "InceptionResNetV2": "d19885ff4a710c122648d3b5c3b684e4",
    "MobileNetV3Small": "d3e8ec802a04aa4fc771ee12a9a9b836",
    "MobileNetV3Large": "07fb09a5933dd0c8eaafa16978110389",
    "DenseNet121": "30ee3e1110167f948a6b9946edeeb738",
    "DenseNet169": "b8c4d4c20dd625c148057b9ff1c1176b",
    "DenseNet201": "c13680b51ded0fb44dff2d8f86ac8bb1",
    "NASNetMobile": "1ed92395b5b598bdda52abe5c0dbfd63",
    "NASNetLarge": "d81d89dc07e6e56530c4e77faddd61b5",
    "EfficientNetB0": "50bc09e76180e00e4465e1a485ddc09d",
    "EfficientNetB1": "74c4e6b3e1f6a1eea24c589628592432",
    "EfficientNetB2": "111f8e2ac8aa800a7a99e3239f7bfb39",
    "EfficientNetB3": "af6d107764bb5b1abb91932881670226",
    "EfficientNetB4": "ebc24e6d6c33eaebbd558eafbeedf1ba",
    "EfficientNetB5": "38879255a25d3c92d5e44e04ae6cec6f",
    "EfficientNetB6": "9ecce42647a20130c1f39a5d4cb75743",
    "EfficientNetB7": "cbcfe4450ddf6f3ad90b1b398090fe4a",
    "EfficientNetV2B0": "893217f2bb855e2983157299931e43ff",
    "EfficientNetV2B1": "0e80663031ca32d657f9caa404b6ec37",
    "EfficientNetV2B2": "1dfe2e7a5d45b6632553a8961ea609eb",
    "EfficientNetV2B3": "f6abf7b5849ac99a89b50dd3fd532856",
    "EfficientNetV2S": "af0682fb74e8c54910f2d4393339c070",
    "EfficientNetV2M": "1b8dc055df72dde80d614482840fe342",
    "EfficientNetV2L": "b0b66b5c863aef5b46e8608fe1711615",
    "ConvNeXtTiny": "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    "ConvNeXtSmall": "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    "ConvNeXtBase": "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    "ConvNeXtLarge": "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    "ConvNeXtXLarge": "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
}
"""MD5 or SHA-256 (by length) of the files without the top. Keras states none for MobileNet, V2."""


def weights_files(name: str, *, family: str, alpha: float | None) -> tuple[str, str, str]:
    """Returns three file names: without the top, with it, and the first one's at its address.

    Args:
        name: of the network without its width.
        family: a key of `FAMILIES`.
        alpha: width multiplier, or None.

    Example:
        >>> weights_files("NASNetMobile", family="NASNet", alpha=None)
        ('nasnet_mobile_no_top.h5', 'nasnet_mobile.h5', 'NASNet-mobile-no-top.h5')
    """
    lower = name.lower()
    match family:
        case "MobileNet":
            width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}[alpha or 1.0]
            stem, no_top = f"mobilenet_{width}_224_tf", "_no_top"
        case "MobileNetV2":
            stem = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha or 1.0}_224"
            no_top = "_no_top"
        case "MobileNetV3":
            size = lower.removeprefix("mobilenetv3")
            stem, no_top = f"weights_mobilenet_v3_{size}_224_1.0_float", "_no_top_v2"
        case "NASNet":
            size = lower.removeprefix("nasnet")
            return f"nasnet_{size}_no_top.h5", f"nasnet_{size}.h5", f"NASNet-{size}-no-top.h5"
        case "EfficientNet":
            stem, no_top = lower, "_notop"
        case "EfficientNetV2":
            stem, no_top = lower.replace("v2", "v2-"), "_notop"
        case "ConvNeXt":
            stem, no_top = lower.replace("convnext", "convnext_"), "_notop"
        case _:
            stem = {"inceptionv3": "inception_v3", "inceptionresnetv2": "inception_resnet_v2"}.get(
                lower, lower
            )
            stem, no_top = f"{stem}_weights_tf_dim_ordering_tf_kernels", "_notop"
    return f"{stem}{no_top}.h5", f"{stem}.h5", f"{stem}{no_top}.h5"
