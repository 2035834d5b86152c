"""A run folder and photos in, predictions out; no HTTP, no labels."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run
from headstart.artifact.trust import FILE as TRUST_FILE
from headstart.artifact.trust import Trust, read_trust
from headstart.data.index import ImageIndex
from headstart.data.store import CachePlace
from headstart.data.stream import FileBatch, file_batches, first_photos
from headstart.data.walk import SetAside
from headstart.evaluation.conformal import COVERAGE, check_coverage
from headstart.features.engine import Rows, check_precision, choose_engine
from headstart.features.frozen_pass import SAMPLE_COUNT, FrozenPass
from headstart.features.networks import SavedClassifier, split_answer
from headstart.heads.linear import both_classes
from headstart.process import KerasCaller
from headstart.progress import Progress

BLOCK_SIZE = 256
"""Files a block: a multiple of every engine's batch, and a second of work or a few."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says of one photo.

    Attributes:
        file: as it was given.
        class_name: the likeliest class.
        probability: its probability, in [0, 1].
        probabilities: of every class by name, the likeliest first.
        candidates: the classes that may be meant, so that the true one is among them as often as
            was asked for; the likeliest first. More than one means "not sure".
        distance: of the photo to the nearest training photo, as the network sees it, 0 to 2; None
            where the run does not know its training photos.
        is_unfamiliar: whether it is unlike the training photos; its class then means little.
    """

    file: str
    class_name: str
    probability: float
    probabilities: dict[str, float]
    candidates: tuple[str, ...] = ()
    distance: float | None = None
    is_unfamiliar: bool = False

    @property
    def is_sure(self) -> bool:
        """Tells whether a single class is meant."""
        return len(self.candidates) == 1

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self) | {"is_sure": self.is_sure}


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a classifier says of N photos.

    Attributes:
        probabilities: float32 (N, K).
        sets: bool (N, K), the classes that may be meant; None where no photo was held out to learn
            that from.
        distances: float64 (N,), to the nearest training photo; None where the run knows none.
        is_unfamiliar: bool (N,), likewise.
    """

    probabilities: NDArray[np.float32]
    sets: NDArray[np.bool_] | None
    distances: NDArray[np.float64] | None
    is_unfamiliar: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What became of some files, N of which could be read.

    Attributes:
        files: N names, in the order given.
        answers: of these N; None where N is 0.
        set_aside: the others, with their reasons.
    """

    files: tuple[str, ...]
    answers: Answers | None
    set_aside: tuple[SetAside, ...]

    def __len__(self) -> int:
        return len(self.files) + len(self.set_aside)


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
        coverage: float = COVERAGE,
        make_pass: Callable[..., FrozenPass] = FrozenPass,
    ) -> None:
        """Prepares a predictor; the model is loaded when the first photo needs it.

        Args:
            run: a run folder that was read.
            caller: who converts the model where that is needed.
            place: where graphs and answers are kept.
            progress: told about every photo.
            engine: "auto" takes the one that the manifest names, where this machine has it.
            precision: None takes the one that the manifest names.
            coverage: how often the candidates shall hold the true class, below 1.
            make_pass: makes the pass that evaluates the model: here, or on a cluster.

        Raises:
            ArgumentError: when an argument does not fit.
            RunError: when `model.keras` or `trust.npz` is not as it was written.
        """
        # A model from elsewhere has learnt nothing here, and has no such file.
        has_trust = TRUST_FILE in run.manifest.digests
        run.check("model.keras", *((TRUST_FILE,) if has_trust else ()))
        manifest = run.manifest
        name = choose_engine(
            manifest.engine if engine == "auto" else engine, optional=engine == "auto"
        )
        wanted = precision or (manifest.precision if name == manifest.engine else "float32")
        check_precision(wanted, name)
        self.class_names = manifest.class_names
        self.image_size = manifest.image_size
        self._outputs = int(manifest.backbone.get("outputs") or len(manifest.class_names))
        self._trust = read_trust(run.folder / TRUST_FILE) if has_trust else Trust()
        self._coverage = check_coverage(coverage)
        self._progress = progress
        self.frozen_pass = make_pass(
            SavedClassifier(run.model_file, manifest.digests["model.keras"], caller),
            engine=name,
            may_fall_back=engine == "auto",
            precision=wanted,
            place=place,
            progress=progress,
        )

    def begin(self) -> None:
        """Starts the conversion of the model, if it needs one, while photos are being read."""
        self.frozen_pass.begin()

    @property
    def engine(self) -> str:
        """The engine in use."""
        return self.frozen_pass.engine_name

    @property
    def precision(self) -> str:
        """The precision of the answers that were asked for last."""
        return self.frozen_pass.precision

    def answers(self, index: ImageIndex, positions: Sequence[int] | NDArray[np.int64]) -> Answers:
        """Classifies some photos of an index."""
        rows, _ = self.frozen_pass.rows(
            index, positions, image_size=self.image_size, station="photos classified"
        )
        return self._judge(rows)

    def probabilities(
        self, index: ImageIndex, positions: Sequence[int] | NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], str]:
        """Returns (N, K) probabilities of some photos, and the precision they were computed in."""
        return self.answers(index, positions).probabilities, self.frozen_pass.precision

    def classify(self, photos: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns probabilities of photos (N, S, S, 3) in memory, of the network's size."""
        return both_classes(split_answer(self.frozen_pass.evaluate(photos), self._outputs)[1])

    def predict_pixels(
        self, photos: NDArray[np.uint8], files: Sequence[str]
    ) -> tuple[Prediction, ...]:
        """Classifies photos in memory: what the server's requests come down to; none is kept.

        Args:
            photos: uint8 (N, S, S, 3), from `headstart.data.decode.decode` at `image_size`.
            files: N names, which come back in `Prediction.file`.

        Returns:
            N predictions, the same as `predict` gives for the files.
        """
        answers = self._judge(self.frozen_pass.evaluate(photos))
        return tuple(self._prediction(file, answers, at) for at, file in enumerate(files))

    def blocks(
        self, files: Sequence[str | Path], *, block_size: int = BLOCK_SIZE
    ) -> Iterator[Block]:
        """Classifies files, however many, in flat memory; nothing is kept on disk.

        Files are decoded by threads while the engine works on those before them. What is said of a
        file depends on the files of its block alone, not on the blocks before.

        Args:
            files: photos, in any format that `check` accepts.
            block_size: files a block, a multiple of 32; the last block may be shorter.

        Yields:
            Blocks of the files in the order given.

        Raises:
            EngineError: when no engine can evaluate the model.
        """
        samples = first_photos(files, image_size=self.image_size, count=SAMPLE_COUNT)
        if not len(samples):
            yield from self._unreadable(files, block_size)
            return
        engine, pending, gathered = self.frozen_pass.start(samples), deque[FileBatch](), _Gathered()

        def photos() -> Iterator[NDArray[np.uint8]]:
            for batch in file_batches(
                files, image_size=self.image_size, batch_size=engine.batch_size
            ):
                pending.append(batch)
                yield batch.photos

        for rows in engine.run(photos()):
            gathered.add(pending.popleft(), rows)
            if gathered.listed >= block_size:
                yield self._block(gathered)
                gathered = _Gathered()
        if gathered.listed:
            yield self._block(gathered)

    def predict(self, files: Sequence[str | Path]) -> tuple[list[Prediction], list[SetAside]]:
        """Classifies files.

        Args:
            files: photos, in any format that `check` accepts.

        Returns:
            A prediction for each photo that could be read, in the order given, and the others with
            their reasons.
        """
        found: list[Prediction] = []
        set_aside: list[SetAside] = []
        for block in self.blocks(files):
            found.extend(self.predictions_of(block))
            set_aside.extend(block.set_aside)
            self._progress.step("photos classified", len(found) + len(set_aside), len(files))
        return found, set_aside

    def predictions(self, index: ImageIndex) -> tuple[Prediction, ...]:
        """Classifies all photos of an index."""
        if not len(index):
            return ()
        answers = self.answers(index, range(len(index)))
        return tuple(
            self._prediction(file, answers, number) for number, file in enumerate(index.paths)
        )

    def predictions_of(self, block: Block) -> list[Prediction]:
        """Returns what was said of the files of a block, one by one."""
        if block.answers is None:
            return []
        return [
            self._prediction(file, block.answers, number) for number, file in enumerate(block.files)
        ]

    def _block(self, gathered: "_Gathered") -> Block:
        rows = np.concatenate(gathered.rows)
        answers = self._judge(rows) if len(rows) else None
        return Block(tuple(gathered.files), answers, tuple(gathered.set_aside))

    def _unreadable(self, files: Sequence[str | Path], block_size: int) -> Iterator[Block]:
        for batch in file_batches(files, image_size=self.image_size, batch_size=block_size):
            yield Block((), None, batch.set_aside)

    def _judge(self, rows: Any) -> Answers:
        features, outputs = split_answer(rows, self._outputs)
        p, trust = both_classes(outputs), self._trust
        sets = None if trust.conformal is None else trust.conformal.sets(p, self._coverage)
        if trust.familiarity is None:
            return Answers(p, sets, None)
        distances = trust.familiarity.distances(features)
        return Answers(p, sets, distances, distances > trust.familiarity.limit)

    def _prediction(self, file: str, answers: Answers, number: int) -> Prediction:
        row = answers.probabilities[number]
        order = np.argsort(-row, kind="stable")
        names = [self.class_names[i] for i in order]
        chosen = order[:1] if answers.sets is None else order[answers.sets[number][order]]
        return Prediction(
            file,
            names[0],
            float(row[order[0]]),
            {self.class_names[i]: float(row[i]) for i in order},
            tuple(self.class_names[i] for i in chosen),
            None if answers.distances is None else float(answers.distances[number]),
            answers.is_unfamiliar is not None and bool(answers.is_unfamiliar[number]),
        )


@dataclass(slots=True)
class _Gathered:
    """A block in the making."""

    files: list[str] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    listed: int = 0

    def add(self, batch: FileBatch, rows: Rows) -> None:
        self.files.extend(batch.files)
        self.rows.append(rows)
        self.set_aside.extend(batch.set_aside)
        self.listed += len(batch)
