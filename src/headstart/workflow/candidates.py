"""From the words of a person to the candidates that can be measured here."""

import math
import re
from collections.abc import Sequence

from headstart.backbones.catalogue import Backbone, backbones, find_backbone
from headstart.backbones.spec import FrozenSpec
from headstart.backbones.weights import find_weights, sizes_at_hand
from headstart.errors import ArgumentError
from headstart.progress import Progress
from headstart.selection.candidate import Candidate

_UNITS = {"s": 1, "m": 60, "h": 3600}


def find_candidates(
    names: Sequence[str],
    sizes: Sequence[int],
    *,
    size_limit: float | None,
    progress: Progress,
) -> tuple[tuple[Candidate, ...], tuple[tuple[str, str], ...]]:
    """Finds networks and weights.

    Args:
        names: of backbones, `NAME`, `NAME:none` for random weights or `NAME:FILE`; `all`, or none,
            for every one whose pretrained weights are on this machine.
        sizes: sides in pixels to measure each at; none for its own.
        size_limit: megabytes that parameters in float32 may take; None for no limit.
        progress: told about downloads of those that were named.

    Returns:
        The candidates, and names of those left out with the reason.

    Raises:
        ArgumentError: for an unknown backbone, or when nothing is left.
        WeightsError: when weights of a named one are not here and cannot be downloaded.
    """
    named = [_parse(name) for name in names if name.lower() != "all"]
    if not names or any(name.lower() == "all" for name in names):
        named += [(each, None) for each in backbones() if sizes_at_hand(each)]
    found: dict[str, Candidate] = {}
    left_out = []
    for backbone, weights in named:
        for size in sizes or (_own_size(backbone, weights),):
            name = f"{backbone.name} at {size} px"
            if size < backbone.minimum_size:
                left_out.append((name, f"needs at least {backbone.minimum_size} px"))
                continue
            candidate = _candidate(backbone, size, weights, progress)
            if size_limit is not None and candidate.size_mb > size_limit:
                reason = f"{candidate.size_mb:.1f} MB, more than {size_limit:g}"
                left_out.append((candidate.name, reason))
                continue
            found.setdefault(candidate.digest, candidate)
    if not found:
        said = "; ".join(f"{name}: {reason}" for name, reason in left_out)
        raise ArgumentError(f"No backbone is left to choose from. {said}".strip())
    return tuple(found.values()), tuple(left_out)


def seconds_of(budget: str | float | None) -> float | None:
    """Reads a time such as `90s`, `10m` or `1.5h`; a number is seconds.

    Raises:
        ArgumentError: for anything else.

    Example:
        >>> seconds_of("10m"), seconds_of(5), seconds_of(None)
        (600.0, 5.0, None)
    """
    if budget is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(budget).lower())
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if not (seconds > 0 and math.isfinite(seconds)):
        raise ArgumentError(f"budget={budget!r} is no time. Expected such as 90s, 10m or 1.5h.")
    return seconds


def _parse(name: str) -> tuple[Backbone, str | None]:
    backbone, _, weights = name.partition(":")
    return find_backbone(backbone), weights or None


def _own_size(backbone: Backbone, weights: str | None) -> int:
    """The size it was trained for; another one where only weights of that are at hand."""
    at_hand = sizes_at_hand(backbone) if weights is None else ()
    return at_hand[0] if at_hand else backbone.image_size


def _candidate(backbone: Backbone, size: int, weights: str | None, progress: Progress) -> Candidate:
    wanted = weights or backbone.default_weights
    if wanted == "none" and weights is None:
        raise ArgumentError(
            f"backbones: {backbone.name} has no pretrained weights that could be downloaded. Say "
            f"{backbone.name}:none to measure it with random weights, or {backbone.name}:FILE."
        )
    source = find_weights(backbone, wanted, image_size=size, progress=progress)
    return Candidate(
        FrozenSpec(
            backbone=backbone.name,
            image_size=size,
            pooling="avg",
            weights=source.kind,
            weights_path=None if source.path is None else str(source.path.resolve()),
            weights_digest=source.digest,
            seed=0,
        )
    )
