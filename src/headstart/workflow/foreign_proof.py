"""A stranger's network is proven on this machine: its saved classifier against plain Keras."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.data.batches import photo_batches
from headstart.errors import EngineError
from headstart.features.networks import SavedClassifier
from headstart.features.plain import TOLERANCE, largest_difference
from headstart.files import sha256
from headstart.workflow.fitting import Fitted
from headstart.workflow.setup import Setup
from headstart.workflow.tools import Tools

PHOTOS = 8


def prove_plain(folder: Path, setup: Setup, fitted: Fitted, given: Tools) -> None:
    """Compares the classifier in a run folder with plain Keras, for a backbone of a model file.

    Raises:
        EngineError: when the engine's answers are others.
    """
    if setup.spec.cut is None or fitted.engine != "openvino":
        return
    positions = setup.split.test if len(setup.split.test) else setup.split.train
    photos = next(
        photo_batches(
            setup.index,
            positions[:: max(1, len(positions) // PHOTOS)][:PHOTOS],
            image_size=setup.spec.image_size,
            batch_size=PHOTOS,
            place=given.place,
        )
    )
    found = difference(folder / "model.keras", photos, precision=fitted.precision, given=given)
    if found is not None and found > TOLERANCE[fitted.precision]:
        raise EngineError(
            f"OpenVINO computes {Path(setup.recipe.backbone).name} otherwise than Keras: answers "
            f"differ by up to {found:.2g} on {len(photos)} photos. Nothing was kept. Use --engine "
            "keras."
        )


def difference(
    model_file: Path, photos: NDArray[np.uint8], *, precision: str, given: Tools
) -> float | None:
    """Returns by how much OpenVINO's answers differ from plain Keras' at most."""
    network = SavedClassifier(model_file, sha256(model_file), given.caller)
    return largest_difference(network, photos, place=given.place, precision=precision)
