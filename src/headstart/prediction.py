"""A run folder and photos in, predictions out; no HTTP, no labels."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run
from headstart.data.index import ImageIndex
from headstart.data.listing import Listing, SetAside
from headstart.data.scan import scan
from headstart.data.store import CachePlace
from headstart.errors import PhotosError
from headstart.features.engine import check_precision, choose_engine
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import SavedClassifier
from headstart.heads.linear import both_classes
from headstart.process import KerasCaller
from headstart.progress import Progress


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says of one photo.

    Attributes:
        file: as it was given.
        class_name: the likeliest class.
        probability: its probability, in [0, 1].
        probabilities: of every class by name, the likeliest first.
    """

    file: str
    class_name: str
    probability: float
    probabilities: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self)


class Predictor:
    """A classifier from a run folder, ready for photos."""

    def __init__(
        self,
        run: Run,
        *,
        caller: KerasCaller,
        place: CachePlace,
        progress: Progress,
        engine: str = "auto",
        precision: str | None = None,
    ) -> None:
        """Prepares a predictor; the model is loaded when the first photo needs it.

        Args:
            run: a run folder that was read.
            caller: who converts the model where that is needed.
            place: where graphs and answers are kept.
            progress: told about every photo.
            engine: "auto" takes the one that the manifest names, where this machine has it.
            precision: None takes the one that the manifest names.

        Raises:
            RunError: when `model.keras` is not as it was written.
        """
        run.check("model.keras")
        manifest = run.manifest
        name = choose_engine(
            manifest.engine if engine == "auto" else engine, optional=engine == "auto"
        )
        wanted = precision or (manifest.precision if name == manifest.engine else "float32")
        check_precision(wanted, name)
        self.class_names = manifest.class_names
        self._image_size = manifest.image_size
        self._place = place
        self._progress = progress
        self._pass = FrozenPass(
            SavedClassifier(run.model_file, manifest.digests["model.keras"], caller),
            engine=name,
            may_fall_back=engine == "auto",
            precision=wanted,
            place=place,
            progress=progress,
        )

    def begin(self) -> None:
        """Starts the conversion of the model, if it needs one, while photos are being read."""
        self._pass.begin()

    @property
    def engine(self) -> str:
        """The engine in use."""
        return self._pass.engine_name

    def probabilities(
        self, index: ImageIndex, positions: Sequence[int] | NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], str]:
        """Returns (N, K) probabilities of some photos, and the precision they were computed in."""
        outputs, precision = self._pass.rows(
            index, positions, image_size=self._image_size, station="photos classified"
        )
        return both_classes(np.asarray(outputs)), precision

    def predict(self, files: Sequence[Path]) -> tuple[tuple[Prediction, ...], tuple[SetAside, ...]]:
        """Classifies files.

        Args:
            files: photos, in any format that `check` accepts.

        Returns:
            A prediction for each photo that could be read, in the order given, and the others with
            their reasons.
        """
        index = read_unlabelled(
            files, image_size=self._image_size, place=self._place, progress=self._progress
        )
        if not len(index):
            return (), index.set_aside
        probabilities, _ = self.probabilities(index, range(len(index)))
        pairs = zip(index.paths, probabilities, strict=True)
        return tuple(self._prediction(file, row) for file, row in pairs), index.set_aside

    def _prediction(self, file: str, row: NDArray[np.float32]) -> Prediction:
        order = np.argsort(-row, kind="stable")
        named = {self.class_names[i]: float(row[i]) for i in order}
        return Prediction(file, self.class_names[order[0]], float(row[order[0]]), named)


def read_unlabelled(
    files: Sequence[Path], *, image_size: int, place: CachePlace, progress: Progress
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
        paths=tuple(str(file) for file in files),
        labels=np.zeros(len(files), np.int32),
        class_names=("",),
        splits=(None,) * len(files),
        set_aside=(),
    )
    return scan(listing, place=place, image_size=image_size, progress=progress)


def photo_files(photos: Sequence[str | Path]) -> tuple[Path, ...]:
    """Lists the files of images and folders (with everything below them), sorted in each folder.

    Raises:
        PhotosError: when a name does not exist or there is no file at all.
    """
    files: list[Path] = []
    for name in map(Path, photos):
        if name.is_dir():
            below = sorted(path for path in name.rglob("*") if path.is_file())
            files.extend(path for path in below if not path.name.startswith("."))
        elif name.is_file():
            files.append(name)
        else:
            raise PhotosError(f"photos={str(name)!r} does not exist. Give a photo or a folder.")
    if not files:
        raise PhotosError(f"photos: no file in {', '.join(map(str, photos))}.")
    return tuple(files)
