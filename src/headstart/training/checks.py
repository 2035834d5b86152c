"""Stages checked against the network that they will train, before the first photo is read."""

from collections.abc import Sequence
from typing import Any

from headstart.backbones.cut import Cut, find_cut, trainable_layers
from headstart.backbones.frozen import FrozenSpec, backbone_of, build
from headstart.data.augment import parse_augmentation
from headstart.errors import ArgumentError
from headstart.training.losses import check_loss
from headstart.training.optimizers import check_optimizer
from headstart.training.plan import Stage
from headstart.training.schedules import check_schedule


def check_words(stage: Stage) -> None:
    """Checks what needs neither Keras nor the network.

    Raises:
        ArgumentError: for the first thing that does not fit.
    """
    check_schedule(stage.schedule, stage.schedule_options)
    augmentation = parse_augmentation(stage.augment)
    if stage.views > 1 and augmentation.is_none:
        raise ArgumentError(
            f"views={stage.views} without augmentation would be the same photo {stage.views} "
            "times. Say how photos are varied, as in --augment standard."
        )
    if stage.views > 1 and augmentation.changes_batches:
        raise ArgumentError(
            f"views={stage.views} does not go with augment={stage.augment!r}: rand_augment and "
            "mixup change whole batches, which cannot be kept. Leave --views out."
        )


def find_cuts(
    spec: dict[str, Any], stages: list[dict[str, Any]], loss: dict[str, Any], units: int | None
) -> list[dict[str, Any]]:
    """Checks stages and says where the network is cut for each; runs where Keras is.

    What an earlier stage has trained stays above the cut of every later one.

    Args:
        spec: a `FrozenSpec` as JSON.
        stages: each a `Stage` as JSON.
        loss: `name` and `options`.
        units: of the head; None for several of which it is not known yet how many.

    Returns:
        A `Cut` as JSON for each stage.

    Raises:
        ArgumentError: for an unknown layer, optimizer, loss or option.
    """
    check_loss(loss["name"], loss["options"], units=units)
    frozen = build(FrozenSpec(**spec))
    blocks = backbone_of(FrozenSpec(**spec)).cut_points
    trained: set[str] = set()
    cuts = []
    for values in stages:
        stage = Stage(**values)
        check_optimizer(stage.optimizer, stage.optimizer_options, ema=stage.average)
        layers = trainable_layers(frozen, stage.trainable, blocks=blocks)
        trained.update(layers)
        cuts.append(_cut_for(frozen, trained, layers).as_json())
    return cuts


def _cut_for(frozen: Any, trained: set[str], layers: Sequence[str]) -> Cut:
    above = [layer.name for layer in frozen.layers if layer.name in trained]
    cut = find_cut(frozen, above)
    return Cut(cut.crossing, cut.shapes, tuple(layers))
