"""What a published network sees in photos: the classes of ImageNet, nothing to train."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.backbones.catalogue import Backbone, backbones, find_backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.imagenet import ImageNetClass, imagenet_classes
from headstart.backbones.weights import find_weights
from headstart.data.index import ImageIndex
from headstart.data.listing import Listing
from headstart.data.scan import scan
from headstart.data.store import CachePlace
from headstart.data.stream import photo_files
from headstart.data.walk import SetAside
from headstart.errors import ArgumentError
from headstart.features.engine import check_precision
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.progress import Progress
from headstart.workflow.tools import tools


@dataclass(frozen=True, slots=True)
class Guess:
    """One class that a photo may show.

    Attributes:
        class_id: WordNet's number of it; two pairs of ImageNet's classes share their names.
        class_name: as Keras has it.
        probability: in [0, 1].
    """

    class_id: str
    class_name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Classification:
    """What a network sees in one photo.

    Attributes:
        file: as it was given.
        guesses: the likeliest classes, the likeliest first.
    """

    file: str
    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True)
class Classifications:
    """What `classify` returns.

    Attributes:
        backbone: name of the network.
        classifications: one a readable photo, in the order given.
        set_aside: files that could not be read, with reasons.
    """

    backbone: str
    classifications: tuple[Classification, ...]
    set_aside: tuple[SetAside, ...]

    def __iter__(self) -> Iterator[Classification]:
        return iter(self.classifications)

    def __len__(self) -> int:
        return len(self.classifications)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return {
            "backbone": self.backbone,
            "classifications": [asdict(each) for each in self.classifications],
            "set_aside": [{"path": each.path, "reason": each.reason} for each in self.set_aside],
        }


def classify(
    photos: str | Path | Sequence[str | Path],
    *,
    backbone: str = "MobileNetV2",
    weights: str = "imagenet",
    top: int = 5,
    engine: str = "auto",
    precision: str = "float32",
    progress: Progress | None = None,
) -> Classifications:
    """Says which of ImageNet's 1000 classes photos show, by a network as it was published.

    Args:
        photos: a photo, a folder, or several of these.
        backbone: a network of the catalogue that was trained on ImageNet.
        weights: "imagenet", or a file of all its weights, its top included.
        top: how many classes to name, 1 to 1000.
        engine: "auto", "openvino" or "keras".
        precision: "float32"; "auto" for the fastest that agrees with it.
        progress: told about every photo.

    Returns:
        The likeliest classes of each photo, and the files that could not be read.

    Raises:
        ArgumentError: when an argument does not fit.
        PhotosError: when a photo does not exist.
        WeightsError: when weights or class names are not here and cannot be downloaded.

    Example:
        >>> import headstart
        >>> for photo in headstart.classify("cat.jpg"):  # doctest: +SKIP
        ...     print(photo.file, photo.guesses[0].class_name)
        cat.jpg Egyptian_cat
    """
    network = _published(backbone)
    if not 1 <= top <= 1000:
        raise ArgumentError(f"top={top}: expected a number of classes from 1 to 1000.")
    if weights == "none":
        raise ArgumentError("weights='none': a network of random weights knows no classes.")
    files = photo_files([photos] if isinstance(photos, str | Path) else photos)
    classes = imagenet_classes(progress)
    source = find_weights(network, weights, include_top=True, progress=progress)
    spec = FrozenSpec(
        backbone=network.name,
        image_size=network.image_size,
        pooling="top",
        weights=source.kind,
        weights_path=None if source.path is None else str(source.path.resolve()),
        weights_digest=source.digest,
        seed=0,
    )
    with tools(engine, progress) as given:
        check_precision(precision, given.engine)
        frozen = FrozenPass(
            FrozenNetwork(spec, given.caller),
            engine=given.engine,
            may_fall_back=engine == "auto",
            precision=precision,
            place=given.place,
            progress=given.progress,
        )
        frozen.begin()
        index = _read_unlabelled(
            files, image_size=spec.image_size, place=given.place, progress=given.progress
        )
        if not len(index):
            return Classifications(network.name, (), index.set_aside)
        probabilities, _ = frozen.rows(
            index, range(len(index)), image_size=spec.image_size, station="photos classified"
        )
    found = tuple(
        Classification(file, _guesses(row, classes, top))
        for file, row in zip(index.paths, probabilities, strict=True)
    )
    return Classifications(network.name, found, index.set_aside)


def _read_unlabelled(
    files: Sequence[str], *, image_size: int, place: CachePlace, progress: Progress
) -> ImageIndex:
    """Reads photos of which nobody says what they show.

    Args:
        files: in any format that `check` accepts.
        image_size: side in pixels that they will be asked for.
        place: where pixels are kept.
        progress: told about every photo.

    Returns:
        Those that could be read, in the order given; the others are in its `set_aside`.
    """
    listing = Listing(
        root=Path(),
        paths=tuple(files),
        labels=np.zeros(len(files), np.int32),
        class_names=("",),
        splits=(None,) * len(files),
        set_aside=(),
    )
    return scan(listing, place=place, image_size=image_size, progress=progress)


def _guesses(
    row: NDArray[np.float32], classes: Sequence[ImageNetClass], top: int
) -> tuple[Guess, ...]:
    order = [int(number) for number in np.argsort(-row, kind="stable")[:top]]
    best = [(classes[number], float(row[number])) for number in order]
    return tuple(Guess(each.class_id, each.name, probability) for each, probability in best)


def _published(name: str) -> Backbone:
    backbone = find_backbone(name)
    if not backbone.weights_url_top:
        known = [each.name for each in backbones() if each.weights_url_top]
        raise ArgumentError(
            f"backbone={backbone.name!r} was not published with ImageNet's classes. "
            f"Choose one of {', '.join(known[:6])} or another one with a top-1 in "
            "'headstart models'."
        )
    return backbone
