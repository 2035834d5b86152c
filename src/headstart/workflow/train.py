"""The main job, top to bottom: from photos to a run folder."""

from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from headstart.artifact.run import Run, load_run
from headstart.backbones.catalogue import Backbone, find_backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import find_weights
from headstart.data.checks import require_usable
from headstart.data.duplicates import group_duplicates
from headstart.data.index import ImageIndex
from headstart.data.split import Split, split_photos
from headstart.errors import ArgumentError
from headstart.features.engine import check_backend, check_precision
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.files import atomic_folder
from headstart.heads.linear import import_solver
from headstart.heads.spec import parse_head
from headstart.process import KerasProcess
from headstart.progress import Progress
from headstart.recipe import TrainRecipe, make_recipe, read_values
from headstart.workflow.fitting import FittedHead, fit_head
from headstart.workflow.intake import Photos, photos_name, read_photos, require_source
from headstart.workflow.record import write_run
from headstart.workflow.tools import Tools, tools


def train(
    photos: Photos,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Trains a classifier on photos and writes a run folder.

    Args:
        photos: a folder of class folders, an archive or CSV of such, an `ImageIndex`, or arrays
            `(X, y)`: uint8 RGB (N, H, W, 3), 0..255, and N labels.
        out: the run folder to write; must not exist. Left out, one is named under `runs/`.
        progress: told how far it is; see `headstart.progress.Progress`.
        **options: the fields of `headstart.recipe.TrainRecipe`, such as `backbone`, `weights`,
            `head`, `test`, `seed`.

    Returns:
        The run folder, read back.

    Raises:
        ArgumentError: before any photo is read, when an option does not fit.
        PhotosError: when the photos cannot be learnt from.
        WeightsError: when the weights are not at hand.
        DiskFullError: when there is no room; nothing half-written is kept.

    Example:
        >>> import headstart
        >>> run = headstart.train(PHOTOS, backbone="Starter", out=RUN)
        >>> run.manifest.class_names
        ('cats', 'dogs')
    """
    recipe = make_recipe({"photos": photos_name(photos), **options})
    return train_recipe(recipe, photos=photos, out=out, progress=progress)


def train_from(
    recipe_file: Path | None,
    settings: dict[str, Any],
    *,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Trains as a TOML file says, with single settings in its place; either may be left out.

    Raises:
        ArgumentError: when the file or a setting does not fit, or no photos are named.
    """
    values = {} if recipe_file is None else read_values(recipe_file)
    if "photos" not in values | settings:
        raise ArgumentError("photos is missing. Name a folder: headstart train PHOTOS.")
    return train_recipe(make_recipe(values | settings), out=out, progress=progress)


def train_recipe(
    recipe: TrainRecipe,
    *,
    photos: Photos | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Trains as a recipe says; `photos` stands in for the recipe's own when it is no path."""
    folder = _run_folder(recipe, out)
    head_spec = parse_head(recipe.head)
    with tools(recipe.engine, progress) as given:
        check_precision(recipe.precision, given.engine)
        if head_spec.needs_gradients:
            check_backend()
        require_source(recipe.photos if photos is None else photos)
        backbone, spec = _frozen_spec(recipe, given.progress)
        if isinstance(given.caller, KerasProcess):
            # It builds while this process reads photos; a converted network is not built otherwise.
            given.caller.call("headstart.artifact.model:prepare", spec=spec.as_json())
        frozen = FrozenPass(
            FrozenNetwork(spec, given.caller),
            engine=given.engine,
            may_fall_back=recipe.engine == "auto",
            precision=recipe.precision,
            place=given.place,
            progress=given.progress,
        )
        frozen.begin()
        Thread(target=import_solver, daemon=True).start()
        index = read_photos(
            recipe.photos if photos is None else photos,
            test=recipe.test,
            label_from_name=recipe.label_from_name,
            image_size=spec.image_size,
            place=given.place,
            progress=given.progress,
        )
        require_usable(index)
        parse_head(recipe.head, class_count=len(index.class_names))
        split = split_index(index, recipe)
        fitted = _fit(index, split, recipe, frozen, image_size=spec.image_size, given=given)
        with atomic_folder(folder) as temporary:
            write_run(
                temporary,
                recipe=recipe,
                backbone=backbone,
                spec=spec,
                index=index,
                split=split,
                frozen=frozen,
                fitted=fitted,
                given=given,
            )
    return load_run(folder)


def split_index(index: ImageIndex, recipe: TrainRecipe) -> Split:
    """Splits photos as a recipe says, near-duplicates together."""
    groups = group_duplicates(index.fingerprints, index.thumbnails, index.digests)
    return split_photos(
        digests=index.digests,
        labels=index.labels,
        groups=groups,
        splits=index.splits,
        class_names=index.class_names,
        seed=recipe.seed,
        validation=recipe.validation,
        test=recipe.test_fraction,
        train_per_class=recipe.train_per_class,
        validation_per_class=recipe.validation_per_class,
        test_per_class=recipe.test_per_class,
    )


def _frozen_spec(recipe: TrainRecipe, progress: Progress) -> tuple[Backbone, FrozenSpec]:
    backbone = find_backbone(recipe.backbone)
    wanted = recipe.weights or backbone.default_weights
    source = find_weights(backbone, wanted, seed=recipe.seed, progress=progress)
    spec = FrozenSpec(
        backbone=backbone.name,
        image_size=recipe.image_size or backbone.image_size,
        pooling=recipe.pooling,
        weights=source.kind,
        weights_path=None if source.path is None else str(source.path.resolve()),
        weights_digest=source.digest,
        seed=recipe.seed,
    )
    return backbone, spec


def _fit(
    index: ImageIndex,
    split: Split,
    recipe: TrainRecipe,
    frozen: FrozenPass,
    *,
    image_size: int,
    given: Tools,
) -> FittedHead:
    # Test photos are not among these: nothing that selects or fits ever holds their features.
    seen = np.concatenate([split.train, split.validation])
    features, precision = frozen.rows(index, seen, image_size=image_size, station="features")
    count = len(split.train)
    return fit_head(
        recipe,
        train=(features[:count], index.labels[split.train]),
        validation=(features[count:], index.labels[split.validation]),
        class_count=len(index.class_names),
        precision=precision,
        progress=given.progress,
    )


def _run_folder(recipe: TrainRecipe, out: str | Path | None) -> Path:
    if out is not None:
        folder = Path(out)
        if folder.exists():
            raise ArgumentError(f"out={str(out)!r} exists already. Choose another name.")
        return folder
    base = f"{Path(recipe.photos).resolve().stem}-{recipe.backbone}"
    names = (Path("runs", base if n == 1 else f"{base}-{n}") for n in range(1, 10**6))
    return next(name for name in names if not name.exists())
