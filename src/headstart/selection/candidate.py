"""A backbone that may be chosen, at one size and with certain weights."""

import hashlib
from dataclasses import dataclass, replace

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.spec import FrozenSpec
from headstart.backbones.weights import find_weights

BYTES_PER_PARAMETER = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is measured: a value, so that another process or machine can be told of it.

    Attributes:
        spec: the frozen network: everything that decides its features.
        layer: a cut point whose activations, averaged over space, are the features; None for the
            network's own features.
    """

    spec: FrozenSpec
    layer: str | None = None

    @property
    def name(self) -> str:
        """What tables and sentences call it.

        Example:
            >>> Candidate(FrozenSpec("VGG16", 96, "avg", "none", None, "00", 0)).name
            'VGG16 at 96 px, random weights'
        """
        random = ", random weights" if self.spec.weights == "none" else ""
        return f"{self.spec.backbone} at {self.spec.image_size} px{random}"

    @property
    def digest(self) -> str:
        """Names everything that decides the features."""
        return hashlib.sha256(f"{self.spec.digest} {self.layer}".encode()).hexdigest()

    @property
    def parameters(self) -> int:
        """Of the network without its top."""
        return find_backbone(self.spec.backbone).backbone_parameters

    @property
    def size_mb(self) -> float:
        """Megabytes of its parameters in float32: nearly those of `model.keras`."""
        return round(self.parameters * BYTES_PER_PARAMETER / 1e6, 1)

    def with_random_weights(self) -> "Candidate":
        """Returns the same network as if it had never seen a photo."""
        source = find_weights(find_backbone(self.spec.backbone), "none")
        spec = replace(
            self.spec, weights="none", weights_path=None, weights_digest=source.digest, seed=0
        )
        return replace(self, spec=spec)

    def at_early_layer(self) -> "Candidate":
        """Returns the same network cut after the first quarter of its blocks."""
        points = find_backbone(self.spec.backbone).cut_points
        return replace(self, layer=points[len(points) // 4])
