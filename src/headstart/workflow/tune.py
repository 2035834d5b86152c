"""Which settings for these photos, by many small trainings that never see the test photos."""

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.checks import require_usable
from headstart.data.duplicates import group_duplicates
from headstart.data.index import ImageIndex, take
from headstart.errors import PhotosError
from headstart.files import atomic_file
from headstart.progress import Progress, Silent
from headstart.recipe import TrainRecipe, make_recipe, write_recipe
from headstart.selection.tuning import Score, Trial, search
from headstart.workflow.intake import Photos, photos_name, read_photos
from headstart.workflow.setup import choose_network, split_index
from headstart.workflow.tools import RayPlace, tools
from headstart.workflow.train import train_recipe

STOPPING = 0.15
"""Of the training photos: those that say when a head has learnt enough."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search found.

    Attributes:
        trials: the best first.
        recipe: the TOML file with the best settings.
        judged_on: photos that the trials were judged on; none of the test split is among them.
    """

    trials: tuple[Trial, ...]
    recipe: Path
    judged_on: int

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return {
            "trials": [asdict(trial) for trial in self.trials],
            "recipe": str(self.recipe),
            "judged_on": self.judged_on,
        }


def tune(
    photos: Photos,
    *,
    trials: int = 50,
    out: str | Path = "tuned",
    ray: str | None = None,
    shards: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Tuned:
    """Searches settings for photos: heads on kept features first, then fine-tuning of the best.

    Each trial trains on the training photos and is judged on the validation photos by log loss.
    Photos of the test split are taken out before the search begins.

    Args:
        photos: folder, archive, CSV, index or arrays.
        trials: in all.
        out: folder for `study.sqlite3` and `best.toml`; a search that was ended goes on there.
        ray: address of a Ray cluster that computes features: `HOST:PORT`, `auto` or `local`.
        shards: folder or URI where the cluster keeps them; in the cache when left out.
        progress: told about every trial.
        **options: fields of `headstart.recipe.TrainRecipe` that are not searched: `backbone`,
            `weights`, `image_size`, `seed`, `test`, `engine`, ...

    Raises:
        ArgumentError: when an option does not fit, or `out` holds a search over other photos.
        PhotosError: when the photos cannot be learnt from, or leave none to judge on.

    Example:
        >>> import headstart
        >>> found = headstart.tune(PHOTOS, trials=2, backbone="Starter", out="tuned")
        >>> found.recipe.name, len(found.trials)
        ('best.toml', 2)
    """
    recipe = make_recipe({"photos": photos_name(photos), **options})
    listener, on = progress or Silent(), RayPlace.named(ray, shards)
    index, identity = _without_test(recipe, photos, listener)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)

    def train(settings: Mapping[str, Any], share: float) -> Score:
        part = _part(index, share, recipe.seed)
        return _try(recipe, settings, part, on=on)

    found = search(
        folder / "study.sqlite3",
        trials=trials,
        identity=identity,
        train=train,
        seed=recipe.seed,
        progress=listener,
    )
    if not found or found[0].score is None:
        raise PhotosError("No trial came to anything. Train once, to see why: headstart train.")
    best = _with(recipe, found[0].settings)
    with atomic_file(folder / "best.toml") as temporary:
        write_recipe(best, temporary)
    judged = sum(side == "test" for side in index.splits)
    return Tuned(found, folder / "best.toml", judged)


def _without_test(
    recipe: TrainRecipe, photos: Photos, progress: Progress
) -> tuple[ImageIndex, str]:
    """All photos but the test's: the validation photos stand in for a test, as trials see it."""
    with tools(recipe.engine, progress) as given:
        _, spec = choose_network(recipe, given.progress)
        index = read_photos(
            photos,
            test=recipe.test,
            label_from_name=recipe.label_from_name,
            image_size=spec.image_size,
            place=given.place,
            progress=given.progress,
        )
    require_usable(index)
    split = split_index(index, recipe)
    if not len(split.validation):
        raise PhotosError(
            "tune judges on validation photos, and there are none. Give validation above 0."
        )
    groups = group_duplicates(index.fingerprints, index.thumbnails, index.digests)
    stopping = _stopping(split.train, groups, recipe.seed)
    learning = np.setdiff1d(split.train, stopping)
    positions = np.concatenate([learning, stopping, split.validation])
    if np.intersect1d(positions, split.test).size:
        raise PhotosError("Photos of the test split would have been used to tune; nothing was.")
    sides = ["train"] * len(learning) + ["validation"] * len(stopping)
    sides += ["test"] * len(split.validation)
    part = replace(take(index, positions), splits=tuple(sides), set_aside=())
    named = "\n".join(
        [spec.digest, *(f"{d} {n}" for d, n in zip(part.digests, part.labels, strict=True))]
    )
    return part, hashlib.sha256(named.encode()).hexdigest()


def _stopping(train: NDArray[np.int64], groups: NDArray[np.int32], seed: int) -> NDArray[np.int64]:
    """Draws whole groups of near-duplicates, so that none lies on both sides."""
    own = np.unique(groups[train])
    chosen = np.random.default_rng(seed).permutation(own)[: round(len(own) * STOPPING)]
    return train[np.isin(groups[train], chosen)]


def _part(index: ImageIndex, share: float, seed: int) -> ImageIndex:
    if share >= 1:
        return index
    sides = np.array(index.splits)
    random = np.random.default_rng(seed)
    kept = [np.flatnonzero(sides != "train")]
    for name in np.unique(index.labels):
        own = np.flatnonzero((sides == "train") & (index.labels == name))
        kept.append(random.permutation(own)[: max(2, round(len(own) * share))])
    return take(index, np.sort(np.concatenate(kept)))


def _with(recipe: TrainRecipe, settings: Mapping[str, Any]) -> TrainRecipe:
    return make_recipe(recipe.model_dump(exclude_none=True) | dict(settings))


def _try(
    recipe: TrainRecipe,
    settings: Mapping[str, Any],
    index: ImageIndex,
    *,
    on: RayPlace | None,
) -> Score:
    tried = _with(recipe, settings).model_copy(update={"test": None, "fixes": None})
    with tempfile.TemporaryDirectory() as folder:
        run = train_recipe(tried, photos=index, out=Path(folder, "run"), ray=on)
    metrics = run.manifest.metrics or {}
    return Score(float(metrics["log_loss"]), float(metrics["top_1"]))
