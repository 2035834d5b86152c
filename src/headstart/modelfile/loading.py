"""A model file, audited, then built: like `keras.models.load_model`, for files of strangers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import ModelFileError
from headstart.imports import load_file
from headstart.modelfile.assemble import Assembled
from headstart.modelfile.contents import MAX_BYTES, Contents, read_with_weights
from headstart.modelfile.matching import match
from headstart.modelfile.reading import assemble_contents

if TYPE_CHECKING:
    import keras


def load_model(
    file: str | Path, *, trust_custom: str | Path | None = None, max_bytes: int = MAX_BYTES
) -> keras.Model:
    """Loads a model of any Keras from 1 to 3, as data: nothing in the file is executed.

    Only layers of a closed table are built; weights are put in by name and checked by shape. Nested
    models are opened, so the result is flat. It is not compiled.

    Args:
        file: `.keras`, `.h5` or `.hdf5`.
        trust_custom: a Python file of yours with the layer classes that the model is made of. It is
            executed: give only what you have read.
        max_bytes: of weights that are accepted.

    Returns:
        A functional Keras model in float32; its outputs are those of the saved one.

    Raises:
        ModelFileError: when the file is damaged or dangerous; the message says why.

    Example:
        >>> import headstart, keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.save("small.h5")
        >>> headstart.load_model("small.h5").output_shape
        (None, 1)
    """
    from headstart.modelfile.building import build

    own = own_layers(trust_custom)
    with read_with_weights(file, max_bytes=max_bytes) as contents:
        assembled = assemble_contents(contents, max_bytes=max_bytes, trusted=own.keys())
        refuse_risks(file, assembled)
        if own:
            return _load_with_own(contents, assembled, own)
        return build(assembled.graph, arrays_of(contents, assembled))


def arrays_of(contents: Contents, assembled: Assembled) -> dict[str, list[NDArray[Any]]]:
    """Returns the weights of every node.

    Raises:
        ModelFileError: when the file's weights are not those of its network.
    """
    graph = assembled.graph
    first = [layer for layer in graph.layers if layer.shared_with is None]
    matched = match(
        contents,
        {layer.name: layer.weights for layer in first},
        assembled.paths,
        non_trainable={layer.name: layer.non_trainable for layer in first},
    )
    return {
        node: [contents.array(each) for each in arrays] for node, arrays in matched.arrays.items()
    }


def refuse_risks(file: str | Path, assembled: Assembled) -> None:
    """Stops before anything is built.

    Raises:
        ModelFileError: with every risk that was found, the first three of a kind.
    """
    if not assembled.risks:
        return
    shown = [f"{risk.layer}: {risk.text}" if risk.layer else risk.text for risk in assembled.risks]
    more = f" And {len(shown) - 3} more." if len(shown) > 3 else ""
    hint = ""
    if all(risk.kind == "custom layer" for risk in assembled.risks):
        hint = " If the code of these layers is yours, name it: --trust-custom FILE.py."
    raise ModelFileError(f"file={str(file)!r} is refused. {' '.join(shown[:3])}{more}{hint}")


def own_layers(file: str | Path | None) -> Mapping[str, Any]:
    """Runs a file of the user's and returns the layer classes in it by name.

    Raises:
        ArgumentError: when it cannot be run.
    """
    if file is None:
        return {}
    import keras

    module = load_file("trust_custom", str(file))
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, keras.layers.Layer)
        and value.__module__ == module.__name__
    }


def _load_with_own(contents: Contents, assembled: Assembled, own: Mapping[str, Any]) -> keras.Model:
    """Builds first: what a layer of the user's needs, only that layer knows."""
    from headstart.modelfile.building import build
    from headstart.modelfile.naming import flat_names

    names = flat_names(assembled.graph)
    model = build(assembled.graph, own=own, names=names)
    layers = {layer.name: layer for layer in model.layers}
    needed = {}
    for node, name in names.items():
        if name in layers and layers[name].weights:
            needed[node] = {
                f"{at} {weight.name}": tuple(weight.shape)
                for at, weight in enumerate(layers[name].weights)
            }
    if contents.layout == "legacy":
        needed = {
            node: {key.partition(" ")[2]: shape for key, shape in weights.items()}
            for node, weights in needed.items()
        }
    matched = match(contents, needed, assembled.paths, non_trainable={})
    for node, arrays in matched.arrays.items():
        values = [np.asarray(contents.array(each), np.float32) for each in arrays]
        layers[names[node]].set_weights(values)
    return model
