"""An adopted classifier on test photos: the split that `train` would make of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart.artifact.manifest import Manifest
from headstart.artifact.run import load_run
from headstart.artifact.tables import write_predictions
from headstart.data.index import ImageIndex
from headstart.data.split import Split, write_split_csv
from headstart.errors import PhotosError
from headstart.evaluation.metrics import evaluate
from headstart.files import sha256
from headstart.recipe import TrainRecipe, read_recipe, write_recipe
from headstart.workflow.intake import read_photos
from headstart.workflow.labels import labels_in_run
from headstart.workflow.predictor import make_predictor
from headstart.workflow.record import test_digest
from headstart.workflow.setup import split_index
from headstart.workflow.tools import Tools


def measure_adopted(folder: Path, photos: str, seed: int, given: Tools) -> Manifest:
    """Tests an adopted classifier, so that it can be compared with runs on the same photos.

    Args:
        folder: that `adopt` has filled.
        photos: folder, archive or CSV; split as `train` would, of which only the test is used.
        seed: of the split.
        given: cache, listener, Keras and engine.

    Returns:
        The manifest, with metrics.

    Raises:
        PhotosError: when no photo is left for the test.
    """
    run = load_run(folder)
    recipe = read_recipe(folder / "recipe.toml").model_copy(update={"photos": photos, "seed": seed})
    index, split = _split(photos, recipe, run.manifest, given)
    predictor = make_predictor(run, given, engine=given.engine)
    probabilities = predictor.answers(index, split.test).probabilities
    files, labels = [index.paths[at] for at in split.test], index.labels[split.test]
    names = run.manifest.class_names
    write_predictions(
        folder / "predictions.csv",
        files=files, labels=labels, probabilities=probabilities, class_names=names,
    )  # fmt: skip
    write_split_csv(
        folder / "split.csv",
        split,
        files=index.paths,
        labels=index.labels,
        class_names=names,
        set_aside=index.set_aside,
    )
    write_recipe(recipe, folder / "recipe.toml")
    found = evaluate(probabilities, labels, class_names=names, files=files, seed=seed)
    counts = {"test": len(split.test), "unused": len(split.unused)}
    manifest = replace(
        run.manifest,
        seed=seed,
        metrics=found.to_dict(),
        photos=run.manifest.photos
        | counts
        | {"set_aside": len(index.set_aside), "test_sha256": test_digest(index, split.test)},
    )
    digests = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    for written_later in ("manifest.json", "report.html"):
        digests.pop(written_later, None)
    return replace(manifest, digests=digests)


def _split(
    photos: str, recipe: TrainRecipe, manifest: Manifest, given: Tools
) -> tuple[ImageIndex, Split]:
    index = read_photos(
        photos, image_size=manifest.image_size, place=given.place, progress=given.progress
    )
    split = split_index(index, recipe)
    if not len(split.test):
        raise PhotosError(
            f"photos={photos!r} leave no photo for the test. Give more of them, or a folder with "
            "train and test in it."
        )
    known = manifest.class_names
    index = replace(index, labels=labels_in_run(index, known), class_names=known)
    nothing = np.empty(0, np.int64)
    rest = np.setdiff1d(np.arange(len(index)), split.test)
    return index, Split(nothing, nothing, split.test, rest)
