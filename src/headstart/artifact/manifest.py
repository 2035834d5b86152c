"""`manifest.json`: what a run folder is and how to repeat it."""

import json
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from headstart.errors import RunError

FORMAT = 1
"""Raised when an older reader would misunderstand a run folder; older numbers stay readable."""

_PACKAGES = ("headstart", "keras", "numpy", "openvino", "pillow", "scikit-learn")


@dataclass(frozen=True)
class Manifest:
    """Everything about a classifier that is not weights.

    Attributes:
        format: number of the layout of a run folder.
        class_names: in the order of the probabilities.
        backbone: name in the catalogue, weights (kind and SHA-256), pooling, licence and paper.
        image_size: side of the square input in pixels.
        head: kind, settings and what was chosen for it.
        engine: "openvino" or "keras", which made the reported numbers and makes predictions.
        precision: of those numbers; `model.keras` itself is float32.
        seed: of everything drawn.
        temperature: by which logits were divided, 1 where nothing was calibrated.
        calibration: what it was fitted on and what it did to the test photos; see
            `headstart.evaluation.calibration.Calibration`.
        photos: how many in which split, how many set aside.
        metrics: of the test split, or None where there was none.
        agreement: joined model against cached features, on test photos.
        versions: of Python and the packages that decide the result.
        digests: SHA-256 of the other files in the folder.
    """

    format: int
    class_names: tuple[str, ...]
    backbone: dict[str, Any]
    image_size: int
    head: dict[str, Any]
    engine: str
    precision: str
    seed: int
    temperature: float
    photos: dict[str, Any]
    metrics: dict[str, Any] | None
    agreement: dict[str, Any] | None
    versions: dict[str, str]
    digests: dict[str, str]
    calibration: dict[str, Any] | None = None

    def write(self, file: Path) -> None:
        """Writes it as indented JSON."""
        file.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", "utf-8")


def read_manifest(file: Path) -> Manifest:
    """Reads a manifest and checks that this version understands it.

    Raises:
        RunError: naming the file and what is wrong with it.
    """
    try:
        values = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise RunError(
            f"run={str(file.parent)!r} is no run folder: it has no {file.name}. "
            "Give a folder that `headstart train` wrote."
        ) from None
    except (OSError, ValueError) as error:
        raise RunError(f"{file} cannot be read: {error}. Train again.") from error
    number = values.get("format") if isinstance(values, dict) else None
    if not isinstance(number, int) or number > FORMAT:
        raise RunError(
            f"{file} has format {number!r}; this version reads up to {FORMAT}. "
            "Install a newer headstart: pip install -U headstart."
        )
    try:
        return Manifest(**(values | {"class_names": tuple(values["class_names"])}))
    except (KeyError, TypeError) as error:
        raise RunError(f"{file} lacks or has unknown entries: {error}. Train again.") from error


def versions() -> dict[str, str]:
    """Returns the versions that decide a result."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
