"""Golden photos through an export, in a process that cannot import this package.

Command:  python -I prove.py FOLDER PHOTOS.npy ANSWERS.npy '{"settings": {}}'

FOLDER holds `run.py`; the last argument is passed on to its `load`. Prints JSON.
"""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

BATCH_SIZE = 16
"""Photos a call, for runtimes that take several at once."""


class _Blocked:
    """Lets an import of the package that made the export fail, should it be installed here."""

    def find_spec(self, name: str, *_: object) -> None:
        """Refuses one package, and leaves all others to the finders behind this one."""
        if name.partition(".")[0] == "headstart":
            raise ModuleNotFoundError("an export runs without headstart", name=name)


def _load(folder: Path, arguments: dict[str, Any]) -> tuple[Any, str]:
    spec = spec_from_file_location("run", folder / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load(**arguments), module.RUNTIME


def evaluate(classify: Any, photos: str) -> tuple[Any, float]:
    """Runs all photos once, after a first batch of each length that does not count.

    Args:
        classify: photos float32 (B, S, S, 3) in, answers (B, K) out.
        photos: `.npy` file, uint8 (N, S, S, 3).

    Returns:
        Answers float32 (N, K), and photos a second.
    """
    pixels = np.load(photos, mmap_mode="r", allow_pickle=False)
    parts = [pixels[at : at + BATCH_SIZE] for at in range(0, len(pixels), BATCH_SIZE)]
    for part in {len(part): part for part in parts}.values():
        classify(np.asarray(part, np.float32))
    rows, seconds = [], 0.0
    for part in parts:
        batch = np.asarray(part, np.float32)
        begin = perf_counter()
        rows.append(np.asarray(classify(batch), np.float32))
        seconds += perf_counter() - begin
    return np.concatenate(rows), len(pixels) / seconds


def prove(folder: str, photos: str, answers: str, arguments: str) -> dict[str, Any]:
    """Evaluates photos by the export in a folder and writes the answers."""
    classify, runtime = _load(Path(folder), json.loads(arguments))
    rows, speed = evaluate(classify, photos)
    np.save(answers, rows, allow_pickle=False)
    return {"runtime": runtime, "photos_per_second": speed}


if __name__ == "__main__":
    sys.meta_path.insert(0, _Blocked())
    print("\n" + json.dumps(prove(*sys.argv[1:])))  # noqa: T201 - the answer of this program
