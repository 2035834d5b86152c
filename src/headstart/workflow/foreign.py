"""A model file where a backbone of the catalogue could stand: what a recipe says of it."""

import hashlib
from pathlib import Path
from typing import Any

from headstart.backbones.catalogue import Backbone, find_backbone
from headstart.backbones.foreign import (
    describe_cut,
    foreign_backbone,
    read_foreign,
    settle_mode,
    side_of,
)
from headstart.backbones.frozen import FrozenSpec
from headstart.errors import ArgumentError, ModelFileError
from headstart.files import sha256
from headstart.modelfile.contents import is_model_file
from headstart.modelfile.cutting import find_place
from headstart.modelfile.expectation import expected_pixels
from headstart.progress import Progress
from headstart.recipe import TrainRecipe


def is_foreign(recipe: TrainRecipe) -> bool:
    """Tells whether the backbone is a model file."""
    return is_model_file(recipe.backbone)


def find_any_backbone(recipe: TrainRecipe) -> Backbone:
    """Describes the backbone of a recipe, of the catalogue or a model file.

    Raises:
        ArgumentError: when there is none, or settings of a model file are given for another.
        ModelFileError: when the file cannot be used.
    """
    if is_foreign(recipe):
        mode = None if recipe.preprocess == "probe" else recipe.preprocess
        return foreign_backbone(Path(recipe.backbone), cut=recipe.cut or "auto", mode=mode)
    for name in ("cut", "preprocess"):
        if getattr(recipe, name) is not None:
            raise ArgumentError(
                f"{name}={getattr(recipe, name)!r} is for a model file, such as --backbone "
                f"my_model_A.h5; {recipe.backbone} of the catalogue has its own."
            )
    return find_backbone(recipe.backbone)


def choose_foreign(recipe: TrainRecipe, progress: Progress) -> tuple[Backbone, FrozenSpec]:
    """Audits a model file and settles cut, preprocessing and size; says what is cut off."""
    file = Path(recipe.backbone)
    spec = foreign_spec(recipe)
    report, graph = read_foreign(file)
    for repair in report.repairs:
        where = f"{repair.layer}: " if repair.layer else ""
        progress.say(f"Repaired in {file.name}, {where}{repair.text}")
    progress.say(describe_cut(report, graph, find_place(graph, recipe.cut or "auto")))
    return foreign_backbone(file, cut=spec.cut or "auto", mode=spec.preprocessing), spec


def foreign_spec(recipe: TrainRecipe, *, mode: str | None = None) -> FrozenSpec:
    """Returns the frozen network of a model file.

    Args:
        recipe: naming it.
        mode: of preprocessing; None takes what recipe and graph say.
    """
    file = Path(recipe.backbone)
    if recipe.weights not in (None, "none"):
        raise ArgumentError(
            f"weights={recipe.weights!r}: a model file brings its own. Leave --weights out, or say "
            "--weights none for random ones."
        )
    report, graph = read_foreign(file)
    given = mode or recipe.preprocess
    random = hashlib.sha256(f"none 1 {recipe.seed} {report.sha256}".encode()).hexdigest()
    return FrozenSpec(
        backbone=file.stem,
        image_size=side_of(graph, file, recipe.image_size),
        pooling=recipe.pooling,
        weights="model" if recipe.weights is None else "none",
        weights_path=str(file.resolve()),
        weights_digest=report.sha256 if recipe.weights is None else random,
        seed=recipe.seed,
        cut=find_place(graph, recipe.cut or "auto").node,
        preprocessing=settle_mode(given, expected_pixels(graph), graph=graph, file=file),
    )


def prove_unchanged(spec: FrozenSpec, progress: Progress) -> None:
    """Compares a model file with its digest from before the training.

    Raises:
        ModelFileError: when it has changed, whoever did it.
    """
    if spec.weights != "model" or spec.weights_path is None:
        return
    if sha256(Path(spec.weights_path)) != spec.weights_digest:
        raise ModelFileError(f"file={spec.weights_path!r} was changed while it was in use.")
    name = Path(spec.weights_path).name
    progress.say(f"{name} is unchanged (SHA-256 {spec.weights_digest[:12]}... as before).")


def origin(spec: FrozenSpec) -> dict[str, Any]:
    """What a manifest says of a model file: where it was cut, how photos are prepared."""
    if spec.cut is None:
        return {}
    return {"cut": spec.cut, "preprocessing": spec.preprocessing}
