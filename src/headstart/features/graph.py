"""A Keras model as an OpenVINO graph on disk, kept under the digest of what it computes."""

import json
import shutil
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from headstart.data.store import CachePlace
from headstart.files import atomic_file, remove_leftovers
from headstart.process import KerasCaller

BATCH_SIZE = 4
"""Photos a call. Small batches stay in the processor's cache: MobileNetV2 makes 408 photos/s with 4
on 2 cores with AVX-512, 341 with 16. Fixed, because Keras writes the batch into some reshapes."""

GRAPH_VERSION = 1
"""Part of every graph's key; raised when the conversion or `layout` changes what is computed."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A converted network.

    Attributes:
        digest: of the network: weights, settings and conversion.
        folder: holds `model.xml`, `model.bin`, what was measured of it, and its compiled forms.
    """

    digest: str
    folder: Path

    @property
    def file(self) -> Path:
        """The graph itself."""
        return self.folder / "model.xml"

    @property
    def is_ready(self) -> bool:
        """Tells whether the conversion was done; the weights are written before the graph."""
        return self.file.is_file() and self.file.with_suffix(".bin").is_file()

    def note(self, name: str) -> dict[str, Any] | None:
        """Reads something measured earlier, or None."""
        try:
            found = json.loads((self.folder / f"{name}.json").read_text())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def write_note(self, name: str, values: dict[str, Any]) -> None:
        """Keeps something measured."""
        with atomic_file(self.folder / f"{name}.json") as temporary:
            temporary.write_text(json.dumps(values))

    def drop(self) -> None:
        """Forgets a graph that turned out to be damaged."""
        shutil.rmtree(self.folder, ignore_errors=True)


def graph_of(place: CachePlace, digest: str) -> Graph:
    """Names the graph of a network in a cache, whether it is there or not."""
    graph = Graph(digest, place.folder / "graphs" / f"v{GRAPH_VERSION}-{digest}")
    remove_leftovers(graph.folder)
    return graph


def convert_frozen(graph: Graph, spec: dict[str, Any], caller: KerasCaller) -> "Future[Any]":
    """Begins the conversion of a frozen network described by a `FrozenSpec` as JSON."""
    return caller.call("headstart.features.graph:export_frozen", spec=spec, file=str(graph.file))


def convert_prefix(
    graph: Graph, spec: dict[str, Any], cut: dict[str, Any], *, caller: KerasCaller
) -> "Future[Any]":
    """Begins the conversion of what lies below a cut, both given as JSON."""
    return caller.call(
        "headstart.features.graph:export_prefix", spec=spec, cut=cut, file=str(graph.file)
    )


def convert_file(
    graph: Graph, model_file: Path, model_digest: str, *, caller: KerasCaller
) -> "Future[Any]":
    """Begins the conversion of a saved `.keras` model, whose SHA-256 is given."""
    return caller.call(
        "headstart.features.graph:export_file",
        model_file=str(model_file),
        model_digest=model_digest,
        file=str(graph.file),
    )


def export_frozen(spec: dict[str, Any], file: str) -> list[int]:
    """Builds and converts a frozen network; runs where Keras has the OpenVINO backend.

    Returns:
        The shape of one photo's features.
    """
    from headstart.backbones.frozen import FrozenSpec, build

    model = build(FrozenSpec(**spec))
    export_model(model, Path(file))
    return [int(axis) for axis in model.output.shape[1:]]


def export_prefix(spec: dict[str, Any], cut: dict[str, Any], file: str) -> list[int]:
    """Builds and converts what lies below a cut; runs where Keras has the OpenVINO backend.

    Returns:
        The shape of one photo's row.
    """
    from headstart.backbones.cut import Cut
    from headstart.backbones.frozen import FrozenSpec, build
    from headstart.backbones.suffix import build_prefix

    model = build_prefix(build(FrozenSpec(**spec)), Cut.from_json(cut))
    export_model(model, Path(file))
    return [int(axis) for axis in model.output.shape[1:]]


def export_averaged(spec: dict[str, Any], layer: str, file: str) -> list[int]:
    """Builds and converts a network up to a layer; runs where Keras has the OpenVINO backend.

    Returns:
        The shape of one photo's row.
    """
    from headstart.backbones.frozen import FrozenSpec, build
    from headstart.backbones.suffix import build_averaged

    model = build_averaged(build(FrozenSpec(**spec)), layer)
    export_model(model, Path(file))
    return [int(axis) for axis in model.output.shape[1:]]


def export_file(model_file: str, model_digest: str, file: str) -> list[int]:
    """Loads and converts a saved model; runs where Keras has the OpenVINO backend.

    Returns:
        The shape of one photo's features and answer, side by side.
    """
    from headstart.backbones.surgery import with_features

    model = with_features(load_saved(model_file, model_digest))
    export_model(model, Path(file))
    return [int(axis) for axis in model.output.shape[1:]]


@lru_cache(maxsize=1)
def load_saved(model_file: str, model_digest: str) -> Any:
    """Loads a `.keras` model as plain Keras does; the last one is kept.

    Args:
        model_file: the file.
        model_digest: SHA-256 of its content, so that a changed file is another one.
    """
    import keras

    _ = model_digest
    return keras.models.load_model(model_file, compile=False)


def export_model(model: Any, file: Path) -> None:
    """Writes a Keras model as `file` (.xml) and its weights beside it, whole or not at all."""
    import keras

    (image,) = model.inputs
    signature = [keras.InputSpec(shape=(BATCH_SIZE, *image.shape[1:]), dtype=image.dtype)]
    with atomic_file(file) as temporary, atomic_file(file.with_suffix(".bin")) as weights:
        model.export(str(temporary), format="openvino", verbose=False, input_signature=signature)
        temporary.with_suffix(".bin").rename(weights)
