"""Grad-CAM: which parts of the last map of activations speak for a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.explanation.gradients import gradient

if TYPE_CHECKING:
    import keras

MIN_SIDE = 3
"""A map of fewer cells a side says nothing of where."""


@dataclass(frozen=True, eq=False)
class SplitClassifier:
    """A classifier cut at its last map.

    Attributes:
        lower: photos in, the map (N, h, w, c) out.
        upper: the map in, probabilities out.
        logits: the same up to what goes into the last softmax or sigmoid.
    """

    lower: keras.Model
    upper: keras.Model
    logits: keras.Model


def split_at_last_map(classifier: keras.Model) -> SplitClassifier | None:
    """Cuts a flat classifier at the last tensor of shape (N, h, w, c) that all later ones need.

    Args:
        classifier: any functional model of photos, such as `model.keras`; it stays as it is.

    Returns:
        None where there is no such map, or one of less than `MIN_SIDE` cells a side. Occlusion
        explains those.
    """
    import keras

    found = _last_map(classifier)
    if found is None:
        return None
    lower = keras.Model(classifier.inputs[0], found, name="below_map")
    upper = keras.Model(found, classifier.output, name="above_map")
    return SplitClassifier(lower, upper, _without_activation(upper))


def grad_cam(
    classifier: SplitClassifier, photos: NDArray[Any], classes: NDArray[np.integer[Any]]
) -> NDArray[np.float32]:
    """Returns a heat map for each photo: how much each place speaks for a class.

    Source: Selvaraju et al., Grad-CAM, ICCV 2017: activations weighted by their mean gradient,
    negative sums cut off. The gradient is that of the logit, which a sure softmax does not flatten.

    Args:
        classifier: from `split_at_last_map`.
        photos: (N, S, S, 3) RGB, 0..255.
        classes: int (N,), which class to explain.

    Returns:
        float32 (N, h, w) in [0, 1]; the largest of each map is 1, unless all are 0.
    """
    import keras

    photos = np.asarray(photos, np.float32)
    activations = np.asarray(
        keras.ops.convert_to_numpy(classifier.lower(photos, training=False)), np.float32
    )
    signs, columns = _columns(int(classifier.upper.output.shape[-1]), classes)
    wanted = np.zeros((len(photos), int(classifier.upper.output.shape[-1])), np.float32)
    wanted[np.arange(len(photos)), columns] = signs

    def score(maps: Any) -> Any:
        return keras.ops.sum(classifier.logits(maps, training=False) * wanted, axis=-1)

    slopes = gradient(score, activations)
    weights = slopes.mean(axis=(1, 2), keepdims=True)
    maps = np.maximum((activations * weights).sum(axis=-1), 0)
    largest = maps.max(axis=(1, 2), keepdims=True)
    return np.asarray(np.divide(maps, largest, where=largest > 0, out=np.zeros_like(maps)))


def _columns(
    outputs: int, classes: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """One sigmoid stands for two classes: the first is it turned round."""
    numbers = np.asarray(classes, np.int64)
    if outputs > 1:
        return np.ones(len(numbers), np.float32), numbers
    return np.where(numbers == 1, 1, -1).astype(np.float32), np.zeros(len(numbers), np.int64)


def _last_map(classifier: keras.Model) -> Any:
    """Goes up from the output for as long as one tensor alone leads there."""
    tensor = classifier.output
    while len(tensor.shape) != 4:
        history = tensor._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        if len(node.input_tensors) != 1:
            return None
        tensor = node.input_tensors[0]
    if any(tensor is image for image in classifier.inputs):
        return None
    height, width = tensor.shape[1:3]
    has_room = height is not None and width is not None and min(height, width) >= MIN_SIDE
    return tensor if has_room else None


def _without_activation(upper: keras.Model) -> keras.Model:
    """A copy that shares all weights, but whose last softmax or sigmoid is left out."""
    import keras

    def plain(layer: Any) -> Any:
        if layer.name != last.name:
            return layer
        settings = layer.get_config() | {"activation": "linear"}
        return type(layer).from_config(settings)

    last = upper.layers[-1]
    activation = getattr(getattr(last, "activation", None), "__name__", "")
    if isinstance(last, keras.layers.Softmax) or not isinstance(last, keras.layers.Dense):
        # What goes into a softmax layer are the logits; of anything else nothing is known.
        is_known = isinstance(last, keras.layers.Softmax | keras.layers.Activation)
        return keras.Model(upper.inputs[0], last.input) if is_known else upper
    if activation not in ("softmax", "sigmoid"):
        return upper
    copied = keras.models.clone_model(upper, clone_function=plain)
    copied.layers[-1].set_weights(last.get_weights())
    return copied
