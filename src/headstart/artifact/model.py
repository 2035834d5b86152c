"""`model.keras`: made, written and read back where Keras is; called by name through `process`."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from headstart.errors import EngineError
from headstart.files import atomic_file, sha256

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def prepare(spec: dict[str, Any]) -> None:
    """Builds the backbone that a head will be joined to, before the head is there."""
    from headstart.backbones.frozen import FrozenSpec, build

    build(FrozenSpec(**spec))


def save_linear_classifier(
    spec: dict[str, Any], head: str, activation: str, file: str
) -> dict[str, Any]:
    """Joins a fitted linear head to its backbone and writes the classifier.

    Args:
        spec: a `FrozenSpec` as JSON.
        head: `.npz` file with `kernel` (D, K) and `bias` (K,).
        activation: "softmax" or "sigmoid".
        file: where to write.

    Returns:
        What `save_classifier` returns.
    """
    from headstart.heads.linear import LinearHead
    from headstart.heads.networks import build_linear

    with np.load(head, allow_pickle=False) as arrays:
        linear = LinearHead(arrays["kernel"], arrays["bias"], activation, 0.0, ())
    return save_classifier(spec, build_linear(linear), file)


def save_trained_classifier(spec: dict[str, Any], head: str, file: str) -> dict[str, Any]:
    """Joins a head that Keras trained (a `.keras` file) to its backbone and writes it all."""
    import keras

    return save_classifier(spec, keras.models.load_model(head, compile=False), file)


def save_tuned_classifier(
    spec: dict[str, Any], weights: str, head: str, file: str
) -> dict[str, Any]:
    """Writes a classifier whose backbone was fine-tuned.

    Args:
        spec: a `FrozenSpec` as JSON.
        weights: `.npz` file of what `headstart.backbones.suffix.backbone_weights` gave.
        head: `.keras` file.
        file: where to write.

    Returns:
        What `save_classifier` returns.
    """
    import keras

    with np.load(weights, allow_pickle=False) as arrays:
        tuned = {name: arrays[name] for name in arrays.files}
    return save_classifier(spec, keras.models.load_model(head, compile=False), file, tuned=tuned)


def save_classifier(
    spec: dict[str, Any], head: Any, file: str, *, tuned: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Joins, writes, reads back with plain Keras, and compares every weight.

    Args:
        spec: a `FrozenSpec` as JSON.
        head: Keras model, features in and probabilities out.
        file: where to write `model.keras`.
        tuned: weights of the backbone that are no longer those of the spec.

    Returns:
        `parameters`, `layers` and `outputs` of the joined model.

    Raises:
        EngineError: when what was read back is not what was written.
    """
    from headstart.backbones.frozen import FrozenSpec, build
    from headstart.backbones.suffix import set_backbone_weights
    from headstart.backbones.surgery import join
    from headstart.features.graph import load_saved

    joined = join(build(FrozenSpec(**spec)), head)
    set_backbone_weights(joined, tuned or {})
    with atomic_file(Path(file)) as temporary:
        joined.save(temporary)
        make_reproducible(temporary)
    again = load_saved(file, sha256(Path(file)))
    written, read = joined.get_weights(), again.get_weights()
    if len(written) != len(read) or not all(map(np.array_equal, written, read)):
        raise EngineError(f"{file} does not read back as it was written; nothing was kept.")
    return {
        "parameters": int(joined.count_params()),
        "layers": len(joined.layers),
        "outputs": int(joined.output.shape[-1]),
    }


def make_reproducible(file: Path) -> None:
    """Takes clock and memory addresses out of a `.keras` archive: same weights, same bytes."""
    with (
        atomic_file(file) as temporary,
        zipfile.ZipFile(file) as old,
        zipfile.ZipFile(temporary, "w") as new,
    ):
        for name in sorted(old.namelist()):
            content = old.read(name)
            if name == "metadata.json":
                metadata = json.loads(content)
                metadata.pop("date_saved", None)
                content = json.dumps(metadata).encode()
            if name == "config.json":
                content = json.dumps(_renumbered(json.loads(content), {})).encode()
            new.writestr(zipfile.ZipInfo(name, _FIXED_TIME), content)


def _renumbered(values: Any, numbers: dict[int, int]) -> Any:
    """Numbers shared objects in the order they appear; Keras writes where they lay in memory."""
    if isinstance(values, list):
        return [_renumbered(value, numbers) for value in values]
    if not isinstance(values, dict):
        return values
    return {
        key: numbers.setdefault(value, len(numbers) + 1)
        if key == "shared_object_id"
        else _renumbered(value, numbers)
        for key, value in values.items()
    }
