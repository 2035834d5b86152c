"""From a network as data to a Keras model, by a closed table of builders."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.modelfile.cutting import ancestors
from headstart.modelfile.graph import LayerNode, ModelGraph
from headstart.modelfile.naming import flat_names

if TYPE_CHECKING:
    import keras

LEFT_OUT = frozenset({
    "ActivityRegularization", "Identity", "RandomBrightness", "RandomContrast", "RandomFlip",
    "RandomRotation", "RandomTranslation", "RandomZoom",
})  # fmt: skip
"""They pass photos on as they are, save in training, where augmentation is not the model's."""

_NOT_PASSED_ON = ("renorm", "virtual_batch_size", "rms_scaling", "output_padding")


def build(
    graph: ModelGraph,
    arrays: Mapping[str, Sequence[NDArray[Any]]] | None = None,
    *,
    upto: str | None = None,
    tensors: Sequence[keras.KerasTensor] | None = None,
    own: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
) -> keras.Model:
    """Builds a flat model; nested ones are opened, so that each layer can be reached by name.

    Args:
        graph: audited; nothing in it is looked up by name but in the closed table.
        arrays: of each node, in the order of its weights; None leaves them random.
        upto: build the part that ends with this node; None for all.
        tensors: to call the network on, instead of new inputs.
        own: the user's own layer classes by kind, where they are trusted.
        names: of the layers, from `flat_names`; made here when left out.

    Returns:
        A functional model in float32.
    """
    import keras

    outputs = graph.outputs if upto is None else (upto,)
    wanted = set().union(*(ancestors(graph, name) for name in outputs))
    names = names or flat_names(graph)
    given = iter(tensors or ())
    made: dict[str, Any] = {}
    layers: dict[str, Any] = {}
    inputs = []
    for node in graph.layers:
        if node.name not in wanted:
            continue
        if node.kind == "InputLayer":
            made[node.name] = next(given, None)
            if made[node.name] is None:
                made[node.name] = keras.Input(node.output_shape[1:], name=names[node.name])
            inputs.append(made[node.name])
            continue
        taken = [made[name] for name in node.inputs]
        if node.kind in LEFT_OUT:
            made[node.name] = taken[0]
        elif "arguments" in node.settings:
            made[node.name] = _operate(node, taken, names[node.name])
        else:
            first = node.shared_with or node.name
            if first not in layers:
                layers[first] = _make(node, names[first], own or {})
            made[node.name] = layers[first](taken[0] if len(taken) == 1 else taken)
    _fill(graph, layers, arrays or {})
    found = [made[name] for name in outputs]
    return keras.Model(
        inputs[0] if len(inputs) == 1 else inputs, found[0] if len(found) == 1 else found
    )


def _fill(graph: ModelGraph, layers: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    for node in graph.layers:
        layer = layers.get(node.name)
        if layer is None:
            continue
        if node.name in arrays:
            layer.set_weights([np.asarray(each, np.float32) for each in arrays[node.name]])
            if hasattr(layer, "finalize_state"):
                layer.finalize_state()
        layer.trainable = node.trainable


def _make(node: LayerNode, name: str, own: Mapping[str, Any]) -> Any:
    import keras

    if node.kind in own:
        from_config: Callable[[dict[str, Any]], Any] = own[node.kind].from_config
        return from_config({**node.settings, "name": name})
    settings = {
        key: keras.regularizers.L1L2(**value)
        if key.endswith("_regularizer") and value
        else _as_keras_takes(value)
        for key, value in node.settings.items()
        if key not in _NOT_PASSED_ON
    }
    return builders()[node.kind](name=name, **settings)


def _as_keras_takes(value: Any) -> Any:
    """Lists for nested numbers, which Keras writes into a saved model as they are."""
    if isinstance(value, tuple) and value and isinstance(value[0], tuple | float):
        return [_as_keras_takes(each) for each in value]
    return value


def builders() -> Mapping[str, Callable[..., Any]]:
    """The closed table: from the kind of a node to what makes such a layer."""
    from keras import layers

    table = (
        layers.Activation, layers.Add, layers.AlphaDropout, layers.Average,
        layers.AveragePooling2D, layers.BatchNormalization, layers.CenterCrop, layers.Concatenate,
        layers.Conv2D, layers.Conv2DTranspose, layers.Cropping2D, layers.Dense,
        layers.DepthwiseConv2D, layers.Dropout, layers.ELU, layers.Flatten,
        layers.GaussianDropout, layers.GaussianNoise, layers.GlobalAveragePooling2D,
        layers.GlobalMaxPooling2D, layers.GroupNormalization, layers.LayerNormalization,
        layers.LeakyReLU, layers.MaxPooling2D, layers.Maximum, layers.Minimum, layers.Multiply,
        layers.Normalization, layers.PReLU, layers.Permute, layers.ReLU, layers.Rescaling,
        layers.Reshape, layers.Resizing, layers.SeparableConv2D, layers.Softmax,
        layers.SpatialDropout2D, layers.Subtract, layers.UpSampling2D, layers.ZeroPadding2D,
    )  # fmt: skip
    return {
        **{layer.__name__: layer for layer in table},
        "CustomScaleLayer": _custom_scale,
        "LayerScale": _layer_scale,
    }


def _layer_scale(**settings: Any) -> Any:
    from keras.src.applications.convnext import LayerScale

    return LayerScale(**settings)


def _custom_scale(**settings: Any) -> Any:
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

    return CustomScaleLayer(**settings)


def _operations() -> Mapping[str, Callable[..., Any]]:
    from keras import ops

    return {
        "Abs": ops.abs, "Add": ops.add, "Divide": ops.divide, "Elu": ops.elu, "Exp": ops.exp,
        "Flip": ops.flip, "Gelu": ops.gelu, "GetItem": operator.getitem,
        "HardSigmoid": ops.hard_sigmoid, "HardSilu": ops.hard_silu, "LeakyRelu": ops.leaky_relu,
        "Max": ops.max, "Maximum": ops.maximum, "Mean": ops.mean, "Minimum": ops.minimum,
        "Multiply": ops.multiply, "Negative": ops.negative, "Power": ops.power, "Relu": ops.relu,
        "Relu6": ops.relu6, "Sigmoid": ops.sigmoid, "Silu": ops.silu, "Softmax": ops.softmax,
        "Softplus": ops.softplus, "Sqrt": ops.sqrt, "Square": ops.square,
        "Subtract": ops.subtract, "Sum": ops.sum, "Tanh": ops.tanh, "TrueDivide": ops.true_divide,
    }  # fmt: skip


def _operate(node: LayerNode, taken: Sequence[Any], name: str) -> Any:
    arguments = [_decode(each, taken) for each in node.settings["arguments"]]
    options = {key: value for key, value in node.settings.items() if key in ("axis", "keepdims")}
    if isinstance(options.get("axis"), tuple) and len(options["axis"]) == 1:
        options["axis"] = options["axis"][0]
    if node.kind == "GetItem":
        spec = arguments[1]
        arguments[1] = tuple(spec) if isinstance(spec, list) else spec
    made = _operations()[node.kind](*arguments, **options)
    made._keras_history.operation.name = name
    return made


def _decode(value: Any, taken: Sequence[Any]) -> Any:
    if isinstance(value, dict) and "input" in value:
        return taken[value["input"]]
    if isinstance(value, dict):
        return ... if value["slice"] == "..." else slice(*value["slice"])
    if isinstance(value, list):
        return [_decode(each, taken) for each in value]
    return value
