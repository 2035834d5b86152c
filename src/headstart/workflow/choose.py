"""Which backbone for my photos: every candidate measured on them, the test photos left alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from headstart.data.checks import require_usable
from headstart.data.duplicates import group_duplicates
from headstart.data.index import ImageIndex
from headstart.errors import ArgumentError
from headstart.heads.linear import import_solver
from headstart.progress import Progress
from headstart.recipe import TrainRecipe, make_recipe
from headstart.report.choice import check_choice_file, write_choice
from headstart.selection.candidate import Candidate
from headstart.selection.choice import Choice
from headstart.selection.choose import choose as measure
from headstart.selection.halving import Budget, Round
from headstart.selection.probe import Notes, Problem
from headstart.selection.sample import even_order
from headstart.workflow.candidates import find_candidates, seconds_of
from headstart.workflow.extract import CandidateFeatures
from headstart.workflow.intake import Photos, photos_name, read_photos, require_source
from headstart.workflow.on_ray import check_plan, read_on_ray
from headstart.workflow.setup import split_index
from headstart.workflow.tools import RayPlace, Tools, tools
from headstart.workflow.without_test import without_test


def choose(
    photos: Photos,
    *,
    backbones: Sequence[str] = (),
    sizes: Sequence[int] = (),
    budget: str | float | None = None,
    size_limit: float | None = None,
    latency_limit: float | None = None,
    halving: bool = True,
    prefilter: int | None = None,
    out: str | Path | None = None,
    engine: str = "auto",
    ray: str | None = None,
    shards: str | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Choice:
    """Measures which backbone suits photos, by linear probes in cross-validation.

    The photos are split as `train` splits them; those of the test have no part in it. Whatever was
    measured is kept, so that a second call takes seconds.

    Args:
        photos: a folder of class folders, an archive or CSV of such, an `ImageIndex`, or arrays.
        backbones: names, each `NAME`, `NAME:none` (random weights) or `NAME:FILE`; none for every
            one whose pretrained weights are on this machine.
        sizes: sides in pixels to measure each at; none for its own.
        budget: time that may be spent, as seconds or such as "10m"; None for as much as it takes.
        size_limit: megabytes that the parameters of a backbone may take in float32.
        latency_limit: milliseconds that one photo may take on this machine.
        halving: measure all on few photos first, and only the better ones on all.
        prefilter: how many go on after the first photos by their LogME alone; None for all.
        out: page (.html) or picture (.svg) to write; None for none.
        engine: "auto", "openvino" or "keras".
        ray: address of a Ray cluster that reads the photos and computes the features: `HOST:PORT`,
            `auto` or `local`. `photos` may then be a URI or shards.
        shards: folder or URI where the cluster keeps them; in the cache when left out.
        progress: told how far it is.
        **options: fields of `headstart.recipe.TrainRecipe` that decide the photos and their split:
            `test`, `label_from_name`, `seed`, `test_fraction` and so on.

    Returns:
        Every candidate with its accuracy, and a recommendation with its reason.

    Raises:
        ArgumentError: before any photo is read, when something does not fit.
        PhotosError: when the photos cannot be learnt from.
        WeightsError: when weights of a named backbone are not at hand.

    Example:
        >>> import headstart
        >>> found = headstart.choose(PHOTOS, backbones=["Starter", "Starter:none"])
        >>> found.recommended.candidate.spec.backbone
        'Starter'
    """
    time = Budget(seconds_of(budget))
    if prefilter is not None and prefilter < 1:
        raise ArgumentError(f"prefilter={prefilter}, expected at least 1.")
    if out is not None:
        check_choice_file(Path(out))
    on = RayPlace.named(ray, shards)
    require_source(photos, listed_here=on is None)
    recipe = make_recipe({"photos": photos_name(photos), **options})
    with tools(engine, progress, ray=on) as given:
        found, left_out = find_candidates(
            backbones, sizes, size_limit=size_limit, progress=given.progress
        )
        extract = CandidateFeatures(given, may_fall_back=engine == "auto")
        extract.begin(found)
        Thread(target=import_solver, daemon=True).start()
        index = _read(photos, recipe, found, extract, given)
        require_usable(index)
        index, _ = without_test(index, split_index(index, recipe))
        problem = _problem(index, recipe.seed)
        extract.use(index)
        notes = Notes(given.place.folder / "probes", given.engine)
        around = Round(problem, extract, notes, time, given.progress)
        choice = measure(
            found, around,
            speed_of=extract.speed, halving=halving,
            latency_limit=latency_limit, prefilter=prefilter,
        )  # fmt: skip
    choice = replace(choice, left_out=(*left_out, *choice.left_out))
    if out is not None:
        write_choice(Path(out), choice.to_dict(), photos=photos_name(photos))
    return choice


def _read(
    photos: Photos,
    recipe: TrainRecipe,
    candidates: Sequence[Candidate],
    extract: CandidateFeatures,
    given: Tools,
) -> ImageIndex:
    if given.on is None:
        read, size = read_photos, _commonest_size(candidates)
    else:
        check_plan(recipe, trains=False)
        # A cluster reads photos as it evaluates a network on them: the one that costs least.
        least = min(candidates, key=lambda each: each.size_mb)
        read, size = partial(read_on_ray, frozen=extract.pass_of(least)), least.spec.image_size
    return read(
        photos,
        test=recipe.test,
        label_from_name=recipe.label_from_name,
        image_size=size,
        place=given.place,
        progress=given.progress,
    )


def _problem(index: ImageIndex, seed: int) -> Problem:
    order = even_order(index.labels, seed=seed)
    groups = group_duplicates(index.fingerprints, index.thumbnails, index.digests)
    return Problem(
        positions=order,
        labels=index.labels[order],
        groups=groups[order].astype(np.int32),
        digests=[index.digests[at] for at in order],
        class_count=len(index.class_names),
        seed=seed,
    )


def _commonest_size(candidates: Sequence[Candidate]) -> int:
    """The size at which decoded photos are kept; those of other sizes are decoded on the way."""
    return Counter(each.spec.image_size for each in candidates).most_common(1)[0][0]
