"""The catalogue as rows, and how fast each backbone is on this machine."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from headstart.backbones.catalogue import Backbone, backbones, find_backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import find_weights
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError, near_matches
from headstart.features.networks import FrozenNetwork
from headstart.features.speed import Speed, keep_speed, kept_speed, measure_speed
from headstart.progress import Progress
from headstart.workflow.tools import Tools, tools

_MEASURED = ("photos_per_second", "engine", "precision", "machine", "latency_ms")


def model_rows(
    names: Sequence[str] = (), *, sort: str = "name", place: CachePlace | None = None
) -> list[dict[str, Any]]:
    """Returns rows of the catalogue as plain values, with speeds measured here before.

    Args:
        names: of some backbones; none for all.
        sort: column to sort by.
        place: where speeds are kept; None for the usual place.

    Raises:
        ArgumentError: when there is no such backbone or column.

    Example:
        >>> [row["parameters"] for row in model_rows(["LeNet5"])]
        [61706]
    """
    chosen = _chosen(names) if names else backbones()
    where = place or CachePlace.default()
    rows = [_row(backbone, kept_speed(where, backbone.name)) for backbone in chosen]
    if sort not in rows[0]:
        shown = [name for name in rows[0] if not name.startswith(("weights_", "cut_"))]
        raise ArgumentError(
            f"sort={sort!r} is no column.{near_matches(sort, rows[0])} "
            f"Choose one of {', '.join(shown)}."
        )
    # Whatever is unknown comes last, whichever way is up.
    return sorted(rows, key=lambda row: (row[sort] is None, row[sort], row["name"]))


def measure_models(
    names: Sequence[str], *, engine: str = "auto", progress: Progress | None = None
) -> None:
    """Measures how many photos a second backbones evaluate here; what was measured is kept.

    Weights are random: they don't decide the speed. Photos have the size that the backbone was
    trained on, and are decoded already.

    Args:
        names: of one backbone or more.
        engine: "auto", "openvino" or "keras".
        progress: told how many have been measured.

    Raises:
        ArgumentError: when there is no such backbone, or none is named.
    """
    chosen = _chosen(names)
    if not chosen:
        raise ArgumentError(
            "measure needs the names of backbones, as each takes up to a minute: "
            "headstart models MobileNetV2 ResNet50 --measure."
        )
    with tools(engine, progress) as given:
        todo = [each for each in chosen if kept_speed(given.place, each.name) is None]
        for done, backbone in enumerate(todo, start=1):
            keep_speed(given.place, backbone.name, _measure(backbone, given))
            given.progress.step("backbones measured", done, len(todo))


def _measure(backbone: Backbone, given: Tools) -> Speed:
    source = find_weights(backbone, "none")
    spec = FrozenSpec(
        backbone=backbone.name,
        image_size=backbone.image_size,
        pooling="avg",
        weights=source.kind,
        weights_path=None,
        weights_digest=source.digest,
        seed=0,
    )
    return measure_speed(
        FrozenNetwork(spec, given.caller),
        engine=given.engine,
        image_size=backbone.image_size,
        progress=given.progress,
    )


def _row(backbone: Backbone, speed: Speed | None) -> dict[str, Any]:
    measured = dict.fromkeys(_MEASURED) if speed is None else asdict(speed)
    return asdict(backbone) | measured


def _chosen(names: Sequence[str]) -> tuple[Backbone, ...]:
    return tuple(dict.fromkeys(find_backbone(name) for name in names))
