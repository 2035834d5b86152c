"""Finding, checking and loading the weights of a backbone.

The order is: the file that the user names, the folder where Keras keeps its downloads, a download.
A machine without a network is told which file is missing, where to put it, and what works without.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.backbones.catalogue import STARTER, Backbone, backbones
from headstart.backbones.download import download, keras_home
from headstart.backbones.starter import STARTER_WEIGHTS_FILE, starter, starter_weights_digest
from headstart.backbones.weights_file import Saved, Slot, open_weights, saved_arrays, slots
from headstart.errors import ArgumentError, DiskFullError, WeightsError, near_matches
from headstart.files import sha256
from headstart.progress import Progress, Silent

if TYPE_CHECKING:
    import keras

_STATION = "weights, MB"

_SIZES = (96, 128, 160, 192, 224)
"""In pixels, of which MobileNet and MobileNetV2 have weights each; only V2 of the smallest."""

# EfficientNet's files hold the standard deviation where Keras' layer expects a variance, and
# Keras divides by its root once more (tensorflow/tensorflow#49930).
_IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSource:
    """Where weights come from.

    Attributes:
        kind: "imagenet", "file", "starter" or "none" (random).
        path: the file; None for random weights.
        digest: SHA-256 of the file's content, or of the seed, as 64 hexadecimal digits.
    """

    kind: str
    path: Path | None
    digest: str


def find_weights(
    backbone: Backbone,
    weights: str,
    *,
    seed: int = 0,
    image_size: int | None = None,
    include_top: bool = False,
    progress: Progress | None = None,
) -> WeightsSource:
    """Finds the weights of a backbone; downloads them only when nothing else is left.

    Args:
        backbone: of the catalogue.
        weights: "imagenet", "starter" (of the starter only), "none" for random weights, or the path
            of a `.h5` or `.weights.h5` file.
        seed: of the random weights.
        image_size: side in pixels; weights that were trained at that size are taken where their
            file is here, as Keras does (MobileNet and MobileNetV2).
        include_top: whether the weights of its ImageNet classes are needed too.
        progress: told how much of a download has come.

    Raises:
        ArgumentError: when `weights` is none of these, or not for this backbone.
        WeightsError: when the file is not here and cannot be downloaded.

    Example:
        >>> from headstart.backbones.catalogue import find_backbone
        >>> find_weights(find_backbone("VGG16"), "none").kind
        'none'
    """
    if weights == "none":
        digest = hashlib.sha256(f"none 1 {seed}".encode()).hexdigest()
        return WeightsSource(kind="none", path=None, digest=digest)
    if weights == "starter" and backbone.name == STARTER:
        path, digest = STARTER_WEIGHTS_FILE, starter_weights_digest()
        return WeightsSource(kind="starter", path=path, digest=digest)
    if weights == "imagenet" and backbone.weights_url:
        path = (
            _of_size(backbone, image_size, include_top=include_top)
            or _in_keras_home(backbone, include_top=include_top)
            or _download(backbone, progress or Silent(), include_top=include_top)
        )
        return WeightsSource(kind="imagenet", path=path, digest=sha256(path))
    path = Path(weights).expanduser()
    if weights == "imagenet" and backbone.name != STARTER:
        raise ArgumentError(
            f"weights='imagenet': nobody has published ImageNet weights of {backbone.name} for "
            "Keras. Expected 'none' (random weights, as for --plan scratch) or the path of a .h5 "
            "or .weights.h5 file."
        )
    if not path.is_file():
        known = tuple(dict.fromkeys((backbone.default_weights, "none")))
        raise ArgumentError(
            f"weights={weights!r} is neither a file nor known for {backbone.name}."
            f"{near_matches(weights, known)} Expected {', '.join(map(repr, known))} or the path "
            "of a .h5 or .weights.h5 file."
        )
    return WeightsSource(kind="file", path=path.resolve(), digest=sha256(path))


def load_weights(model: keras.Model, source: WeightsSource, *, backbone: Backbone) -> None:
    """Loads weights into a network, after comparing all its shapes with the file's.

    A file with the top fits a network without: what follows the last needed layer is not read.

    Args:
        model: made by `backbone.build`; layers without weights may stand before and behind.
        source: from `find_weights`; random weights are left as they are.
        backbone: for messages, and for what its files are known to need.

    Raises:
        WeightsError: when the file is damaged or of another network; the model is then untouched.
    """
    if source.kind == "starter":
        for layer in starter(weights="starter").layers:
            if layer.weights:
                model.get_layer(layer.name).set_weights(layer.get_weights())
        return
    if source.path is None:
        return
    with open_weights(source.path) as file:
        needed, saved = slots(model), saved_arrays(file, model)
        _compare(needed, saved, path=source.path, backbone=backbone)
        for slot, array in zip(needed, saved, strict=False):
            slot.variable.assign(np.asarray(array.array[()]))
    _finish(model, family=backbone.family, kind=source.kind)


def available_offline() -> tuple[str, ...]:
    """Returns the names of the backbones whose pretrained weights are on this machine.

    Example:
        >>> "Starter" in available_offline()
        True
    """
    return tuple(
        backbone.name
        for backbone in backbones()
        if backbone.name == STARTER or _in_keras_home(backbone)
    )


def sizes_at_hand(backbone: Backbone) -> tuple[int, ...]:
    """Returns the sizes in pixels whose pretrained weights are on this machine, the own first.

    Most backbones have one file for all sizes; MobileNet and MobileNetV2 have one for each.

    Example:
        >>> from headstart.backbones.catalogue import find_backbone
        >>> sizes_at_hand(find_backbone("Starter"))
        (16,)
    """
    own = backbone.name == STARTER or _in_keras_home(backbone) is not None
    others = [size for size in reversed(_SIZES) if _of_size(backbone, size)]
    return tuple(dict.fromkeys([*([backbone.image_size] if own else []), *others]))


def _of_size(
    backbone: Backbone, image_size: int | None, *, include_top: bool = False
) -> Path | None:
    if backbone.family not in ("MobileNet", "MobileNetV2") or image_size not in _SIZES:
        return None
    names = (backbone.weights_file, backbone.weights_file_top)[1 if include_top else 0 :]
    files = [keras_home() / "models" / name.replace("_224", f"_{image_size}") for name in names]
    return next((file for file in files if file.is_file()), None)


def _in_keras_home(backbone: Backbone, *, include_top: bool = False) -> Path | None:
    folder = keras_home() / "models"
    names = (backbone.weights_file, backbone.weights_file_top)[1 if include_top else 0 :]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _compare(needed: list[Slot], saved: list[Saved], *, path: Path, backbone: Backbone) -> None:
    for slot, array in zip(needed, saved, strict=False):
        expected, found = tuple(slot.variable.shape), tuple(array.array.shape)
        if expected != found:
            raise WeightsError(
                f"The weights file {path} is not of {backbone.name}: layer {slot.layer!r} needs "
                f"{slot.variable.name} of shape {expected}, the file has {found} "
                f"(at {array.place}). Name the backbone that the file belongs to."
            )
    if len(saved) < len(needed):
        raise WeightsError(
            f"The weights file {path} is not of {backbone.name}: it holds {len(saved)} arrays, the "
            f"network needs {len(needed)}; the first one missing is "
            f"{needed[len(saved)].variable.name} of layer {needed[len(saved)].layer!r}."
        )


def _finish(model: keras.Model, *, family: str, kind: str) -> None:
    """Recomputes what layers derive from weights."""
    for layer in model.layers:
        if not hasattr(layer, "finalize_state"):
            continue
        if family == "EfficientNet" and layer.weights:
            variance = np.asarray(layer.weights[1])
            # A file saved from a network of ours is right already.
            if kind == "imagenet" or np.allclose(variance, _IMAGENET_DEVIATION, atol=1e-4):
                layer.weights[1].assign(variance * np.asarray(_IMAGENET_DEVIATION, np.float32))
        layer.finalize_state()


def _download(backbone: Backbone, progress: Progress, *, include_top: bool) -> Path:
    """Only a file whose hash Keras publishes is compared with it; some have none."""
    name = backbone.weights_file_top if include_top else backbone.weights_file
    address = backbone.weights_url_top if include_top else backbone.weights_url
    expected = backbone.weights_hash_top if include_top else backbone.weights_hash
    target = keras_home() / "models" / name
    try:
        download(address, target, expected=expected, station=_STATION, progress=progress)
    except DiskFullError:
        raise
    except WeightsError as error:
        raise WeightsError(_missing(backbone, target, address, reason=str(error))) from error
    return target


def _missing(backbone: Backbone, target: Path, address: str, *, reason: str) -> str:
    offline = ", ".join(available_offline())
    return (
        f"The ImageNet weights of {backbone.name} are not on this machine and cannot be "
        f"downloaded ({reason}). Download {address} on a machine with a network and "
        f"put it at {target}, or pass the file with --weights FILE. "
        f"Without a network you can use: {offline}; or --weights none (random weights)."
    )
