"""A network in two parts: a prefix that is evaluated once, and a suffix that is trained.

Between them travels one row of numbers a photo: the tensors that cross the cut, one after another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.backbones.cut import IMAGE, Cut
from headstart.backbones.replay import replay

if TYPE_CHECKING:
    import keras

BATCH_NORM = ("freeze", "adapt")


def build_prefix(frozen: keras.Model, cut: Cut) -> keras.Model:
    """Returns the part below a cut: photos in, rows (N, cut.value_count) out.

    Args:
        frozen: from `surgery.build_frozen`; its layers are shared, not copied.
        cut: from `find_cut`, with something below it.
    """
    import keras

    flat = [keras.layers.Flatten()(tensor) for tensor in _tensors(frozen, cut)]
    row = flat[0] if len(flat) == 1 else keras.layers.Concatenate()(flat)
    return keras.Model(frozen.inputs[0], row, name="prefix")


def build_averaged(frozen: keras.Model, layer: str) -> keras.Model:
    """Returns a network up to a layer, its activations averaged over space: (N, c).

    Args:
        frozen: from `surgery.build_frozen`; its layers are shared, not copied.
        layer: name of a layer whose output is (N, h, w, c).
    """
    import keras

    output = frozen.get_layer(layer).output
    averaged = keras.layers.GlobalAveragePooling2D(name="averaged")(output)
    return keras.Model(frozen.inputs[0], averaged, name="early")


def build_suffix(
    frozen: keras.Model,
    cut: Cut,
    head: keras.Model,
    *,
    batch_norm: str = "freeze",
    dtype: str = "float32",
) -> keras.Model:
    """Returns the part above a cut with a head on it, copied, ready to train.

    Args:
        frozen: from `surgery.build_frozen`; stays as it is.
        cut: from `find_cut`.
        head: Keras model, features in and probabilities out; stays as it is.
        batch_norm: "freeze" keeps every batch normalisation in inference mode, also among layers
            that are trained; "adapt" trains it with them, on each batch's own statistics.
        dtype: "float32", or "mixed_bfloat16" to compute in bfloat16 with float32 weights.

    Returns:
        Rows (N, cut.value_count) in, or photos where nothing lies below; probabilities out. Layers
        of the backbone keep their names, those of the head get "head_" before taken ones.
    """
    import keras

    source, tensors = _inputs(cut)
    taken = {operation.name for operation in frozen.operations}
    features = tensors[0]
    if cut.crossing != (frozen.operations[-1].name,):
        body = keras.Model(_tensors(frozen, cut), frozen.output)
        features = replay(body, tensors, taken={IMAGE}, dtype=dtype)
    # The head stays in float32: a softmax loses small probabilities in anything less.
    output = replay(head, [features], taken=taken)
    suffix = keras.Model(source, output, name="suffix")
    own = {operation.name for operation in frozen.operations}
    for layer in suffix.layers:
        is_kept = batch_norm == "freeze" and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = layer.name not in own or (layer.name in cut.trainable and not is_kept)
    return suffix


def backbone_weights(suffix: keras.Model, frozen: keras.Model) -> dict[str, np.ndarray[Any, Any]]:
    """Returns the weights of a suffix that belong to the backbone, as `layer/number`."""
    own = {operation.name for operation in frozen.operations}
    return {
        f"{layer.name}/{number}": np.asarray(value)
        for layer in suffix.layers
        if layer.name in own
        for number, value in enumerate(layer.get_weights())
    }


def set_backbone_weights(model: keras.Model, weights: dict[str, np.ndarray[Any, Any]]) -> None:
    """Puts what `backbone_weights` gave into the layers of the same names."""
    for layer in model.layers:
        if f"{layer.name}/0" in weights:
            layer.set_weights(
                [weights[f"{layer.name}/{number}"] for number in range(len(layer.weights))]
            )


def take_head(suffix: keras.Model, head: keras.Model) -> None:
    """Copies what the head has learned in a suffix back into the head that it was copied from."""
    owners = [layer for layer in suffix.layers if layer.weights]
    own = [layer for layer in _flat_layers(head) if layer.weights]
    for source, target in zip(owners[len(owners) - len(own) :], own, strict=True):
        target.set_weights(source.get_weights())


def _inputs(cut: Cut) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
    import keras

    if cut.is_whole:
        image = keras.Input(cut.shapes[0], name=IMAGE)
        return image, [image]
    row = keras.Input((cut.value_count,), name="row")
    ends = np.cumsum([int(np.prod(shape)) for shape in cut.shapes]).tolist()
    tensors = []
    for begin, end, name, shape in zip([0, *ends], ends, cut.crossing, cut.shapes, strict=False):
        part = row if len(ends) == 1 else row[:, begin:end]
        # Named after what it stands for, which is not among the suffix' own names.
        tensors.append(part if len(shape) == 1 else keras.layers.Reshape(shape, name=name)(part))
    return row, tensors


def _tensors(frozen: keras.Model, cut: Cut) -> list[keras.KerasTensor]:
    by_name = {operation.name: operation for operation in frozen.operations}
    return [by_name[name].output for name in cut.crossing]


def _flat_layers(model: keras.Model) -> list[Any]:
    found = []
    for layer in model.layers:
        found += _flat_layers(layer) if hasattr(layer, "layers") else [layer]
    return found
