"""A classifier of somebody's as `model.keras`: written where Keras is; called through `process`."""

from pathlib import Path
from typing import Any

import numpy as np

from headstart.artifact.model import make_reproducible
from headstart.errors import EngineError
from headstart.files import atomic_file, sha256


def save_adopted(spec: dict[str, Any], activation: str | None, file: str) -> dict[str, Any]:
    """Builds a model file behind its preprocessing and writes it, photos in and answers out.

    Args:
        spec: a `FrozenSpec` of a model file as JSON; its cut is ignored.
        activation: "softmax" or "sigmoid" where the model gives logits; None where it does not.
        file: where to write `model.keras`.

    Returns:
        `parameters` and `layers` of the classifier.

    Raises:
        EngineError: when what was read back is not what was written.
    """
    import keras

    from headstart.backbones.foreign import build_on
    from headstart.backbones.frozen import FrozenSpec
    from headstart.features.graph import load_saved

    frozen = FrozenSpec(**spec)
    image = keras.Input((frozen.image_size, frozen.image_size, 3), name="image", dtype="float32")
    output = build_on(frozen, image, upto=None).outputs[0]
    if activation is not None:
        output = keras.layers.Activation(activation, name="probabilities")(output)
    classifier = keras.Model(image, output, name="classifier")
    with atomic_file(Path(file)) as temporary:
        classifier.save(temporary)
        make_reproducible(temporary)
    again = load_saved(file, sha256(Path(file)))
    written, read = classifier.get_weights(), again.get_weights()
    if len(written) != len(read) or not all(map(np.array_equal, written, read)):
        raise EngineError(f"{file} does not read back as it was written; nothing was kept.")
    return {"parameters": int(classifier.count_params()), "layers": len(classifier.layers)}
