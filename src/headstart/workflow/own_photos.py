"""The photos that a run learnt from and was tested on, read again from where they lay."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run
from headstart.data.fixes import apply_fixes, read_fixes
from headstart.data.index import ImageIndex
from headstart.data.split import SIDES, Split, read_split_csv
from headstart.data.store import CachePlace
from headstart.errors import PhotosError, RunError
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork, SavedClassifier, split_answer
from headstart.progress import Progress
from headstart.recipe import TrainRecipe, read_recipe
from headstart.workflow.intake import read_photos
from headstart.workflow.labels import labels_in_run
from headstart.workflow.setup import choose_network
from headstart.workflow.tools import Tools


@dataclass(frozen=True)
class OwnPhotos:
    """What a run's recipe and split say, with the photos behind it.

    Attributes:
        run: the run folder.
        recipe: how it was made.
        index: its photos; ones that came later are in no split.
        split: as `split.csv` has it; photos that are gone are missing.
    """

    run: Run
    recipe: TrainRecipe
    index: ImageIndex
    split: Split

    @property
    def used(self) -> NDArray[np.int64]:
        """Positions of all photos of train, validation and test, in this order."""
        return np.concatenate([self.split.train, self.split.validation, self.split.test])


def read_own_photos(
    run: Run, *, image_size: int, place: CachePlace, progress: Progress
) -> OwnPhotos:
    """Reads the photos of a run.

    Raises:
        RunError: when the folder was damaged.
        PhotosError: when the photos are not where they were.
    """
    run.check("split.csv", "recipe.toml")
    recipe = read_recipe(run.folder / "recipe.toml")
    if "://" in recipe.photos:
        raise PhotosError(
            f"This run learnt from {recipe.photos}, which only a cluster reads. Name photos on "
            "this machine instead."
        )
    try:
        index = read_photos(
            recipe.photos,
            test=recipe.test,
            label_from_name=recipe.label_from_name,
            image_size=image_size,
            place=place,
            progress=progress,
        )
    except PhotosError as error:
        raise PhotosError(f"The photos of this run are not where they were: {error}") from error
    if recipe.fixes is not None:
        index = apply_fixes(index, read_fixes(recipe.fixes))
    names = run.manifest.class_names  # an adopted classifier has an order of its own
    index = replace(index, labels=labels_in_run(index, names), class_names=names)
    sides = {row.file: row.split for row in read_split_csv(run.folder / "split.csv")}
    side_of = [sides.get(path, "") for path in index.paths]
    found = {side: np.flatnonzero([each == side for each in side_of]) for side in SIDES}
    unused = np.flatnonzero([each not in SIDES for each in side_of])
    return OwnPhotos(
        run, recipe, index, Split(found["train"], found["validation"], found["test"], unused)
    )


def is_adopted(run: Run) -> bool:
    """Tells whether a run is a classifier from elsewhere, which has learnt nothing here."""
    return bool(run.manifest.head.get("adopted"))


def frozen_features(
    own: OwnPhotos, positions: NDArray[np.int64], given: Tools
) -> NDArray[np.float32]:
    """Returns features (N, D) of the frozen backbone, from the cache where they are kept.

    A fine-tuned network's own features would have seen the labels that are in question.
    """
    manifest, size = own.run.manifest, own.run.manifest.image_size
    if is_adopted(own.run):
        raise RunError(
            f"{own.run.folder} was adopted as it is: it has learnt from no photo here, and its "
            "features are not known. Train on it instead: headstart train PHOTOS --backbone FILE."
        )
    is_test = np.isin(positions, own.split.test)
    features: list[NDArray[np.float32]] = []
    frozen = FrozenPass(
        FrozenNetwork(choose_network(own.recipe, given.progress)[1], given.caller),
        engine=given.engine,
        may_fall_back=own.recipe.engine == "auto",
        precision=own.recipe.precision,
        place=given.place,
        progress=given.progress,
    )
    # Test photos went through `model.keras` only; its features are the backbone's while that is
    # frozen, and they are kept beside its answers.
    has_same = manifest.head.get("kept") != "fine-tuned" and own.recipe.pooling != "flatten"
    if not has_same or not is_test.any():
        rows, _ = frozen.rows(own.index, positions, image_size=size, station="features")
        return np.asarray(rows).reshape(len(positions), -1)
    joined = FrozenPass(
        SavedClassifier(own.run.model_file, manifest.digests["model.keras"], given.caller),
        engine=given.engine,
        may_fall_back=True,
        precision=manifest.precision,
        place=given.place,
        progress=given.progress,
    )
    order = np.concatenate([np.flatnonzero(~is_test), np.flatnonzero(is_test)])
    if not is_test.all():
        rows, _ = frozen.rows(own.index, positions[~is_test], image_size=size, station="features")
        features.append(np.asarray(rows))
    rows, _ = joined.rows(own.index, positions[is_test], image_size=size, station="test photos")
    features.append(split_answer(rows, int(manifest.backbone["outputs"]))[0])
    found = np.concatenate(features)
    result = np.empty_like(found)
    result[order] = found
    return result
