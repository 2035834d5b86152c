"""The runs that a server answers with, by name; replaced whole when they change on disk."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run, load_run
from headstart.errors import ArgumentError, HeadstartError, near_matches
from headstart.prediction import Prediction
from headstart.serving.limits import UnknownModelError

logger = logging.getLogger("headstart.serving")

Predict = Callable[[NDArray[np.uint8], Sequence[str]], Sequence[Prediction]]
"""Photos (N, S, S, 3) and their names in, N predictions out."""

Explain = Callable[[NDArray[np.uint8], NDArray[np.int64]], tuple[NDArray[np.float32], str]]
"""Photos (N, S, S, 3) and a class of each in, maps (N, h, w) in [0, 1] and their method out."""


@dataclass(frozen=True, slots=True, eq=False)
class ServedModel:
    """A run, loaded and warm.

    Attributes:
        name: of its folder.
        run: what was loaded.
        engine: in use.
        precision: in use.
        predict: what `headstart predict` answers.
        explain: heat maps.
    """

    name: str
    run: Run
    engine: str
    precision: str
    predict: Predict
    explain: Explain

    @property
    def image_size(self) -> int:
        """Side in pixels of what the network sees."""
        return self.run.manifest.image_size

    @property
    def digest(self) -> str:
        """SHA-256 of `model.keras`."""
        return self.run.manifest.digests["model.keras"]

    def to_dict(self) -> dict[str, Any]:
        """Returns what `/v1/models` says of it."""
        manifest = self.run.manifest
        metrics = manifest.metrics or {}
        return {
            "name": self.name,
            "class_names": list(manifest.class_names),
            "backbone": str(manifest.backbone.get("name", "")),
            "licence": manifest.backbone.get("licence"),
            "image_size": manifest.image_size,
            "engine": self.engine,
            "precision": self.precision,
            "digest": self.digest,
            "trained_on": manifest.photos.get("train"),
            "top_1": metrics.get("top_1"),
            "top_1_interval": metrics.get("top_1_interval"),
        }


Load = Callable[[Run], ServedModel]
"""Loads a run and answers with it once, so that the first request does not wait."""


class Models:
    """What is served now. A request keeps the model that it began with."""

    def __init__(self, folders: Sequence[Path], load: Load) -> None:
        """Loads runs.

        Args:
            folders: of runs; the first is asked where a request names none.
            load: how.

        Raises:
            ArgumentError: when two folders have the same name.
            RunError: when one is no run or was damaged.
        """
        self._folders = {folder.resolve().name: folder for folder in folders}
        if len(self._folders) < len(folders):
            raise ArgumentError(
                "run: two of the folders have the same name, which is what requests call them by. "
                "Rename one."
            )
        self._load = load
        self._models = {name: load(load_run(folder)) for name, folder in self._folders.items()}

    def __iter__(self) -> Any:
        return iter(tuple(self._models.values()))

    def find(self, name: str | None) -> ServedModel:
        """Returns a model by name, or the first.

        Raises:
            UnknownModelError: naming those that there are.
        """
        if name is None:
            return next(iter(self._models.values()))
        if name not in self._models:
            raise UnknownModelError(
                f"model={name[:100]!r} is not served here. Choose one of "
                f"{', '.join(self._models)}.{near_matches(name[:100], self._models)}"
            )
        return self._models[name]

    def reload(self) -> None:
        """Loads what changed on disk and puts it in the old one's place; a broken one stays out."""
        for name, folder in self._folders.items():
            try:
                run = load_run(folder)
                if run.manifest == self._models[name].run.manifest:
                    logger.info("unchanged", extra={"model": name})
                    continue
                self._models[name] = self._load(run)
            except HeadstartError as error:
                logger.error("reload failed: %s", error, extra={"model": name})
            else:
                digest = self._models[name].digest
                logger.info("reloaded", extra={"model": name, "digest": digest})
