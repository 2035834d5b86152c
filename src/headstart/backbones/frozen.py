"""A frozen network, built from what describes it."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.backbones.catalogue import Backbone, find_backbone
from headstart.backbones.spec import FROZEN_VERSION, FrozenSpec
from headstart.backbones.weights import WeightsSource

if TYPE_CHECKING:
    import keras

__all__ = ["FROZEN_VERSION", "FrozenSpec", "backbone_of", "build"]


@lru_cache(maxsize=1)
def build(spec: FrozenSpec) -> "keras.Model":
    """Builds a frozen network: RGB 0..255 (S, S, 3) in, features or probabilities out.

    The last one is kept: the process that converts a network for the frozen pass joins the head to
    the same one afterwards.
    """
    if spec.cut is not None:
        from headstart.backbones.foreign import build_foreign

        return build_foreign(spec)
    from headstart.backbones.surgery import build_frozen, build_published

    source = WeightsSource(
        kind=spec.weights,
        path=None if spec.weights_path is None else Path(spec.weights_path),
        digest=spec.weights_digest,
    )
    if spec.pooling == "top":
        backbone = find_backbone(spec.backbone)
        return build_published(backbone, image_size=spec.image_size, weights=source)
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
