"""The networks that a run evaluates: frozen backbone, prefix below a cut, joined classifier."""

import hashlib
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.features.graph import Graph, convert_file, convert_frozen, convert_prefix
from headstart.process import KerasCaller

# Readers of weights are imported where they are needed: `predict` needs none of them.
if TYPE_CHECKING:
    from headstart.backbones.cut import Cut
    from headstart.backbones.frozen import FrozenSpec


@dataclass(frozen=True)
class FrozenNetwork:
    """A backbone without its top: photos in, features out."""

    spec: "FrozenSpec"
    caller: KerasCaller

    @property
    def digest(self) -> str:
        """Names weights and settings."""
        return self.spec.digest

    def convert(self, graph: Graph) -> "Future[Any]":
        """Begins to write the network as a graph."""
        return convert_frozen(graph, self.spec.as_json(), self.caller)

    def build(self) -> Any:
        """Returns the network as a Keras model on this process' backend."""
        from headstart.backbones.frozen import build

        return build(self.spec)


@dataclass(frozen=True)
class Prefix:
    """What lies below a cut: photos in, rows of what crosses it out."""

    spec: "FrozenSpec"
    cut: "Cut"
    caller: KerasCaller

    @property
    def digest(self) -> str:
        """Names weights, settings and cut."""
        name = f"prefix {self.spec.digest} {' '.join(self.cut.crossing)}"
        return hashlib.sha256(name.encode()).hexdigest()

    def convert(self, graph: Graph) -> "Future[Any]":
        """Begins to write the network as a graph."""
        cut = self.cut.as_json()
        return convert_prefix(graph, self.spec.as_json(), cut, caller=self.caller)

    def build(self) -> Any:
        """Returns the network as a Keras model on this process' backend."""
        from headstart.backbones.frozen import build
        from headstart.backbones.suffix import build_prefix

        return build_prefix(build(self.spec), self.cut)


@dataclass(frozen=True)
class Averaged:
    """A backbone up to a layer: photos in, activations averaged over space out."""

    spec: "FrozenSpec"
    layer: str
    caller: KerasCaller

    @property
    def digest(self) -> str:
        """Names weights, settings and layer."""
        return hashlib.sha256(f"averaged {self.spec.digest} {self.layer}".encode()).hexdigest()

    def convert(self, graph: Graph) -> "Future[Any]":
        """Begins to write the network as a graph."""
        return self.caller.call(
            "headstart.features.graph:export_averaged",
            spec=self.spec.as_json(), layer=self.layer, file=str(graph.file),
        )  # fmt: skip

    def build(self) -> Any:
        """Returns the network as a Keras model on this process' backend."""
        from headstart.backbones.frozen import build
        from headstart.backbones.suffix import build_averaged

        return build_averaged(build(self.spec), self.layer)


@dataclass(frozen=True)
class SavedClassifier:
    """A `model.keras`: photos in, features and what the head says of them out, side by side."""

    file: Path
    file_digest: str
    caller: KerasCaller

    @property
    def digest(self) -> str:
        """Names the file's content."""
        return hashlib.sha256(f"model.keras with features {self.file_digest}".encode()).hexdigest()

    def convert(self, graph: Graph) -> "Future[Any]":
        """Begins to write the network as a graph."""
        return convert_file(graph, self.file, self.file_digest, caller=self.caller)

    def build(self) -> Any:
        """Returns the network as a Keras model on this process' backend."""
        import keras

        from headstart.backbones.surgery import with_features

        return with_features(keras.models.load_model(self.file, compile=False))


def split_answer(rows: Any, outputs: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Takes the rows of a `SavedClassifier` apart: features and what the head says of them.

    Args:
        rows: (N, D + outputs).
        outputs: of the head: K, or 1 where one unit stands for two classes.

    Example:
        >>> features, answer = split_answer(np.float32([[7, 8, 9, 0.25]]), 1)
        >>> features.tolist(), answer.tolist()
        ([[7.0, 8.0, 9.0]], [[0.25]])
    """
    values = np.asarray(rows)
    return values[:, :-outputs], values[:, -outputs:]
