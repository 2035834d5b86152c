"""What a model file holds, read by a guarded process: texts and plain arrays, nothing executed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.errors import ModelFileError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_BYTES = 4 * 2**30
"""That all weights of a file may take; the largest of `keras.applications` takes 1.4 GB."""

SECONDS = 20
"""That reading may take; a file of gigabytes gets more, by its size."""

BYTES_PER_SECOND = 20 * 2**20
_RESERVE = 2 * 2**30  # of address space, for Python, NumPy and the HDF5 library
_READER = Path(__file__).with_name("reader.py")
_ENVIRONMENT = {"HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1"}
"""The first keeps the HDF5 library from loading the filters that a file asks for."""


@dataclass(frozen=True, slots=True)
class SavedArray:
    """One array of weights in a file.

    Attributes:
        place: path in the file.
        owner: names of the layers that it belongs to, outermost first; `<group>` where the file
            does not say the name.
        name: as the file calls it; empty where it only counts.
        number: its place among its owner's.
        shape: of it.
        dtype: NumPy's word, such as "<f4".
        offset: where its bytes begin in what was read.
    """

    place: str
    owner: tuple[str, ...]
    name: str
    number: int
    shape: tuple[int, ...]
    dtype: str
    offset: int

    @property
    def size(self) -> int:
        """Numbers in it."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Contents:
    """A model file as it stands.

    Attributes:
        file: where it lies.
        format: "keras" (an archive), or "h5".
        layout: of the weights: "legacy" (a list of layers) or "keras3" (a tree).
        config: of the model, as JSON gave it; None in a file of weights alone.
        training_config: loss and optimizer, or None.
        keras_version: that saved it; empty where it does not say.
        date_saved: the same.
        assets: further files in the archive.
        arrays: all weights.
        values: bytes of all arrays, where they were asked for.
    """

    file: Path
    format: str
    layout: str
    config: Any
    training_config: Any
    keras_version: str
    date_saved: str
    assets: tuple[str, ...]
    arrays: tuple[SavedArray, ...]
    values: NDArray[np.uint8] | None = None

    def array(self, saved: SavedArray) -> NDArray[Any]:
        """Returns the numbers of one array."""
        import numpy as np

        assert self.values is not None
        dtype = np.dtype(saved.dtype)
        end = saved.offset + saved.size * dtype.itemsize
        return self.values[saved.offset : end].view(dtype).reshape(saved.shape)


def is_model_file(name: str) -> bool:
    """Tells a path of a model file from a word, by its ending alone.

    Example:
        >>> is_model_file("my_model_A.h5"), is_model_file("MobileNetV2")
        (True, False)
    """
    return Path(name).suffix.lower() in (".h5", ".hdf5", ".keras")


def read_contents(file: str | Path, *, max_bytes: int = MAX_BYTES) -> Contents:
    """Reads a model file without its weights' numbers.

    Args:
        file: `.keras`, `.h5` or `.hdf5`, known by its content.
        max_bytes: that its weights may take.

    Raises:
        ModelFileError: when it is missing, damaged, dangerous or none of these.
    """
    path = _require_file(file)
    return _contents(path, _ask(path, max_bytes, arrays_to=None), None)


@contextmanager
def read_with_weights(file: str | Path, *, max_bytes: int = MAX_BYTES) -> Iterator[Contents]:
    """Reads a model file with all numbers, which are there as long as the block lasts.

    Raises:
        ModelFileError: as `read_contents`.
    """
    import numpy as np

    path = _require_file(file)
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        numbers = Path(folder, "arrays")
        answer = _ask(path, max_bytes, arrays_to=numbers)
        is_empty = not numbers.is_file() or numbers.stat().st_size == 0
        values = np.empty(0, np.uint8) if is_empty else np.fromfile(numbers, np.uint8)
        yield _contents(path, answer, values)


def _require_file(file: str | Path) -> Path:
    path = Path(file)
    if (path / "saved_model.pb").is_file() or (path / "saved_model.pbtxt").is_file():
        raise ModelFileError(
            f"file={str(file)!r} is a SavedModel: a program of TensorFlow's, which can read and "
            "write files when it runs, and not a list of layers. Load it where it was made, and "
            "save it as .keras."
        )
    if path.is_dir():
        raise ModelFileError(f"file={str(file)!r} is a folder. Give a .keras, .h5 or .hdf5 file.")
    if not path.is_file():
        raise ModelFileError(
            f"file={str(file)!r} does not exist. Give a .keras, .h5 or .hdf5 file."
        )
    return path


def _ask(path: Path, max_bytes: int, *, arrays_to: Path | None) -> dict[str, Any]:
    seconds = SECONDS + path.stat().st_size // BYTES_PER_SECOND
    request = {
        "file": str(path.resolve()),
        "max_bytes": max_bytes,
        "memory": max_bytes + _RESERVE,
        "seconds": seconds,
        "arrays_to": None if arrays_to is None else str(arrays_to),
    }
    try:
        done = subprocess.run(  # noqa: S603 - this Python, and a file of this package
            # Isolated: neither the working folder nor PYTHONPATH can put a module in its way.
            [sys.executable, "-I", str(_READER)],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=seconds + 10,
            env={**os.environ, **_ENVIRONMENT},
            check=False,
        )
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise _refused(path, f"reading it did not end within {seconds} seconds") from None
    except ValueError:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        why = f"the HDF5 library gave up on it (exit {done.returncode}{': ' if words else ''}"
        raise _refused(path, f"it is damaged: {why}{' '.join(words)})") from None
    if "refused" in answer:
        raise _refused(path, answer["refused"])
    return dict(answer)


def _refused(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(f"file={str(path)!r} is refused: {reason}.")


def _contents(path: Path, answer: dict[str, Any], values: NDArray[np.uint8] | None) -> Contents:
    config = _json(path, answer.get("config"), "config")
    metadata = _json(path, answer.get("metadata"), "metadata") or {}
    training = _json(path, answer.get("training_config"), "training_config")
    if not isinstance(metadata, dict):
        metadata = {}
    if training is None and isinstance(config, dict):
        training = config.get("compile_config")
    version = answer.get("keras_version") or metadata.get("keras_version") or ""
    return Contents(
        file=path,
        format=answer["format"],
        layout=answer.get("layout", "keras3"),
        config=config,
        training_config=training,
        keras_version=str(version),
        date_saved=str(metadata.get("date_saved") or ""),
        assets=tuple(answer.get("assets", ())),
        arrays=tuple(
            SavedArray(
                place=each["place"],
                owner=tuple(each["owner"]),
                name=each["name"],
                number=each["number"],
                shape=tuple(each["shape"]),
                dtype=each["dtype"],
                offset=each["offset"],
            )
            for each in answer["arrays"]
        ),
        values=values,
    )


def _json(path: Path, text: str | None, name: str) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"its {name} is no JSON ({error})") from None
