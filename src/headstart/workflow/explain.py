"""The station that asks what in a photo a classifier looked at."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run
from headstart.errors import MissingPackageError
from headstart.explanation.occlusion import occlusion
from headstart.features.engine import backend_name, check_backend

GRAD_CAM = (
    "Bright is what counted for the class that was named (Grad-CAM on the last map of activations)."
)
OCCLUSION = "Bright is what the class that was named could not do without (parts hidden in turn)."

Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class Explainer:
    """Explains photos: by Grad-CAM where the network has a map and Keras has gradients here.

    The model is loaded when the first photo needs it, and kept.
    """

    def __init__(self, run: Run, classify: Classify) -> None:
        """Prepares it.

        Args:
            run: whose `model.keras` is explained.
            classify: the same classifier by the engine of `predict`, for occlusion.
        """
        self._classify = classify
        self._split = cache(lambda: _split_model(run))

    def __call__(
        self, photos: NDArray[np.uint8], classes: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], str]:
        """Returns a map for each photo, and a sentence on what they are.

        Args:
            photos: uint8 (N, S, S, 3).
            classes: (N,), which class of each.

        Returns:
            float32 (N, h, w) in [0, 1], and the sentence.
        """
        split = self._split()
        if split is None:
            return occlusion(self._classify, photos, classes), OCCLUSION
        from headstart.explanation.grad_cam import grad_cam

        return grad_cam(split, photos.astype(np.float32), classes), GRAD_CAM


def _split_model(run: Run) -> Any:
    from headstart.explanation.gradients import BACKENDS

    if backend_name() not in BACKENDS:
        return None
    try:
        check_backend()
    except MissingPackageError:
        return None
    import keras

    from headstart.explanation.grad_cam import split_at_last_map

    run.check("model.keras")
    return split_at_last_map(keras.models.load_model(run.model_file, compile=False))
