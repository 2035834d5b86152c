"""A whole network by its name, as data: its layers are made, its weights never are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from headstart.architectures import architectures
from headstart.architectures import find as find_architecture
from headstart.backbones.catalogue import STARTER, backbones, find_backbone
from headstart.errors import ArgumentError, near_matches
from headstart.modelfile.from_keras import graph_of_model
from headstart.modelfile.graph import ModelGraph

if TYPE_CHECKING:
    import keras


def describe_network(name: str, *, image_size: int | None = None) -> ModelGraph:
    """Describes a network of the catalogue or of the classic architectures, with its 1000 classes.

    Where both have the name, it is Keras' network.

    Args:
        name: such as "VGG16", "MobileNetV2-0.35", "InceptionV4" or "wide_and_deep".
        image_size: side of the square photos in pixels; None for what it was trained on.

    Returns:
        The network as data.

    Raises:
        ArgumentError: for an unknown name, with the nearest ones, or a size that is too small.

    Example:
        >>> describe_network("lenet-5").parameters
        61706
    """
    plain, builder, smallest = _find(name)
    if image_size is not None and image_size < smallest:
        raise ArgumentError(
            f"image_size={image_size} is too small for {plain}: its minimum is {smallest} pixels."
        )
    with _without_weights():
        graph = graph_of_model(builder(image_size))
    return replace(graph, name=plain)


def network_names() -> tuple[str, ...]:
    """Returns every name that `describe_network` knows.

    Example:
        >>> {"Starter", "VGG16", "InceptionV4", "wide_and_deep"} <= set(network_names())
        True
    """
    names = [each.name for each in backbones()] + [each.name for each in architectures()]
    return (*dict.fromkeys(names), "wide_and_deep")


def _find(name: str) -> tuple[str, Callable[[int | None], keras.Model], int]:
    """Its name as we write it, what builds it at a size, and the smallest size."""
    known = {_plain(each): each for each in network_names()}
    found = known.get(_plain(name))
    if found is None:
        raise ArgumentError(
            f"network={name!r} is neither a file nor a network that is known."
            f"{near_matches(name, known.values())} Expected a .keras, .h5 or .hdf5 file, a run "
            "folder, a name from 'headstart models', or one of "
            f"{', '.join(each.name for each in architectures())}, wide_and_deep."
        )
    if found in {each.name for each in backbones() if not each.is_classic}:
        return found, lambda size: _build_of_keras(found, size), find_backbone(found).minimum_size
    architecture = find_architecture(found)

    def build(size: int | None) -> keras.Model:
        shape = architecture.input_shape
        if size is not None and len(shape) == 1:
            raise ArgumentError(f"image_size={size}: {found} takes rows of numbers, not photos.")
        return architecture.builder(input_shape=shape if size is None else (size, size, shape[2]))

    return found, build, architecture.minimum_size


def _build_of_keras(name: str, size: int | None) -> keras.Model:
    import keras

    backbone = find_backbone(name)
    side = size or backbone.image_size
    photo = keras.Input((side, side, 3))
    if name == STARTER:  # it was published without classes
        return backbone.build(input_tensor=photo, pooling="avg")
    return backbone.build(input_tensor=photo, include_top=True)


@contextmanager
def _without_weights() -> Iterator[None]:
    """Layers made in here know the shapes of their weights and hold none: 4 s, not minutes."""
    import keras
    from keras.src.backend.common import global_state

    before = list(global_state.get_global_attribute("uninitialized_variables", []) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        # Else the next scope of somebody else would make them all.
        global_state.set_global_attribute("uninitialized_variables", before)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").strip()
