"""The catalogue: all facts of every pretrained backbone, one frozen dataclass each.

Reading it loads no Keras, so `headstart models` answers at once. A backbone is built only when
`Backbone.build` is called.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.backbones.catalogue_cuts import cut_points
from headstart.backbones.catalogue_rows import DIGESTS, FAMILIES, ROWS, Row, weights_files
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
STARTER_MINIMUM_SIZE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A network without its top, and everything there is to know about it.

    Attributes:
        name: as in `keras.applications`; a width variant carries its multiplier
            ("MobileNetV2-0.35").
        family: networks of one paper and one module.
        builder: name of the function that builds it.
        module: module of `keras.applications` that documents it, or of this package.
        image_size: side in pixels of the square photos it was trained on.
        minimum_size: smallest side in pixels that it can be built for.
        preprocessing: what `surgery.preprocess` puts in front: "tf", "caffe", "torch", or "none"
            where the network itself takes 0..255.
        feature_width: number of features after average or max pooling.
        parameters: of the whole network with its top of 1000 classes, as published tables count.
        backbone_parameters: without the top.
        size_mb: of the weights file with its top, in megabytes; None where unpublished.
        top_1: published ImageNet accuracy in [0, 1]; None where unpublished.
        top_5: the same, right class among the first five.
        depth: published number of layers with parameters; None where unpublished.
        licence: of the weights, with whoever released them where that is not Google.
        paper: address of the paper; empty for the starter.
        cut_points: layers behind which exactly one tensor goes on, bottom to top; the last one is
            pooled into features.
        weights_file: name under KERAS_HOME/models of the weights without the top.
        weights_file_top: the same with the top.
        weights_url: where `weights_file` comes from; empty when it ships with this package.
        weights_hash: MD5 or SHA-256 of the official `weights_file`; None where unpublished.
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
    backbone_parameters: int
    size_mb: float | None
    top_1: float | None
    top_5: float | None
    depth: int | None
    licence: str
    paper: str
    cut_points: tuple[str, ...]
    weights_file: str
    weights_file_top: str
    weights_url: str
    weights_hash: str | None
    alpha: float | None = None

    @property
    def default_weights(self) -> str:
        """What `weights` means when nobody says: "imagenet", or "starter" for the starter."""
        return "starter" if self.name == STARTER else "imagenet"

    def build(self, *, input_tensor: keras.KerasTensor, pooling: str | None = None) -> keras.Model:
        """Builds the network with random weights on a preprocessed tensor, without its top.

        Args:
            input_tensor: float32 (N, S, S, 3), preprocessed as `preprocessing` says.
            pooling: "avg" or "max" for (N, feature_width); None for the (N, h, w, c) map.

        Returns:
            Keras' own functional model; it starts where `input_tensor` starts.

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
        module = "headstart.backbones.starter" if self.name == STARTER else "keras.applications"
        builder = getattr(importlib.import_module(module), self.builder)
        model: keras.Model = builder(
            include_top=False, weights=None, input_tensor=input_tensor, pooling=pooling, **settings
        )
        return model


def backbones() -> tuple[Backbone, ...]:
    """Returns the whole catalogue: the starter first, then the families of `keras.applications`.

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
    module = "vgg19" if row.name == "VGG19" else family.module
    folder = family.weights_folder.replace("vgg16", module)
    no_top, top, remote = weights_files(builder, family=row.family, alpha=alpha)
    return Backbone(
        **row._asdict(),
        builder=builder,
        module=module,
        minimum_size=family.minimum_size,
        preprocessing=family.preprocessing,
        licence=family.licence,
        paper=family.paper,
        cut_points=cut_points(builder, family=row.family),
        weights_file=no_top,
        weights_file_top=top,
        weights_url=folder + remote,
        weights_hash=DIGESTS.get(row.name),
        alpha=alpha,
    )


def _starter() -> Backbone:
    return Backbone(
        name=STARTER,
        family=STARTER,
        builder="starter",
        module="starter",
        image_size=STARTER_IMAGE_SIZE,
        minimum_size=STARTER_MINIMUM_SIZE,
        preprocessing="tf",
        feature_width=STARTER_FEATURE_WIDTH,
        parameters=STARTER_PARAMETERS,  # it is published without a top
        backbone_parameters=STARTER_PARAMETERS,
        size_mb=_megabytes(STARTER_WEIGHTS_FILE),
        top_1=None,  # it has never seen ImageNet
        top_5=None,
        depth=None,
        licence="Apache-2.0",
        paper="",
        cut_points=STARTER_CUT_POINTS,
        weights_file=STARTER_WEIGHTS_FILE.name,
        weights_file_top=STARTER_WEIGHTS_FILE.name,
        weights_url="",
        weights_hash=None,
    )


def _megabytes(file: Path) -> float | None:
    return round(file.stat().st_size / 2**20, 2) if file.is_file() else None
