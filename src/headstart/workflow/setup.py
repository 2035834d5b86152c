"""What is settled before anything learns: the network, the photos and their split."""

from dataclasses import dataclass

from headstart.backbones.catalogue import Backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import find_weights
from headstart.data.duplicates import group_duplicates
from headstart.data.index import ImageIndex
from headstart.data.split import Split, split_photos
from headstart.errors import ArgumentError
from headstart.progress import Progress
from headstart.recipe import TrainRecipe
from headstart.workflow.foreign import choose_foreign, find_any_backbone, is_foreign


@dataclass(frozen=True)
class Setup:
    """What a training stands on.

    Attributes:
        recipe: what was asked for.
        backbone: its row of the catalogue.
        spec: the frozen network.
        index: the photos.
        split: which photo is in which split.
    """

    recipe: TrainRecipe
    backbone: Backbone
    spec: FrozenSpec
    index: ImageIndex
    split: Split


def choose_network(recipe: TrainRecipe, progress: Progress) -> tuple[Backbone, FrozenSpec]:
    """Finds the backbone and its weights, which are downloaded where they have to be.

    Raises:
        ArgumentError: for an unknown backbone, or random weights that nobody asked for.
        WeightsError: when the weights are not here and cannot be downloaded.
    """
    if is_foreign(recipe):
        return choose_foreign(recipe, progress)
    backbone = find_any_backbone(recipe)
    if recipe.weights is None and backbone.default_weights == "none" and recipe.plan != "scratch":
        raise ArgumentError(
            f"backbone={backbone.name!r} has no pretrained weights that could be downloaded. Train "
            "it with --plan scratch, give a file with --weights FILE, or say --weights none "
            "(random weights, whose features are of little use)."
        )
    wanted = recipe.weights or backbone.default_weights
    size = recipe.image_size or backbone.image_size
    source = find_weights(backbone, wanted, seed=recipe.seed, image_size=size, progress=progress)
    spec = FrozenSpec(
        backbone=backbone.name,
        image_size=size,
        pooling=recipe.pooling,
        weights=source.kind,
        weights_path=None if source.path is None else str(source.path.resolve()),
        weights_digest=source.digest,
        seed=recipe.seed,
    )
    return backbone, spec


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
