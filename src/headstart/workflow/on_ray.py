"""What differs in a journey whose photos a cluster reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from headstart.data.index import ImageIndex
from headstart.data.listing import with_test_folder
from headstart.data.store import CachePlace
from headstart.data.stream import photo_files
from headstart.errors import ArgumentError
from headstart.features.frozen_pass import FrozenPass
from headstart.progress import Progress
from headstart.recipe import TrainRecipe
from headstart.workflow.intake import Photos, list_any

if TYPE_CHECKING:
    from headstart.scale.source import Source


def check_plan(recipe: TrainRecipe, *, trains: bool) -> None:
    """Refuses what a cluster cannot do with photos that only it can reach.

    Raises:
        ArgumentError: naming the option.
    """
    if not only_cluster_reaches(recipe.photos):
        return
    if trains:
        raise needs_photos(recipe.photos, f"plan={recipe.plan!r}", instead="--plan linear_probe")
    if recipe.test is not None:
        raise ArgumentError(
            f"test={recipe.test!r} does not go with photos of a URI or shards. Put them below "
            "folders named train and test, or leave --test out."
        )


def only_cluster_reaches(photos: str) -> bool:
    """Tells whether photos, as a recipe names them, are a URI or shards: not to be read here."""
    from headstart.scale.source import is_sharded

    return is_sharded(photos)


def needs_photos(photos: str, option: str, *, instead: str) -> ArgumentError:
    """Says that an option trains on photos themselves, and what to say instead."""
    return ArgumentError(
        f"{option} trains on photos themselves, and those of {photos!r} are reached by the "
        f"cluster only. Use {instead}, or copy a part of them here."
    )


def read_on_ray(
    photos: Photos,
    *,
    test: str | None,
    label_from_name: str | None,
    image_size: int,
    place: CachePlace,
    progress: Progress,
    frozen: FrozenPass,
) -> ImageIndex:
    """Reads photos on the cluster, which evaluates the frozen network on the way.

    See `headstart.workflow.intake.read_photos`; `frozen` is a pass on Ray.
    """
    from headstart.scale.index import with_weights
    from headstart.scale.source import is_sharded, source_of, source_of_listing

    _ = progress  # the pass tells it
    if isinstance(photos, ImageIndex):
        return photos
    if isinstance(photos, str | Path) and is_sharded(str(photos)):
        return read_source(
            frozen, source_of(str(photos), label_from_name=label_from_name), image_size
        )
    listing = list_any(photos, label_from_name, place)
    if test is not None:
        listing = with_test_folder(listing, list_any(test, label_from_name, place))
    index = read_source(frozen, source_of_listing(listing), image_size)
    if listing.weights is None:
        return index
    return with_weights(index, dict(zip(listing.paths, listing.weights.tolist(), strict=True)))


def source_to_predict(photos: Sequence[str | Path]) -> "Source":
    """Lists photos of which nobody has to say what they show; a single URI or shard as well."""
    from headstart.scale.cluster import require_ray
    from headstart.scale.source import is_sharded, kind_of, source_of, source_of_files

    require_ray()
    name = str(photos[0])
    # A tar here is read as it lies; training unpacks one, because it may hold any layout.
    if len(photos) == 1 and (is_sharded(name) or kind_of(name) != "files"):
        return source_of(name, labelled=False)
    return source_of_files(photo_files(photos))


def read_source(frozen: FrozenPass, source: "Source", image_size: int) -> ImageIndex:
    """Reads a source on the cluster that a pass is on."""
    from headstart.scale.ray_pass import RayPass

    return cast(RayPass, frozen).read(source, image_size=image_size)
