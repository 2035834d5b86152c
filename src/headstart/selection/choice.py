"""Which backbone suits these photos: linear probes by successive halving, and a recommendation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.comparison import SIGNIFICANT, mcnemar
from headstart.evaluation.intervals import wilson
from headstart.heads.linear import cross_validate
from headstart.selection.scores import h_score, log_me
from headstart.selection.values import Candidate, Choice, Probe, Row

CS = (1e-3, 1e-2, 1e-1)
"""Inverse regularisation strengths that are tried; the best by log loss is taken."""

SHARES = (0.25, 0.5, 1.0)
"""Of the photos, round by round."""

PHOTOS_A_CLASS = 25
"""A first round with fewer would drop by luck; photos that are too few for it are all taken."""


class Probing(Protocol):
    """Whoever makes features and probes them, or remembers that it has."""

    def __call__(self, candidate: Candidate, count: int) -> Probe:
        """Probes a candidate on the first `count` photos."""


def probe_features(
    features: NDArray[np.float32],
    labels: NDArray[np.int32],
    groups: NDArray[np.int32],
    *,
    class_count: int,
    seed: int = 0,
) -> Probe:
    """Cross-validates a linear head.

    Args:
        features: float32 (N, ...).
        labels: int32 (N,).
        groups: int32 (N,); near-duplicates share one, and a fold.
        class_count: K.
        seed: of the folds.

    Example:
        >>> labels = np.repeat([0, 1], 20).astype(np.int32)
        >>> near = np.random.default_rng(0).normal(labels[:, None] * 9, 1, (40, 3))
        >>> groups = np.arange(40, dtype=np.int32)
        >>> probe_features(near.astype(np.float32), labels, groups, class_count=2).top_1
        1.0
    """
    flat = np.asarray(features, np.float32).reshape(len(features), -1)
    # What random weights let through may be as small as 1e-9, and still tell classes apart.
    flat = flat / max(float(np.abs(flat).max(initial=0.0)), 1e-30)
    answers, losses = [], []
    for c in CS:
        said = cross_validate(flat, labels, groups, class_count=class_count, c=c, seed=seed)
        answers.append(said)
        right = said[np.arange(len(labels)), labels]
        losses.append(float(-np.log(np.maximum(right, 1e-12)).mean()))
    best = int(np.argmin(losses))
    hits = answers[best].argmax(axis=1) == labels
    return Probe(
        photos=len(labels),
        top_1=float(hits.mean()),
        interval=wilson(int(hits.sum()), len(labels)),
        log_loss=losses[best],
        log_me=log_me(flat, labels),
        h_score=h_score(flat, labels),
        hits=tuple(hits.tolist()),
    )


def choose(
    candidates: Sequence[Candidate],
    *,
    count: int,
    class_count: int,
    probing: Probing,
    halving: bool = True,
    seconds_left: Callable[[], float] = lambda: float("inf"),
) -> Choice:
    """Judges candidates, the weak ones on few photos only.

    After a round the lower half goes, but nobody that the best does not beat significantly
    (McNemar's exact test). A candidate whose features would take longer than is left is not begun.

    Args:
        candidates: at least one.
        count: photos there are, drawn so that the first few of them are a fair sample.
        class_count: K.
        probing: makes features and probes them.
        halving: whether to begin with few photos.
        seconds_left: until the answer is wanted.

    Returns:
        All candidates with what was measured, and the one to take: the fastest of those that the
        most accurate does not beat significantly.
    """
    rounds = _rounds(count, class_count) if halving else (count,)
    rows = {each.name: Row(each, None) for each in candidates}
    alive = list(candidates)
    first: dict[str, Probe] = {}
    for number, size in enumerate(rounds):
        probes = _one_round(alive, size, rows, probing=probing, seconds_left=seconds_left)
        first = first or dict(probes)
        alive = [each for each in alive if each.name in probes]
        if not alive:
            break
        if number + 1 < len(rounds):
            alive = _keep(alive, probes, rows)
    ordered = _ordered(rows)
    winner, reason = _recommend(ordered)
    return Choice(ordered, winner, reason, _agreement(list(first.values())), count)


def _rounds(count: int, class_count: int) -> tuple[int, ...]:
    sizes = [round(count * share) for share in SHARES]
    return tuple(size for size in sizes if size == count or size >= PHOTOS_A_CLASS * class_count)


def _one_round(
    alive: Sequence[Candidate],
    size: int,
    rows: dict[str, Row],
    *,
    probing: Probing,
    seconds_left: Callable[[], float],
) -> dict[str, Probe]:
    probes: dict[str, Probe] = {}
    # The fastest first: where time runs out, the most has been learnt.
    for candidate in sorted(alive, key=lambda each: -each.photos_per_second):
        before = rows[candidate.name].probe
        needed = (size - (0 if before is None else before.photos)) / candidate.photos_per_second
        if needed > seconds_left():
            left = f"{size} photos would take {needed:.0f} s, more than was left"
            rows[candidate.name] = replace(rows[candidate.name], left=left)
            continue
        probes[candidate.name] = probing(candidate, size)
        rows[candidate.name] = replace(rows[candidate.name], probe=probes[candidate.name])
    return probes


def _keep(
    alive: Sequence[Candidate], probes: Mapping[str, Probe], rows: dict[str, Row]
) -> list[Candidate]:
    order = sorted(alive, key=lambda each: -probes[each.name].top_1)
    best = order[0]
    kept = list(order[: (len(order) + 1) // 2])
    for candidate in order[len(kept) :]:
        if beats(probes[best.name], probes[candidate.name]):
            left = f"worse than {best.name}"
            rows[candidate.name] = replace(rows[candidate.name], left=left)
        else:
            kept.append(candidate)
    return kept


def beats(first: Probe, second: Probe) -> bool:
    """Tells whether a candidate is significantly better than another on the same photos."""
    ours, theirs = np.array(first.hits), np.array(second.hits)
    only_first, only_second = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return only_first > only_second and mcnemar(only_first, only_second) < SIGNIFICANT


def _ordered(rows: Mapping[str, Row]) -> tuple[Row, ...]:
    def key(row: Row) -> tuple[int, float]:
        return (0, 0.0) if row.probe is None else (-row.probe.photos, -row.probe.top_1)

    return tuple(
        replace(row, is_pareto=_is_pareto(row, rows.values()))
        for row in sorted(rows.values(), key=key)
    )


def _is_pareto(row: Row, others: Any) -> bool:
    if row.probe is None or row.left:
        return False
    for other in others:
        if other.probe is None or other.left or other is row:
            continue
        faster = other.candidate.photos_per_second - row.candidate.photos_per_second
        better = other.probe.top_1 - row.probe.top_1
        if faster >= 0 and better >= 0 and (faster > 0 or better > 0):
            return False
    return True


def _recommend(rows: Sequence[Row]) -> tuple[str, str]:
    judged = [(row.candidate, row.probe) for row in rows if row.probe is not None and not row.left]
    judged = judged or [(row.candidate, row.probe) for row in rows if row.probe is not None]
    if not judged:
        return "", "Nothing could be judged in the time that was given."
    best, best_probe = judged[0]
    equals = [each for each in judged if not beats(best_probe, each[1])]
    taken, probe = max(equals, key=lambda each: each[0].photos_per_second)
    said = (
        f"Take {taken.name}: {probe.top_1:.1%} right ({probe.interval.low:.1%} to "
        f"{probe.interval.high:.1%}) at {taken.photos_per_second:.0f} photos/s."
    )
    if taken is best:
        others = len(judged) - 1
        return taken.name, said if not others else f"{said} Nothing judged is more accurate."
    ratio = taken.photos_per_second / best.photos_per_second
    return taken.name, (
        f"{said} {best.name} ({best_probe.top_1:.1%}) is not proven better on "
        f"{best_probe.photos} photos, and {taken.name} is {ratio:.1f}x as fast."
    )


def _agreement(probes: Sequence[Probe]) -> dict[str, float | None]:
    from scipy.stats import spearmanr

    shares = [probe.top_1 for probe in probes]
    found: dict[str, float | None] = {}
    for name in ("log_me", "h_score"):
        values = [getattr(probe, name) for probe in probes]
        if len(set(shares)) < 3 or len(set(values)) < 3:
            found[name] = None
            continue
        found[name] = round(float(spearmanr(shares, values).statistic), 3)
    return found
