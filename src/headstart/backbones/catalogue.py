"""The catalogue: all facts of every pretrained backbone, one frozen dataclass each.

Reading it loads no Keras, so `headstart models` answers at once. A backbone is built only when
`Backbone.build` is called.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.architectures import find
from headstart.backbones.catalogue_cuts import cut_points
from headstart.backbones.catalogue_rows import FAMILIES, ROWS, Row
from headstart.backbones.catalogue_weights import DIGESTS, weights_files
from headstart.backbones.starter import (
    STARTER_CUT_POINTS,
    STARTER_FEATURE_WIDTH,
    STARTER_IMAGE_SIZE,
    STARTER_WEIGHTS_FILE,
)
from headstart.errors import ArgumentError, near_matches

if TYPE_CHECKING:
    import keras

STARTER = "Starter"
STARTER_PARAMETERS = 390_112
STARTER_TRAINABLE_PARAMETERS = 389_024
STARTER_MINIMUM_SIZE = 8

_OLD_TABLE = "https://github.com/keras-team/keras-applications"
"""Of what keras.io/api/applications leaves out: MobileNetV3 and width variants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A network without its top, and everything there is to know about it.

    Attributes:
        name: as in `keras.applications` or `headstart.architectures`; a width variant carries its
            multiplier ("MobileNetV2-0.35").
        family: networks of one paper and one module.
        builder: name of the function that builds it.
        module: module of `keras.applications` that documents it, or of this package, in full.
        image_size: side in pixels of the square photos it was trained on.
        minimum_size: smallest side in pixels that it can be built for.
        preprocessing: what `surgery.preprocess` puts in front: "tf", "caffe", "torch", or "none"
            where the network itself takes 0..255.
        feature_width: number of features after average or max pooling.
        parameters: of the whole network with its top (1000 classes, LeNet-5's 10), as published
            tables count.
        trainable_parameters: the same without moving statistics.
        backbone_parameters: without the top, for photos of three channels.
        size_mb: of the weights file with its top, in megabytes; None where unpublished.
        top_1: published ImageNet accuracy in [0, 1]; None where unpublished.
        top_5: the same, right class among the first five.
        depth: published number of layers: Keras counts all on the longest path, papers those with
            parameters; None where unpublished.
        licence: of the weights, with whoever released them where that is not Google; empty where
            there are none.
        paper: address of the paper; empty for the starter.
        source: address of what the published figures are from; empty for the starter.
        cut_points: layers behind which exactly one tensor goes on, bottom to top; the last one is
            pooled into features.
        weights_file: name under KERAS_HOME/models of the weights without the top; empty where none
            were published.
        weights_file_top: the same with the top.
        weights_url: where `weights_file` comes from; empty when it ships with this package, or
            there is none.
        weights_url_top: where `weights_file_top` comes from.
        weights_hash: MD5 or SHA-256 of the official `weights_file`; None where unpublished.
        weights_hash_top: the same of `weights_file_top`.
        alpha: width multiplier given to the builder; None where it takes none.
    """

    name: str
    family: str
    builder: str
    module: str
    image_size: int
    minimum_size: int
    preprocessing: str
    feature_width: int
    parameters: int
    trainable_parameters: int
    backbone_parameters: int
    size_mb: float | None
    top_1: float | None
    top_5: float | None
    depth: int | None
    licence: str
    paper: str
    source: str
    cut_points: tuple[str, ...]
    weights_file: str
    weights_file_top: str
    weights_url: str
    weights_url_top: str
    weights_hash: str | None
    weights_hash_top: str | None
    alpha: float | None = None

    @property
    def is_classic(self) -> bool:
        """Tells whether it is one of `headstart.architectures`."""
        return self.module.startswith("headstart.architectures")

    @property
    def default_weights(self) -> str:
        """What `weights` means when nobody says: "imagenet", "starter", or "none" if need be."""
        if self.name == STARTER:
            return "starter"
        return "imagenet" if self.weights_url else "none"

    def build(
        self,
        *,
        input_tensor: keras.KerasTensor,
        pooling: str | None = None,
        include_top: bool = False,
    ) -> keras.Model:
        """Builds the network with random weights on a preprocessed tensor.

        Args:
            input_tensor: float32 (N, S, S, 3), preprocessed as `preprocessing` says.
            pooling: without the top: "avg" or "max" for (N, feature_width); None for the map
                (N, h, w, c).
            include_top: end with the probabilities of the classes it was published with.

        Returns:
            A functional model; it starts where `input_tensor` starts.

        Raises:
            ArgumentError: when Keras cannot build it on the current backend.

        Example:
            >>> import keras
            >>> image = keras.Input((64, 64, 3))
            >>> find_backbone("MobileNetV2").build(input_tensor=image, pooling="avg").output.shape
            (None, 1280)
        """
        import keras

        if self.family == "NASNet" and keras.backend.backend() == "torch":
            raise ArgumentError(
                f"backbone={self.name!r}: Keras does not build NASNet on PyTorch. "
                "Set KERAS_BACKEND to tensorflow or jax, or choose another backbone."
            )
        settings: dict[str, Any] = {} if self.alpha is None else {"alpha": self.alpha}
        module = self.module if self.module.startswith("headstart.") else "keras.applications"
        builder = getattr(importlib.import_module(module), self.builder)
        model: keras.Model = builder(
            include_top=include_top,
            weights=None,
            input_tensor=input_tensor,
            pooling=pooling,
            **settings,
        )
        return model


def backbones() -> tuple[Backbone, ...]:
    """Returns the whole catalogue: the starter, `keras.applications`, `headstart.architectures`.

    Example:
        >>> [backbone.name for backbone in backbones()][:3]
        ['Starter', 'Xception', 'VGG16']
    """
    return (_starter(), *(_backbone(row) for row in ROWS))


def find_backbone(name: str) -> Backbone:
    """Returns the backbone of a name; upper and lower case, "-" and "_" do not matter.

    Raises:
        ArgumentError: when there is none, with the nearest names.

    Example:
        >>> find_backbone("mobilenet_v2").name
        'MobileNetV2'
    """
    catalogue = {_plain(backbone.name): backbone for backbone in backbones()}
    found = catalogue.get(_plain(name))
    if found is None:
        known = [backbone.name for backbone in catalogue.values()]
        raise ArgumentError(
            f"backbone={name!r} is not in the catalogue.{near_matches(name, known)} "
            "'headstart models' lists all."
        )
    return found


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").strip()


def _backbone(row: Row) -> Backbone:
    builder, _, width = row.name.partition("-")
    alpha = float(width) if width else None
    family = FAMILIES[row.family]
    is_own = not family.weights_folder
    module = "vgg19" if row.name == "VGG19" else family.module
    folder = family.weights_folder.replace("vgg16", module)
    no_top, top, remote, remote_top = (
        ("",) * 4 if is_own else weights_files(builder, family=row.family, alpha=alpha)
    )
    hash_top, hash_no_top = DIGESTS.get(row.name, (None, None))
    return Backbone(
        **row._asdict(),
        builder=builder,
        module=module,
        minimum_size=find(row.name).minimum_size if is_own else family.minimum_size,
        preprocessing=family.preprocessing,
        licence=family.licence,
        paper=family.paper,
        source=_OLD_TABLE if alpha or row.family == "MobileNetV3" else family.source,
        cut_points=cut_points(builder, family=row.family),
        weights_file=no_top,
        weights_file_top=top,
        weights_url=folder + remote,
        weights_url_top=folder + remote_top,
        weights_hash=hash_no_top,
        weights_hash_top=hash_top,
        alpha=alpha,
    )


def _starter() -> Backbone:
    return Backbone(
        name=STARTER,
        family=STARTER,
        builder="starter",
        module="headstart.backbones.starter",
        image_size=STARTER_IMAGE_SIZE,
        minimum_size=STARTER_MINIMUM_SIZE,
        preprocessing="tf",
        feature_width=STARTER_FEATURE_WIDTH,
        parameters=STARTER_PARAMETERS,  # it is published without a top
        trainable_parameters=STARTER_TRAINABLE_PARAMETERS,
        backbone_parameters=STARTER_PARAMETERS,
        size_mb=_megabytes(STARTER_WEIGHTS_FILE),
        top_1=None,  # it has never seen ImageNet
        top_5=None,
        depth=None,
        licence="Apache-2.0",
        paper="",
        source="",
        cut_points=STARTER_CUT_POINTS,
        weights_file=STARTER_WEIGHTS_FILE.name,
        weights_file_top=STARTER_WEIGHTS_FILE.name,
        weights_url="",
        weights_url_top="",
        weights_hash=None,
        weights_hash_top=None,
    )


def _megabytes(file: Path) -> float | None:
    return round(file.stat().st_size / 2**20, 2) if file.is_file() else None
