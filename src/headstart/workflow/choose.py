"""Which backbone for these photos: candidates, the features they give, and the choice."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.backbones.catalogue import STARTER, Backbone, find_backbone
from headstart.backbones.catalogue import backbones as all_backbones
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import (
    available_offline,
    find_weights,
    weights_of_another_size,
)
from headstart.data.checks import require_usable
from headstart.data.duplicates import group_duplicates
from headstart.data.index import ImageIndex
from headstart.errors import ArgumentError
from headstart.evaluation.intervals import Interval
from headstart.features.networks import FrozenNetwork
from headstart.features.speed import keep_speed, kept_speed, measure_speed
from headstart.files import atomic_file
from headstart.progress import Progress
from headstart.recipe import make_recipe
from headstart.report.pareto import Spot, draw_pareto
from headstart.selection.choice import choose as choose_among
from headstart.selection.choice import probe_features
from headstart.selection.values import Candidate, Choice, Probe
from headstart.workflow.intake import Photos, read_photos, require_source
from headstart.workflow.setup import split_index
from headstart.workflow.tools import RayPlace, Tools, tools

GAIN_PHOTOS = 500
"""On which pretrained weights are compared with random ones: differences are large."""

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def choose(
    photos: Photos,
    *,
    backbones: str | Sequence[str] = "all",
    sizes: Sequence[int] = (),
    budget: str | float | None = None,
    size_limit_mb: float | None = None,
    latency_limit_ms: float | None = None,
    halving: bool = True,
    label_from_name: str | None = None,
    seed: int = 0,
    engine: str = "auto",
    plot: str | Path | None = None,
    ray: str | None = None,
    shards: str | None = None,
    progress: Progress | None = None,
) -> Choice:
    """Finds the backbone that suits photos, by linear probes on its features.

    Photos of the test split have no part in it. Whatever was computed is kept.

    Args:
        photos: folder, archive, CSV, index or arrays.
        backbones: names, or "all" for those whose pretrained weights are on this machine. A name
            followed by `:none` has random weights.
        sizes: sides of the input in pixels to try each at; none for each backbone's own.
        budget: such as "10m" or seconds; what would take longer is left out, and said.
        size_limit_mb: of the weights without the top, in float32.
        latency_limit_ms: a photo, of the network alone on this machine in batches.
        halving: whether weak candidates are dropped on few photos.
        label_from_name: finds the class in a file's name.
        seed: of the split, the draw and the folds.
        engine: "auto", "openvino" or "keras".
        plot: SVG file for accuracy against speed, or None.
        ray: address of a Ray cluster that computes the features: `HOST:PORT`, `auto` or `local`.
        shards: folder or URI where the cluster keeps them; in the cache when left out.
        progress: told what is done.

    Raises:
        ArgumentError: for unknown names, or limits that leave no candidate.
        PhotosError: when the photos cannot be learnt from.

    Example:
        >>> import headstart
        >>> headstart.choose(PHOTOS, backbones="Starter").recommended
        'Starter'
    """
    end = None if budget is None else monotonic() + seconds_of(budget)
    names = backbones.split(",") if isinstance(backbones, str) else list(backbones)
    require_source(photos)
    with tools(engine, progress, ray=RayPlace.named(ray, shards)) as given:
        candidates = _within(
            [_candidate(each, seed, given) for each in _wanted(names, sizes)],
            size_limit_mb=size_limit_mb,
            latency_limit_ms=latency_limit_ms,
        )
        index = read_photos(
            photos,
            label_from_name=label_from_name,
            image_size=candidates[0].image_size,
            place=given.place,
            progress=given.progress,
        )
        require_usable(index)
        probing = _Probing(index, _drawn(index, seed), seed, given)
        found = choose_among(
            candidates,
            count=len(probing.positions),
            class_count=len(index.class_names),
            probing=probing,
            halving=halving,
            seconds_left=lambda: float("inf") if end is None else end - monotonic(),
        )
        found = _with_gain(found, candidates, probing, end)
    if plot is not None:
        with atomic_file(Path(plot)) as temporary:
            temporary.write_text(draw_pareto(_spots(found)), "utf-8")
    return found


def _spots(found: Choice) -> list[Spot]:
    return [
        Spot(
            row.candidate.name,
            row.candidate.photos_per_second,
            row.probe.top_1,
            row.probe.interval.low,
            row.probe.interval.high,
            is_pareto=row.is_pareto,
            is_taken=row.candidate.name == found.recommended,
        )
        for row in found.rows
        if row.probe is not None
    ]


def seconds_of(budget: str | float) -> float:
    """Reads a time.

    Raises:
        ArgumentError: when it is none.

    Example:
        >>> seconds_of("10m"), seconds_of("90s"), seconds_of(5)
        (600.0, 90.0, 5.0)
    """
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(budget).strip())
    if parts is None or not float(parts[1]):
        raise ArgumentError(f"budget={budget!r} is no time. Expected such as 90s, 10m or 2h.")
    return float(parts[1]) * _UNITS[parts[2]]


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    weights: str
    size: int


def _wanted(names: Sequence[str], sizes: Sequence[int]) -> list[_Wanted]:
    listed = [name.strip() for name in names if name.strip()]
    here = [each.name for each in all_backbones() if _at_hand(each)] or [STARTER]
    listed = [each for name in listed for each in (here if name == "all" else [name])]
    found = [each for name in listed for each in _named(name, sizes)]
    if not found:
        raise ArgumentError(
            "backbones names none. Expected all, or names out of "
            f"{', '.join(each.name for each in all_backbones())}."
        )
    return list(dict.fromkeys(found))


def _at_hand(backbone: Backbone) -> bool:
    if backbone.name == STARTER:
        return False  # for demonstrations; every other one is better on photos
    return backbone.name in available_offline() or weights_of_another_size(backbone) is not None


def _named(name: str, sizes: Sequence[int]) -> list[_Wanted]:
    plain, _, asked = name.partition(":")
    backbone = find_backbone(plain)
    weights, own = asked or backbone.default_weights, backbone.image_size
    if not asked and weights == "none":
        raise ArgumentError(
            f"backbones: nobody published weights of {backbone.name} for Keras. Write "
            f"{backbone.name}:none for random ones, or {backbone.name}:FILE."
        )
    if weights == "imagenet" and backbone.name not in available_offline():
        there = weights_of_another_size(backbone)
        if there is not None:
            weights, own = str(there[0]), there[1]
    for size in sizes or (own,):
        if size < backbone.minimum_size:
            raise ArgumentError(
                f"sizes: {size} is too small for {backbone.name}, whose minimum is "
                f"{backbone.minimum_size}."
            )
    return [_Wanted(backbone.name, weights, size) for size in sizes or (own,)]


def _candidate(wanted: _Wanted, seed: int, given: Tools) -> Candidate:
    backbone = find_backbone(wanted.name)
    spec = _spec(wanted.name, wanted.weights, wanted.size, seed, given)
    own = wanted.size == backbone.image_size
    key = wanted.name if own else f"{wanted.name}-{wanted.size}"
    speed = kept_speed(given.place, key)
    if speed is None:
        given.progress.say(f"measuring {key}")
        speed = measure_speed(
            FrozenNetwork(spec, given.caller),
            engine=given.engine,
            image_size=wanted.size,
            progress=given.progress,
            place=given.place,
        )
        keep_speed(given.place, key, speed)
    label = f"{wanted.name}:none" if wanted.weights == "none" else wanted.name
    return Candidate(
        name=label if own else f"{label}@{wanted.size}",
        backbone=wanted.name,
        weights=wanted.weights,
        image_size=wanted.size,
        parameters=backbone.backbone_parameters,
        size_mb=round(backbone.backbone_parameters * 4 / 1e6, 2),
        photos_per_second=speed.photos_per_second,
    )


def _spec(name: str, weights: str, size: int, seed: int, given: Tools) -> FrozenSpec:
    source = find_weights(find_backbone(name), weights, seed=seed, progress=given.progress)
    return FrozenSpec(
        backbone=name,
        image_size=size,
        pooling="avg",
        weights=source.kind,
        weights_path=None if source.path is None else str(source.path.resolve()),
        weights_digest=source.digest,
        seed=seed,
    )


def _within(
    candidates: Sequence[Candidate], *, size_limit_mb: float | None, latency_limit_ms: float | None
) -> list[Candidate]:
    small = [each for each in candidates if size_limit_mb is None or each.size_mb <= size_limit_mb]
    quick = [
        each
        for each in small
        if latency_limit_ms is None or 1000 / each.photos_per_second <= latency_limit_ms
    ]
    if not quick:
        nearest = ", ".join(
            f"{each.name} ({each.size_mb:g} MB, {1000 / each.photos_per_second:.1f} ms)"
            for each in candidates
        )
        raise ArgumentError(
            f"size_limit_mb={size_limit_mb}, latency_limit_ms={latency_limit_ms}: no candidate is "
            f"within. There are {nearest}."
        )
    return quick


def _drawn(index: ImageIndex, seed: int) -> NDArray[np.int64]:
    """Positions of all photos but the test's, so ordered that the first few are a fair sample."""
    recipe = make_recipe({"photos": ".", "seed": seed})
    split = split_index(index, recipe)
    pool = np.concatenate([split.train, split.validation])
    pool = np.random.default_rng(seed).permutation(np.sort(pool))
    labels = index.labels[pool]
    order = np.argsort(labels, kind="stable")
    counts = np.bincount(labels)[labels[order]]
    starts = np.concatenate([[0], np.cumsum(np.bincount(labels))])[labels[order]]
    share = (np.arange(len(pool)) - starts) / counts
    return np.asarray(pool[order[np.argsort(share, kind="stable")]], np.int64)


@dataclass
class _Probing:
    """Makes features of the first photos and probes them; remembers both."""

    index: ImageIndex
    positions: NDArray[np.int64]
    seed: int
    given: Tools

    def __post_init__(self) -> None:
        index = self.index
        self._groups = group_duplicates(index.fingerprints, index.thumbnails, index.digests)

    def __call__(self, candidate: Candidate, count: int) -> Probe:
        """Probes a candidate on the first `count` photos."""
        spec = _spec(
            candidate.backbone, candidate.weights, candidate.image_size, self.seed, self.given
        )
        chosen = self.positions[:count]
        file = self._file(spec, chosen)
        if (kept := _read(file)) is not None:
            return kept
        frozen = self.given.make_pass(
            FrozenNetwork(spec, self.given.caller),
            engine=self.given.engine,
            may_fall_back=True,
            precision="auto",
        )
        station = f"features of {candidate.name}"
        rows, _ = frozen.rows(self.index, chosen, image_size=spec.image_size, station=station)
        probe = probe_features(
            np.asarray(rows, np.float32),
            self.index.labels[chosen],
            self._groups[chosen],
            class_count=len(self.index.class_names),
            seed=self.seed,
        )
        with atomic_file(file) as temporary:
            temporary.write_text(json.dumps(asdict(probe)), "utf-8")
        return probe

    def _file(self, spec: FrozenSpec, chosen: NDArray[np.int64]) -> Path:
        photos = [f"{self.index.digests[at]} {self.index.labels[at]}" for at in chosen]
        name = "\n".join([spec.digest, self.given.engine, str(self.seed), *photos])
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self.given.place.folder / "probes" / f"{digest}.json"


def _read(file: Path) -> Probe | None:
    try:
        kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
        kept["interval"], kept["hits"] = Interval(**kept["interval"]), tuple(kept["hits"])
        return Probe(**kept)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _with_gain(
    found: Choice, candidates: Sequence[Candidate], probing: _Probing, end: float | None
) -> Choice:
    """Adds what the pretrained weights of the recommended one gain over random ones."""
    taken = next((each for each in candidates if each.name == found.recommended), None)
    row = next((each for each in found.rows if each.candidate is taken), None)
    if taken is None or row is None or row.probe is None or taken.weights == "none":
        return found
    count = min(row.probe.photos, GAIN_PHOTOS)
    if end is not None and count / taken.photos_per_second > end - monotonic():
        return found
    random = replace(taken, weights="none", name=f"{taken.name}:none")
    lower, higher = probing(random, count).top_1, probing(taken, count).top_1
    return replace(found, gain=higher - lower, random_top_1=lower)
