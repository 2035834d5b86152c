"""A run folder, read."""

from dataclasses import dataclass
from pathlib import Path

from headstart.artifact.manifest import Manifest, read_manifest
from headstart.errors import RunError
from headstart.files import sha256


@dataclass(frozen=True)
class Run:
    """A run folder that `headstart train` wrote.

    Attributes:
        folder: where it lies.
        manifest: what it is.
    """

    folder: Path
    manifest: Manifest

    @property
    def model_file(self) -> Path:
        """`model.keras`: 0..255 RGB in, probabilities out; opens with plain Keras."""
        return self.folder / "model.keras"

    def check(self, *names: str) -> None:
        """Verifies files against the manifest before they are used.

        Raises:
            RunError: when one is missing or not as it was written.
        """
        for name in names:
            file = self.folder / name
            if not file.is_file():
                raise RunError(f"{file} is missing. Copy the whole run folder, or train again.")
            if sha256(file) != self.manifest.digests.get(name):
                raise RunError(
                    f"{file} is not as it was written (its SHA-256 differs from the manifest). "
                    "Copy the run folder again, or train again."
                )


def load_run(folder: str | Path) -> Run:
    """Reads a run folder; nothing in it is executed.

    Args:
        folder: written by `headstart train`.

    Returns:
        The run; its model is not loaded yet.

    Raises:
        RunError: when it is no run folder, or one of a newer version.

    Example:
        >>> run = load_run(RUN)
        >>> run.manifest.class_names
        ('cats', 'dogs')
    """
    place = Path(folder)
    if not place.is_dir():
        raise RunError(f"run={str(folder)!r} is no folder. Give one that `headstart train` wrote.")
    return Run(place, read_manifest(place / "manifest.json"))
