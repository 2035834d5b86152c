"""A frozen network as a value: everything that decides what it computes, and nothing else."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.backbones.catalogue import Backbone, find_backbone
from headstart.backbones.weights import WeightsSource

if TYPE_CHECKING:
    import keras

FROZEN_VERSION = 1
"""Part of every feature's key; raised when the same spec computes something else."""


@dataclass(frozen=True, slots=True)
class FrozenSpec:
    """A backbone without its top, its preprocessing before and its pooling behind it.

    Attributes:
        backbone: a name in the catalogue, or that of a model file.
        image_size: side of the square input in pixels.
        pooling: "avg", "max" or "flatten".
        weights: "imagenet", "starter", "file", "model" or "none" (random).
        weights_path: the file, or None for random weights; of a model file always the file.
        weights_digest: SHA-256 of the file's content (of the seed, for random weights).
        seed: of random weights.
        cut: layer after which a model file is cut; None for a backbone of the catalogue.
        preprocessing: of the photos, for a model file; one of the catalogue has its own.
    """

    backbone: str
    image_size: int
    pooling: str
    weights: str
    weights_path: str | None
    weights_digest: str
    seed: int
    cut: str | None = None
    preprocessing: str | None = None

    @property
    def digest(self) -> str:
        """64 hexadecimal digits; the same for the same weights wherever their file lies."""
        values = asdict(self) | {"version": FROZEN_VERSION}
        del values["weights_path"], values["weights"]
        if self.cut is None:
            del values["cut"], values["preprocessing"]
        if self.weights != "none":
            del values["seed"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)


@lru_cache(maxsize=1)
def build(spec: FrozenSpec) -> "keras.Model":
    """Builds a frozen network: RGB 0..255 (S, S, 3) in, features out.

    The last one is kept: the process that converts a network for the frozen pass joins the head to
    the same one afterwards.
    """
    if spec.cut is not None:
        from headstart.backbones.foreign import build_foreign

        return build_foreign(spec)
    from headstart.backbones.surgery import build_frozen

    source = WeightsSource(
        kind=spec.weights,
        path=None if spec.weights_path is None else Path(spec.weights_path),
        digest=spec.weights_digest,
    )
    return build_frozen(
        find_backbone(spec.backbone),
        image_size=spec.image_size,
        pooling=spec.pooling,
        weights=source,
        seed=spec.seed,
    )


def backbone_of(spec: FrozenSpec) -> Backbone:
    """Returns what is known of a spec's backbone: its row of the catalogue, or the model file's."""
    if spec.cut is None:
        return find_backbone(spec.backbone)
    from headstart.backbones.foreign import foreign_backbone

    return foreign_backbone(Path(spec.weights_path or ""), cut=spec.cut, mode=spec.preprocessing)
