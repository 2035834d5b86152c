"""What older Keras called differently, in today's words; every change is told."""

from collections.abc import Mapping
from typing import Any

from headstart.modelfile.operations import from_tensorflow

_KINDS = {
    "AtrousConvolution2D": "Conv2D",
    "AvgPool2D": "AveragePooling2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "MaxPool2D": "MaxPooling2D",
    "SeparableConvolution2D": "SeparableConv2D",
    "SyncBatchNormalization": "BatchNormalization",
}

_SETTINGS = {
    "atrous_rate": "dilation_rate",
    "W_regularizer": "kernel_regularizer",
    "bias": "use_bias",
    "border_mode": "padding",
    "nb_filter": "filters",
    "output_dim": "units",
    "p": "rate",
    "sigma": "stddev",
    "subsample": "strides",
}

_MERGES = {
    "ave": "Average",
    "concat": "Concatenate",
    "max": "Maximum",
    "mul": "Multiply",
    "sum": "Add",
}

_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}


def modern(kind: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any], list[str]]:
    """Returns kind and config in the words of Keras 3, and what was changed.

    Args:
        kind: as the file writes it.
        config: the same.

    Example:
        >>> modern("Dropout", {"p": 0.5})
        ('Dropout', {'rate': 0.5}, ["p is rate"])
    """
    found, notes = dict(config), []
    if kind == "Merge" and isinstance(found.get("mode"), str) and found["mode"] in _MERGES:
        new = _MERGES[found.pop("mode")]
        found["axis"] = found.pop("concat_axis", -1)
        notes.append(f"Merge is {new}")
        kind = new
    if kind in _KINDS:
        notes.append(f"{kind} is {_KINDS[kind]}")
        kind = _KINDS[kind]
    notes += _rename(found)
    _lists_to_settings(kind, found, notes)
    if kind == "LeakyReLU" and "alpha" in found:
        found["negative_slope"] = found.pop("alpha")
        notes.append("alpha is negative_slope")
    if kind == "DepthwiseConv2D" and "groups" in found:
        found.pop("groups")
        notes.append("groups dropped: a depthwise convolution has as many as channels")
    if kind in ("BatchNormalization", "GroupNormalization") and isinstance(found.get("axis"), list):
        notes.append("axis in a list is one number")
    return kind, found, notes


def modern_operation(kind: str, config: Mapping[str, Any]) -> tuple[str, str] | None:
    """Returns Keras' operation for what tf.keras left of a TensorFlow function, and a note.

    Example:
        >>> modern_operation("TFOpLambda", {"function": "math.truediv"})
        ('Divide', 'tf.math.truediv is Divide')
    """
    function = config.get("function")
    if kind == "SlicingOpLambda" and function == "__operators__.getitem":
        return "GetItem", "tf.__operators__.getitem is GetItem"
    if kind != "TFOpLambda" or not isinstance(function, str):
        return None
    found = from_tensorflow(function)
    return None if found is None else (found, f"tf.{function} is {found}")


def _rename(found: dict[str, Any]) -> list[str]:
    notes = []
    for old, new in _SETTINGS.items():
        if old in found and new not in found:
            found[new] = found.pop(old)
            notes.append(f"{old} is {new}")
    if "nb_row" in found and "nb_col" in found:
        found["kernel_size"] = [found.pop("nb_row"), found.pop("nb_col")]
        notes.append("nb_row and nb_col are kernel_size")
    ordering = found.pop("dim_ordering", None)
    if ordering in _ORDERINGS and "data_format" not in found:
        found["data_format"] = _ORDERINGS[ordering]
        notes.append("dim_ordering is data_format")
    return notes


def _lists_to_settings(kind: str, found: dict[str, Any], notes: list[str]) -> None:
    """An initialiser's dtype, a policy's name: read past, but said."""
    for name, value in found.items():
        inner = value.get("config") if isinstance(value, dict) else None
        if name.endswith("initializer") and isinstance(inner, dict) and inner.get("dtype"):
            notes.append("dtype in initialisers dropped")
            break
    if kind == "BatchNormalization" and found.get("mode") == 0:
        found.pop("mode")
