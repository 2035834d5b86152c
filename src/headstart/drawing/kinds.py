"""What each kind of layer is called in a drawing, and which colour it has."""

import re
from collections.abc import Mapping
from typing import Any

from headstart.modelfile.graph import LayerNode

FAMILIES = {
    "input": "input and output",
    "convolution": "convolution",
    "pooling": "pooling",
    "dense": "dense",
    "concatenate": "concatenate",
    "add": "add, multiply",
    "activation": "activation",
    "normalisation": "normalisation",
    "dropout": "dropout",
    "attention": "attention",
    "other": "other, such as padding",
}
"""Colours of the legend, in its order, and their names."""

_FAMILY_RULES = (
    ("input", r"^InputLayer$"),
    ("other", r"^(Normalization|Rescaling)$"),  # of pixels, before the network
    ("attention", r"Attention"),
    ("normalisation", r"Normalization|LocalResponse|^LRN$"),
    ("pooling", r"Pool"),
    ("convolution", r"Conv\d?D|^Conv"),
    ("dense", r"^(Einsum)?Dense$"),
    ("concatenate", r"^(Concatenate|Concat|Stack)$"),
    ("add", r"^(Add|Subtract|Multiply|Average|Maximum|Minimum|Dot|CustomScaleLayer)$"),
    ("dropout", r"Drop|StochasticDepth|Gaussian|Noise"),
    (
        "activation",
        r"^(Activation|Softmax|.*(ReLU|Relu|ELU|Elu|Silu|Gelu|Sigmoid|Tanh|Swish).*|Relu6)$",
    ),
)
_WORDS = {
    "relu": "ReLU", "relu6": "ReLU6", "gelu": "GELU", "silu": "SiLU", "swish": "Swish",
    "hard_silu": "hard SiLU", "hard_swish": "hard Swish", "hard_sigmoid": "hard sigmoid",
    "elu": "ELU", "selu": "SELU", "leaky_relu": "leaky ReLU", "softmax": "softmax",
    "sigmoid": "sigmoid", "tanh": "tanh", "prelu": "PReLU", "re_lu": "ReLU", "p_re_lu": "PReLU",
}  # fmt: skip
_NORMALISATIONS = {
    "BatchNormalization": "BN",
    "LayerNormalization": "LN",
    "GroupNormalization": "GN",
    "SpectralNormalization": "SN",
    "UnitNormalization": "unit norm",
}
_NAMES = {
    "Normalization": "Pixel normalisation",
    "InputLayer": "Input",
    "BatchNormalization": "Batch normalisation",
    "LayerNormalization": "Layer normalisation",
    "GroupNormalization": "Group normalisation",
    "GlobalAveragePooling2D": "Global average pool",
    "GlobalMaxPooling2D": "Global max pool",
    "ZeroPadding2D": "Zero padding",
    "Cropping2D": "Cropping",
    "UpSampling2D": "Upsampling",
    "MultiHeadAttention": "Multi-head attention",
}
_CONVOLUTIONS = {
    "Conv1D": "Conv",
    "Conv2D": "Conv",
    "Conv3D": "Conv",
    "DepthwiseConv2D": "Depthwise conv",
    "SeparableConv2D": "Separable conv",
    "Conv2DTranspose": "Transposed conv",
}
_WITH_A_NUMBER = {
    "Add": "Add a number",
    "Subtract": "Subtract a number",
    "Multiply": "Multiply by a number",
}
_POOLS = {"MaxPooling2D": "Max pool", "AveragePooling2D": "Average pool"}


def family(layer: LayerNode) -> str:
    """Returns the key in `FAMILIES` that a layer belongs to.

    Example:
        >>> family(LayerNode(name="a", kind="SeparableConv2D"))
        'convolution'
    """
    for name, rule in _FAMILY_RULES:
        if re.search(rule, layer.kind):
            return name
    return "other"


def title(layer: LayerNode) -> str:
    """Returns what stands on the box of a layer.

    Example:
        >>> settings = {"kernel_size": [3, 3], "strides": [2, 2]}
        >>> title(LayerNode(name="a", kind="Conv2D", settings=settings))
        'Conv 3×3, stride 2'
    """
    settings, group = layer.settings, family(layer)
    if group == "activation":
        named = settings.get("activation") if layer.kind == "Activation" else _snake(layer.kind)
        return activation_name("relu6" if settings.get("max_value") == 6 else named)
    if layer.kind in _CONVOLUTIONS:
        name = _convolution(layer)
        return f"{name} {_sides(settings, 'kernel_size')}{_steps(settings)}".strip()
    if layer.kind in _POOLS:
        return f"{_POOLS[layer.kind]} {_sides(settings, 'pool_size')}{_steps(settings)}".strip()
    if group == "dropout" and "rate" in settings:
        return f"Dropout {settings['rate']:.3g}"
    if layer.kind in _WITH_A_NUMBER and len(layer.inputs) == 1:
        return _WITH_A_NUMBER[layer.kind]
    return _scaling(layer) or _NAMES.get(layer.kind) or spaced(layer.kind)


def _convolution(layer: LayerNode) -> str:
    if is_depthwise(layer):
        return "Depthwise conv"
    return "Grouped conv" if groups(layer) > 1 else _CONVOLUTIONS[layer.kind]


def _scaling(layer: LayerNode) -> str:
    scale = layer.settings.get("scale")
    if not isinstance(scale, int | float):
        return ""
    if layer.kind == "CustomScaleLayer":  # of Keras' Inception-ResNet: x + scale * y
        return f"Scale by {scale:.3g}, add"
    # 0..255 is brought near 1; the paths of Inception-ResNet are scaled by 0.1 or more.
    is_of_pixels = scale < 0.05 or bool(layer.settings.get("offset"))
    return f"Scale by {scale:.3g}" if layer.kind == "Rescaling" and not is_of_pixels else ""


def chip(layer: LayerNode) -> str:
    """Returns the short name of a normalisation, activation or padding on another layer's box.

    Example:
        >>> chip(LayerNode(name="a", kind="BatchNormalization"))
        'BN'
    """
    if layer.kind in _NORMALISATIONS:
        return _NORMALISATIONS[layer.kind]
    if "Padding" in layer.kind:
        return "pad"
    return title(layer)


def own_activation(layer: LayerNode) -> str | None:
    """Returns the name of the activation that a layer has built in, or None.

    Example:
        >>> own_activation(LayerNode(name="a", kind="Dense", settings={"activation": "relu"}))
        'ReLU'
    """
    value = layer.settings.get("activation")
    if family(layer) == "activation" or value is None:
        return None
    name = activation_name(value)
    return None if name == "linear" else name


def groups(layer: LayerNode) -> int:
    """Returns into how many groups the channels of a convolution fall."""
    found = layer.settings.get("groups", 1)
    return found if isinstance(found, int) else 1


def is_depthwise(layer: LayerNode) -> bool:
    """Tells whether each channel is convolved alone.

    Example:
        >>> is_depthwise(LayerNode(name="a", kind="DepthwiseConv2D"))
        True
    """
    if layer.kind == "DepthwiseConv2D":
        return True
    count = groups(layer)
    return count > 1 and count == layer.settings.get("filters")


def activation_name(value: Any) -> str:
    """Returns how an activation is written on a box.

    Example:
        >>> activation_name("hard_silu"), activation_name({"class_name": "LeakyReLU"})
        ('hard SiLU', 'leaky ReLU')
    """
    if isinstance(value, Mapping):
        config = value.get("config")
        value = config if isinstance(config, str) else value.get("class_name")
    word = _snake(str(value)).replace("re_lu", "relu")
    return _WORDS.get(word, word.replace("_", " "))


def spaced(name: str) -> str:
    """Returns a class name as words.

    Example:
        >>> spaced("CustomScaleLayer")
        'Custom scale layer'
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).split()
    text = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
    return text[:1].upper() + text[1:] if text else name


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def sides(value: Any) -> tuple[int, ...]:
    """Returns a setting such as a kernel's size as whole numbers, one an axis."""
    if isinstance(value, int):
        return (value, value)
    if isinstance(value, list | tuple):
        return tuple(side for side in value if isinstance(side, int))
    return ()


def _sides(settings: Mapping[str, Any], name: str) -> str:
    return "×".join(map(str, sides(settings.get(name))))


def _steps(settings: Mapping[str, Any]) -> str:
    """Stride and dilation, where they are not 1."""
    text = ""
    for name, word in (("strides", "stride"), ("dilation_rate", "dilation")):
        found = sides(settings.get(name))
        if any(step != 1 for step in found):
            same = len(set(found)) == 1
            text += f", {word} {found[0] if same else '×'.join(map(str, found))}"
    return text
