"""The main job, top to bottom: from photos to a run folder."""

from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from headstart.artifact.run import Run, load_run
from headstart.data.checks import require_usable
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
from headstart.workflow.setup import Setup, choose_network, split_index
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
        backbone, spec = choose_network(recipe, given.progress)
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
        setup = Setup(recipe, backbone, spec, index, split_index(index, recipe))
        fitted = _fit(setup, frozen, given)
        with atomic_folder(folder) as temporary:
            write_run(temporary, setup, frozen=frozen, fitted=fitted, given=given)
    return load_run(folder)


def _fit(setup: Setup, frozen: FrozenPass, given: Tools) -> FittedHead:
    index, split = setup.index, setup.split
    # Test photos are not among these: nothing that selects or fits ever holds their features.
    seen = np.concatenate([split.train, split.validation])
    features, precision = frozen.rows(
        index, seen, image_size=setup.spec.image_size, station="features"
    )
    count = len(split.train)
    return fit_head(
        setup.recipe,
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
