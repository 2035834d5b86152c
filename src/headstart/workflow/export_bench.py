"""Golden photos and what `model.keras` says of them: what exports are measured against."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.export.parity import Parity
from headstart.artifact.run import Run
from headstart.data.store import CachePlace
from headstart.heads.linear import both_classes
from headstart.process import KerasProcess, keras_process
from headstart.progress import Progress
from headstart.workflow.golden import Golden, golden_photos

MODULE = "headstart.artifact.export.convert"
"""What runs where Keras is."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A model file on golden photos, by one runtime.

    Attributes:
        runtime: name and version.
        size_bytes: of the model file or folder.
        photos_per_second: on this machine, 16 photos a call (LiteRT one).
        parity: its answers beside those of `model.keras`.
    """

    runtime: str
    size_bytes: int
    photos_per_second: float
    parity: Parity


@dataclass(frozen=True, slots=True)
class Bench:
    """What several exports of one run can share.

    Attributes:
        run: whose classifier is exported.
        child: Keras on the backend that gave the reference.
        backend: which that is.
        golden: photos that everything is proven on, and their labels.
        reference: probabilities float32 (N, K) of `model.keras`.
        measured: the same with its size and speed.
        scratch: a folder for what passes between processes.
    """

    run: Run
    child: KerasProcess
    backend: str
    golden: Golden
    reference: NDArray[np.float32]
    measured: Measured
    scratch: Path


@contextmanager
def bench(
    run: Run, backend: str, *, photos: str | Path | None, count: int, progress: Progress
) -> Iterator[Bench]:
    """Prepares golden photos and what `model.keras` says of them.

    Args:
        run: a run folder that was read.
        backend: of Keras, for the reference and for conversions.
        photos: labelled photos, or None for the run's own.
        count: photos at most.
        progress: told how far it is.
    """
    run.check("model.keras")
    with ExitStack() as stack:
        child = stack.enter_context(keras_process(backend))
        child.start()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="headstart-")))
        place = CachePlace.default()
        golden = golden_photos(
            run, photos, count=count, folder=folder, place=place, progress=progress
        )
        answers = folder / "reference.npy"
        said = child.call(
            f"{MODULE}:answer",
            model_file=str(run.model_file), photos=str(golden.file), answers=str(answers),
        ).result()  # fmt: skip
        reference = both_classes(np.load(answers, allow_pickle=False))
        progress.step("golden photos", len(golden.labels), len(golden.labels))
        same = Parity.between(reference, reference, golden.labels)
        measured = Measured(
            said["runtime"], size_of(run.model_file), said["photos_per_second"], same
        )
        yield Bench(run, child, backend, golden, reference, measured, folder)


def size_of(model: Path) -> int:
    """Returns the bytes of a model file, with the weights beside it, or of a model folder."""
    if model.is_dir():
        return sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
    weights = model.with_suffix(".bin")  # of OpenVINO
    return model.stat().st_size + (weights.stat().st_size if weights.exists() else 0)
