"""Which pixels a network expects: read from its graph, or recognised by its layers' names."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.modelfile.graph import LayerNode, ModelGraph

MODES = ("0..1", "-1..1", "caffe", "torch", "none")
"""0..255 scaled to 0..1 or -1..1; BGR less the mean; RGB less the mean, by the deviation; as is."""

_SCALING = frozenset({"Divide", "Multiply", "Normalization", "Rescaling", "Subtract", "TrueDivide"})
_PASSING = frozenset({
    "Add", "CenterCrop", "Flip", "GetItem", "Identity", "RandomBrightness", "RandomContrast",
    "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "Resizing", "Sum",
    "ZeroPadding2D",
}) | _SCALING  # fmt: skip

_FAMILIES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("MobileNetV2", ("Conv1", "bn_Conv1", "expanded_conv_depthwise"), "-1..1"),
    ("MobileNet", ("conv_dw_1", "conv_pw_1"), "-1..1"),
    ("Xception", ("block1_conv1_bn", "block2_sepconv1"), "-1..1"),
    ("VGG", ("block1_conv1", "block1_conv2", "block1_pool"), "caffe"),
    ("ResNetV2", ("conv1_conv", "conv2_block1_preact_bn"), "-1..1"),
    ("ResNet", ("conv1_conv", "conv2_block1_1_conv", "conv2_block1_out"), "caffe"),
    ("ResNet50 of Keras 2.0", ("res2a_branch2a", "bn2a_branch2a"), "caffe"),
    ("DenseNet", ("conv2_block1_0_bn", "conv2_block1_1_conv", "pool2_conv"), "torch"),
    ("InceptionV3", ("mixed0", "mixed10"), "-1..1"),
    ("Inception-ResNet", ("mixed_5b", "block35_1_conv"), "-1..1"),
    ("NASNet", ("stem_conv1", "stem_bn1"), "-1..1"),
)
"""Names that `keras.applications` gives, and the preprocessing of the weights it publishes."""

_TEACHABLE_MACHINE = ("sequential_1/model1/Conv1", "sequential_3/dense_Dense1")


@dataclass(frozen=True, slots=True)
class Expectation:
    """What pixels a network probably expects.

    Attributes:
        mode: one of `MODES`; None where nothing tells.
        is_certain: whether the graph itself says so.
        reason: a sentence.
    """

    mode: str | None
    is_certain: bool
    reason: str


def expected_pixels(graph: ModelGraph) -> Expectation:
    """Says which preprocessing a network expects, and why.

    Example:
        >>> layers = (
        ...     LayerNode(name="photo", kind="InputLayer", output_shape=(None, 8, 8, 3)),
        ...     LayerNode(name="scale", kind="Rescaling", inputs=("photo",)),
        ... )
        >>> expected_pixels(ModelGraph(name="m", layers=layers, outputs=("scale",))).mode
        'none'
    """
    inputs = graph.inputs
    if len(inputs) != 1 or len(inputs[0].output_shape) != 4:
        return Expectation(None, False, "It takes no single picture.")
    scaling = next((layer for layer in _first_layers(graph) if layer.kind in _SCALING), None)
    if scaling is not None:
        reason = f"It takes 0..255: its layer {scaling.name!r} ({scaling.kind}) prepares them."
        return Expectation("none", True, reason)
    names = {layer.name.rpartition("/")[2] for layer in graph.layers}
    full = {layer.name for layer in graph.layers}
    if full.issuperset(_TEACHABLE_MACHINE):
        reason = "Teachable Machine exports such layers, and scales pixels to -1..1 before them."
        return Expectation("-1..1", False, reason)
    for family, marks, mode in _FAMILIES:
        if names.issuperset(marks):
            reason = (
                f"Its layers are named as those of {family} in keras.applications, whose weights "
                f"expect {mode}; whoever trained it further may have changed that."
            )
            return Expectation(mode, False, reason)
    reason = (
        "Nothing in it scales pixels, and its layers' names are of no known network. Most such "
        "models were trained on 0..1, some on -1..1 or 0..255; --preprocess probe compares them."
    )
    return Expectation(None, False, reason)


def _first_layers(graph: ModelGraph) -> list[LayerNode]:
    """What the picture passes before the first layer that has learnt."""
    reached = {graph.inputs[0].name}
    found = []
    for layer in graph.layers:
        if layer.inputs and reached.issuperset(layer.inputs) and layer.kind in _PASSING:
            reached.add(layer.name)
            found.append(layer)
    return found
