"""How the journeys come by a run's predictor, and by photos that only a cluster reads for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.artifact.run import Run
from headstart.data.index import ImageIndex
from headstart.evaluation.conformal import COVERAGE
from headstart.prediction import Predictor
from headstart.workflow.tools import Tools

if TYPE_CHECKING:
    from headstart.scale.source import Source


def make_predictor(
    run: Run,
    given: Tools,
    *,
    engine: str = "auto",
    precision: str | None = None,
    coverage: float = COVERAGE,
) -> Predictor:
    """Prepares a run for photos, here or on the cluster.

    Args:
        run: a run folder that was read.
        given: cache, listener, Keras and where frozen networks are evaluated.
        engine: "auto" takes the one that the manifest names, where this machine has it.
        precision: None takes the one that the manifest names.
        coverage: how often the candidates shall hold the true class, below 1.

    Raises:
        ArgumentError: when an argument does not fit.
        RunError: when a file of the run is not as it was written.
    """
    return Predictor(
        run,
        caller=given.caller,
        place=given.place,
        progress=given.progress,
        engine=engine,
        precision=precision,
        coverage=coverage,
        make_pass=given.pass_maker,
    )


# One photo here does without what a cluster needs, so the two import it when they are called.


def source_on_cluster(photos: Sequence[str | Path]) -> "Source":
    """Lists photos that a cluster reads."""
    from headstart.workflow.on_ray import source_to_predict

    return source_to_predict(photos)


def read_on_cluster(predictor: Predictor, source: "Source") -> ImageIndex:
    """Lets a cluster read and classify photos."""
    from headstart.workflow.on_ray import read_source

    return read_source(predictor.frozen_pass, source, predictor.image_size)
