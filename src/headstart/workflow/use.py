"""What a run folder is for: `predict` and `evaluate`, from the folder alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run, load_run
from headstart.artifact.tables import write_predictions
from headstart.data.index import ImageIndex
from headstart.data.store import CachePlace
from headstart.data.stream import photo_files
from headstart.data.walk import SetAside
from headstart.errors import PhotosError
from headstart.evaluation.conformal import COVERAGE, check_sets
from headstart.evaluation.metrics import Evaluation
from headstart.evaluation.metrics import evaluate as evaluate_probabilities
from headstart.files import atomic_file
from headstart.prediction import Prediction
from headstart.progress import Progress
from headstart.workflow.intake import Photos, read_photos, test_or_all
from headstart.workflow.labels import labels_in_run
from headstart.workflow.predictor import make_predictor, read_on_cluster, source_on_cluster
from headstart.workflow.tools import RayPlace, tools


@dataclass(frozen=True)
class Predictions:
    """What `predict` returns.

    Attributes:
        predictions: one a readable photo, in the order given.
        set_aside: files that could not be read, with reasons.
    """

    predictions: tuple[Prediction, ...]
    set_aside: tuple[SetAside, ...]

    def __iter__(self) -> Any:
        return iter(self.predictions)

    def __len__(self) -> int:
        return len(self.predictions)


def predict(
    run: Run | str | Path,
    photos: str | Path | Sequence[str | Path],
    *,
    coverage: float = COVERAGE,
    engine: str = "auto",
    precision: str | None = None,
    ray: str | None = None,
    shards: str | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Classifies photos with a run folder.

    Args:
        run: a run folder, or what `load_run` returned.
        photos: a photo, a folder, or several of these.
        coverage: how often the candidates of a prediction shall hold the true class. More than one
            candidate means "not sure".
        engine: "auto" takes the one that made the reported numbers, where this machine has it.
        precision: None takes the one of the reported numbers.
        ray: address of a Ray cluster that reads and classifies: `HOST:PORT`, `auto` or `local`.
            `photos` may then be a URI or shards.
        shards: folder or URI where the cluster keeps answers; in the cache when left out.
        progress: told about every photo.

    Returns:
        The predictions in order, and the files that could not be read.

    Raises:
        RunError: when the folder is no run or was damaged.
        PhotosError: when a photo does not exist.

    Example:
        >>> import headstart
        >>> found = headstart.predict(RUN, PHOTOS)
        >>> for prediction in list(found)[:2]:
        ...     print(prediction.file, prediction.class_name)
        photos/cats/cats_0000.png cats
        photos/cats/cats_0001.png cats
    """
    opened = run if isinstance(run, Run) else load_run(run)
    named = [photos] if isinstance(photos, str | Path) else photos
    on = RayPlace.named(ray, shards)
    source = None if on is None else source_on_cluster(named)
    files = photo_files(named) if source is None else ()
    with tools(engine, progress, ray=on) as given:
        predictor = make_predictor(
            opened, given, engine=engine, precision=precision, coverage=coverage
        )
        if source is not None:
            index = read_on_cluster(predictor, source)
            return Predictions(predictor.predictions(index), index.set_aside)
        predictor.begin()
        found, set_aside = predictor.predict(files)
        return Predictions(tuple(found), tuple(set_aside))


def evaluate(
    run: Run | str | Path,
    photos: Photos | None = None,
    *,
    label_from_name: str | None = None,
    coverage: float = COVERAGE,
    engine: str = "auto",
    precision: str | None = None,
    predictions_csv: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Measures a run on labelled photos.

    Args:
        run: a run folder, or what `load_run` returned.
        photos: labelled photos (all of them are used, or their test split where they have one);
            None takes the test split of the run, read again from where it lay.
        label_from_name: finds the class in a file's name.
        coverage: of the sets of classes that `Evaluation.answered` measures.
        engine: as for `predict`.
        precision: as for `predict`.
        predictions_csv: where to write a row a photo, or None.
        progress: told about every photo.

    Raises:
        RunError: when the folder is no run or was damaged.
        PhotosError: when the photos are missing, changed, or have unknown classes.

    Example:
        >>> import headstart
        >>> headstart.evaluate(RUN, PHOTOS).count > 0
        True
    """
    opened = run if isinstance(run, Run) else load_run(run)
    with tools(engine, progress) as given:
        predictor = make_predictor(
            opened, given, engine=engine, precision=precision, coverage=coverage
        )
        predictor.begin()
        size = opened.manifest.image_size
        if photos is None:
            index, chosen = _own_test_photos(opened, size, given.place, given.progress)
        else:
            index = read_photos(
                photos,
                label_from_name=label_from_name,
                image_size=size,
                place=given.place,
                progress=given.progress,
            )
            chosen = test_or_all(index)
        answers = predictor.answers(index, chosen)
    labels = labels_in_run(index, opened.manifest.class_names)[chosen]
    files = [index.paths[position] for position in chosen]
    names = opened.manifest.class_names
    if predictions_csv is not None:
        with atomic_file(Path(predictions_csv)) as temporary:
            write_predictions(
                temporary,
                files=files,
                labels=labels,
                probabilities=answers.probabilities,
                class_names=names,
            )
    found = evaluate_probabilities(
        answers.probabilities, labels, class_names=names, files=files, seed=opened.manifest.seed
    )
    return replace(
        found,
        unfamiliar=None if answers.is_unfamiliar is None else float(answers.is_unfamiliar.mean()),
        answered=None
        if answers.sets is None
        else check_sets(answers.sets, labels, coverage=coverage),
    )


def _own_test_photos(
    run: Run, image_size: int, place: CachePlace, progress: Progress
) -> tuple[ImageIndex, NDArray[np.int64]]:
    # What reads a run's own photos again reads recipes and weights too; `predict` needs neither.

    if not run.manifest.photos["test"]:
        raise PhotosError("This run has no test photos of its own. Give labelled photos: PHOTOS.")
    from headstart.workflow.own_photos import read_own_photos

    own = read_own_photos(run, image_size=image_size, place=place, progress=progress)
    gone = run.manifest.photos["test"] - len(own.split.test)
    if gone:
        raise PhotosError(
            f"{gone} of the {run.manifest.photos['test']} test photos of this run are gone "
            f"from {own.recipe.photos}. Give labelled photos: headstart evaluate RUN PHOTOS."
        )
    return own.index, own.split.test
