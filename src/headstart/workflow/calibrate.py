"""The station that makes probabilities mean what they say, on photos nothing was learnt from."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import TrainingError
from headstart.evaluation.calibration import (
    MIN_PHOTOS,
    Calibration,
    fit_temperature,
    with_temperature,
)
from headstart.evaluation.conformal import Conformal
from headstart.workflow.fine_tune import FineTuned
from headstart.workflow.fitting import Fitted, FittedHead
from headstart.workflow.setup import Setup
from headstart.workflow.tools import Tools


@dataclass(frozen=True)
class Calibrated:
    """What has learnt, with its temperature folded in.

    Attributes:
        fitted: answers with calibrated probabilities, and saves a model that does.
        calibration: the temperature and what it was fitted on.
        conformal: for sets of classes; None where no photo was held out.
    """

    fitted: Fitted
    calibration: Calibration
    conformal: Conformal | None


def calibrate(setup: Setup, fitted: Fitted, given: Tools) -> Calibrated:
    """Fits one temperature on held-out photos and folds it into the last layer.

    Held out are the validation photos; for a head in closed form also the training photos, each as
    a head said that was fitted without it. The test photos are not looked at.

    Args:
        setup: the photos and their split.
        fitted: what has learnt.
        given: told where calibration is not possible.
    """
    p, labels, source = _held_out(setup, fitted)
    if not len(labels):
        return Calibrated(fitted, Calibration(1.0, "nothing", 0), None)
    temperature = fit_temperature(p, labels) if len(labels) >= MIN_PHOTOS else 1.0
    cooled = _fold(fitted, temperature) if temperature != 1.0 else fitted
    if cooled is None:
        given.progress.say(
            "The head does not end in a Dense layer with a softmax or sigmoid: its probabilities "
            "are left as they are."
        )
        cooled, temperature = fitted, 1.0
    if temperature == 1.0:
        return Calibrated(cooled, Calibration(1.0, "nothing", 0), Conformal.fit(p, labels))
    return Calibrated(
        cooled,
        Calibration(temperature, source, len(labels)),
        Conformal.fit(with_temperature(p, temperature), labels),
    )


def _held_out(setup: Setup, fitted: Fitted) -> tuple[NDArray[Any], NDArray[np.int32], str]:
    labels, split = setup.index.labels, setup.split
    parts: list[tuple[NDArray[Any], NDArray[np.int64], str]] = []
    if len(split.validation):
        parts.append(
            (fitted.probabilities(setup, split.validation), split.validation, "validation")
        )
    linear = fitted.linear if isinstance(fitted, FittedHead) else None
    if linear is not None and linear.out_of_fold is not None:
        parts.append((linear.out_of_fold, split.train, "out-of-fold"))
    if not parts:
        return np.zeros((0, len(setup.index.class_names))), labels[:0], "nothing"
    return (
        np.concatenate([part[0] for part in parts]),
        labels[np.concatenate([part[1] for part in parts])],
        " and ".join(part[2] for part in parts),
    )


def _fold(fitted: Fitted, temperature: float) -> Fitted | None:
    """Returns the same classifier at another temperature; None where its head cannot take it."""
    if isinstance(fitted, FittedHead) and fitted.linear is not None:
        return replace(fitted, linear=fitted.linear.cooled(temperature))
    from headstart.heads.networks import fold_temperature

    # A fine-tuned head was copied into what was trained; both answer, one by way of what was kept.
    networks: list[Any] = []
    if isinstance(fitted, FittedHead):
        networks = [fitted.network]
    elif isinstance(fitted, FineTuned):
        networks = [fitted.head, fitted.suffix]
    folded = [fold_temperature(network, temperature) for network in networks]
    if any(folded) and not all(folded):
        raise TrainingError("The head ends in a Dense layer, and the network it was joined to not.")
    return fitted if folded and all(folded) else None
