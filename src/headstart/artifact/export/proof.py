"""An export in a fresh process, by its own runtime, without this package."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.export import standalone
from headstart.errors import EngineError

_PLACE = Path(standalone.__file__).parent


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """What a runtime makes of golden photos.

    Attributes:
        answers: float32 (N, K), or (N, 1) where one unit stands for two classes.
        photos_per_second: after a first batch that does not count.
        runtime: name and version.
    """

    answers: NDArray[np.float32]
    photos_per_second: float
    runtime: str


def copy_companions(folder: Path, loader: str) -> None:
    """Puts beside a model what loads it (`run.py`) and what prepares photos (`preprocess.py`)."""
    shutil.copyfile(_PLACE / f"{loader}.py", folder / "run.py")
    shutil.copyfile(_PLACE / "preprocess.py", folder / "preprocess.py")


def run_apart(folder: Path, photos: Path, *, backend: str, **arguments: Any) -> Proof:
    """Evaluates photos by the export in a folder.

    Args:
        folder: holds the model and `run.py`.
        photos: `.npy` file, uint8 (N, S, S, 3).
        backend: that Keras has there, for formats that Keras itself loads.
        arguments: for `load` in `run.py`.

    Raises:
        EngineError: when the runtime fails, with its last words.
    """
    answers = photos.with_name("answers.npy")
    # -I keeps the working folder and PYTHONPATH out: nothing but installed packages is found.
    command = [sys.executable, "-I", "-B", str(_PLACE / "prove.py"), str(folder), str(photos)]
    done = subprocess.run(  # noqa: S603 - this interpreter and a program of ours
        [*command, str(answers), json.dumps(arguments)],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = " | ".join(done.stderr.strip().splitlines()[-3:])
        raise EngineError(
            f"The exported file cannot be run by its own runtime (exit {done.returncode}); it was "
            f"not kept. Its last words: {last}"
        )
    said = json.loads(done.stdout.strip().splitlines()[-1])
    rows = np.load(answers, allow_pickle=False)
    return Proof(rows, float(said["photos_per_second"]), str(said["runtime"]))
