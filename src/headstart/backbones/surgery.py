"""Building frozen backbones, and joining them with heads into one flat Keras model.

Everything made here consists of Keras' own layers, so that the saved model loads with plain
`keras.models.load_model` on a machine that has never heard of this package. Nothing is nested: a
heat map or a cut can reach every layer by its name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from headstart.backbones.catalogue import Backbone
from headstart.backbones.random_weights import draw_weights
from headstart.backbones.replay import opened, replay
from headstart.backbones.weights import WeightsSource, load_weights
from headstart.errors import ArgumentError, near_matches

if TYPE_CHECKING:
    import keras

PREPROCESSING = ("tf", "caffe", "torch", "unit", "none")
POOLING = ("avg", "max", "flatten")

# Means and deviations of ImageNet's training photos, as `keras.applications.imagenet_utils` has
# them: Caffe's in blue, green, red of 0..255; Torch's in red, green, blue of 0..1.
_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_DEVIATION = (0.229, 0.224, 0.225)

# Scale and offset of 0..255; lists, because Keras writes them into the saved model as they are.
_SCALING: dict[str, tuple[float | list[float], float | list[float]]] = {
    "tf": (1 / 127.5, -1.0),
    "unit": (1 / 255, 0.0),
    "caffe": (1.0, [-mean for mean in _CAFFE_MEAN_BGR]),
    "torch": (
        [1 / (255 * deviation) for deviation in _TORCH_DEVIATION],
        [-m / d for m, d in zip(_TORCH_MEAN, _TORCH_DEVIATION, strict=True)],
    ),
}


def preprocess(image: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    """Turns photos into what a backbone was trained on, with Keras' own layers and operations.

    Args:
        image: float32 RGB in 0..255, shape (N, S, S, 3).
        mode: "tf" scales to -1..1, "unit" to 0..1; "torch" subtracts mean and divides by deviation
            of each channel;
            "caffe" turns to BGR and subtracts the mean; "none" changes nothing.

    Returns:
        float32, same shape.

    Raises:
        ArgumentError: for another mode.

    Example:
        >>> import keras, numpy as np
        >>> image = keras.Input((1, 1, 3))
        >>> model = keras.Model(image, preprocess(image, "tf"))
        >>> model.predict(np.full((1, 1, 1, 3), 255.0), verbose=0).ravel().tolist()
        [1.0, 1.0, 1.0]
    """
    import keras

    if mode == "none":
        return image
    if mode not in _SCALING:
        raise ArgumentError(f"mode={mode!r}: expected one of {', '.join(PREPROCESSING)}.")
    if mode == "caffe":
        image = keras.ops.flip(image, axis=-1)  # to blue, green, red
    scale, offset = _SCALING[mode]
    return keras.layers.Rescaling(scale, offset, name="preprocessing")(image)


def build_frozen(
    backbone: Backbone,
    *,
    image_size: int,
    pooling: str | None,
    weights: WeightsSource,
    seed: int = 0,
) -> keras.Model:
    """Builds a flat frozen network: photos in, features out, preprocessing inside.

    Args:
        backbone: of the catalogue.
        image_size: side of the square photos in pixels, at least the backbone's minimum.
        pooling: "avg" or "max" for (N, feature_width), "flatten" for (N, h * w * c), None for the
            map (N, h, w, c).
        weights: from `find_weights`.
        seed: of random weights, where `weights.kind` is "none".

    Returns:
        A functional model with no trainable weight. Its input is named "image", float32 RGB in
        0..255; its last layer is named "features", unless `pooling` is None.

    Raises:
        ArgumentError: when the size is too small or `pooling` is unknown.
        WeightsError: when the weights do not fit.

    Example:
        >>> from headstart.backbones.catalogue import find_backbone
        >>> from headstart.backbones.weights import find_weights
        >>> starter = find_backbone("Starter")
        >>> source = find_weights(starter, "none")
        >>> frozen = build_frozen(starter, image_size=16, pooling="avg", weights=source)
        >>> frozen.output.shape == (None, starter.feature_width)
        True
    """
    import keras

    _check(backbone, image_size=image_size, pooling=pooling)
    image = keras.Input((image_size, image_size, 3), name="image", dtype="float32")
    network = backbone.build(
        input_tensor=preprocess(image, backbone.preprocessing),
        # The builder's own pooling: ConvNeXt normalises after it.
        pooling=None if pooling == "flatten" else pooling,
    )
    if weights.kind == "none":
        draw_weights(network, seed)
    else:
        load_weights(network, weights, backbone=backbone)
    if any(hasattr(layer, "layers") for layer in network.layers):
        network = opened(network)
    output = network.output
    if pooling == "flatten":
        output = keras.layers.Flatten(name="features")(output)
    # Some builders list their only input; a model that expects a list warns about every array.
    frozen = keras.Model(network.inputs[0], output, name=_plain_name(backbone.name))
    _name_as_in_a_fresh_session(frozen)
    if pooling is not None:
        frozen.layers[-1].name = "features"
    frozen.trainable = False
    return frozen


def join(frozen: keras.Model, head: keras.Model) -> keras.Model:
    """Joins a frozen network and a head into one flat model from photos to the head's output.

    The head is copied with its weights; layers whose names the network has already get the prefix
    "head_". The layers of the network are shared, not copied: a VGG-16 is half a gigabyte.

    Args:
        frozen: from `build_frozen`.
        head: functional or sequential, one input of the shape of `frozen.output`, one output.

    Returns:
        A functional model without nested models.

    Raises:
        ArgumentError: when the head does not fit behind the network.

    Example:
        >>> import keras
        >>> from headstart.backbones.catalogue import find_backbone
        >>> from headstart.backbones.weights import find_weights
        >>> starter = find_backbone("Starter")
        >>> source = find_weights(starter, "none")
        >>> frozen = build_frozen(starter, image_size=16, pooling="avg", weights=source)
        >>> features = keras.Input(frozen.output.shape[1:])
        >>> head = keras.Model(features, keras.layers.Dense(10, activation="softmax")(features))
        >>> join(frozen, head).output.shape
        (None, 10)
    """
    import keras

    expected, found = tuple(frozen.output.shape[1:]), _input_shape(head)
    if expected != found:
        raise ArgumentError(
            f"head takes features of shape {found}, but the backbone gives {expected}. "
            f"Build the head with keras.Input({expected})."
        )
    taken = {operation.name for operation in frozen.operations}
    output = replay(head, [frozen.output], taken=taken)
    return keras.Model(frozen.inputs[0], output, name="classifier")


def _check(backbone: Backbone, *, image_size: int, pooling: str | None) -> None:
    if image_size < backbone.minimum_size:
        raise ArgumentError(
            f"image_size={image_size} is too small for {backbone.name}: its minimum is "
            f"{backbone.minimum_size} pixels, it was trained on {backbone.image_size}."
        )
    if pooling is not None and pooling not in POOLING:
        raise ArgumentError(
            f"pooling={pooling!r} is unknown.{near_matches(pooling, POOLING)} "
            f"Expected {', '.join(POOLING)}."
        )


def _input_shape(head: keras.Model) -> tuple[int | None, ...]:
    inputs = getattr(head, "inputs", None)
    if not inputs or len(inputs) != 1 or len(head.outputs) != 1:
        raise ArgumentError(
            "head must be a functional or sequential Keras model that is built, with one input and "
            f"one output; received a {type(head).__name__}."
        )
    return tuple(inputs[0].shape[1:])


def _name_as_in_a_fresh_session(model: keras.Model) -> None:
    """Renumbers the names that Keras made from a counter of the process.

    Without this the second network of a process has other layer names than the first, and cut
    points could not be found by name.
    """
    numbered: dict[str, list[tuple[int, Any]]] = {}
    for operation in model.operations:
        prefix = _counted_prefix(operation)
        if prefix is not None:
            number = operation.name.removeprefix(prefix).lstrip("_")
            numbered.setdefault(prefix, []).append((int(number or 0), operation))
    for prefix, found in numbered.items():
        for index, (_, operation) in enumerate(sorted(found, key=lambda pair: pair[0])):
            operation.name = f"{prefix}_{index}" if index else prefix


def _counted_prefix(operation: Any) -> str | None:
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(operation).__name__)
    prefix = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    return prefix if re.fullmatch(rf"{prefix}(_\d+)?", operation.name) else None


def _plain_name(name: str) -> str:
    return re.sub(r"\W", "_", name.lower())
