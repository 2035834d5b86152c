"""Successive halving: all candidates on few photos, the better ones on more.

Source: Jamieson and Talwalkar, Non-stochastic best arm identification, AISTATS 2016,
arXiv:1502.07943. One thing is added: luck drops nobody. Besides the better half, whoever the photos
seen so far cannot tell from the best goes on too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.comparison import SIGNIFICANT
from headstart.features.speed import Speed
from headstart.progress import Progress
from headstart.selection.candidate import Candidate
from headstart.selection.probe import Notes, Probe, Problem, make_probe
from headstart.selection.sample import sample_sizes

DECODING_SECONDS = 0.004
"""Of one photo that is not kept decoded; see docs/performance.md."""


class Extract(Protocol):
    """Whoever evaluates frozen networks: this machine, or many."""

    def __call__(self, candidate: Candidate, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Returns the features (N, D) of some photos."""


SpeedOf = Callable[[Candidate], Speed | None]
"""Measures a candidate on this machine; None where that makes no sense."""


@dataclass(frozen=True)
class Budget:
    """Time that may be spent.

    Attributes:
        seconds: in all; None for as much as it takes.
        clock: seconds since some moment.
        begun: by that clock.
    """

    seconds: float | None = None
    clock: Callable[[], float] = monotonic
    begun: float = field(default_factory=monotonic)

    def fits(self, seconds: float) -> bool:
        """Tells whether so much more time is left."""
        return self.seconds is None or self.spent + seconds <= self.seconds

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self.clock() - self.begun


@dataclass(frozen=True, eq=False)
class Standing:
    """What is known of a candidate so far.

    Attributes:
        candidate: which.
        probes: one a round, on more and more photos.
        speed: on this machine.
        seconds_per_photo: what its features cost here, decoding included; 0 where all were kept.
        out: why it was not measured on all photos; empty when it was.
    """

    candidate: Candidate
    probes: tuple[Probe, ...] = ()
    speed: Speed | None = None
    seconds_per_photo: float = 0.0
    out: str = ""

    @property
    def last(self) -> Probe | None:
        """The probe on most photos."""
        return self.probes[-1] if self.probes else None


@dataclass(frozen=True)
class Round:
    """What measuring needs; see `run`."""

    problem: Problem
    extract: Extract
    notes: Notes
    budget: Budget
    progress: Progress

    @property
    def first_size(self) -> int:
        """Photos that suffice for a first look, and for the scores."""
        return sample_sizes(len(self.problem), self.problem.class_count)[0]

    def probe(self, candidate: Candidate, count: int, *, scored: int = 0) -> Probe | None:
        """Returns what was measured of a candidate before, or None."""
        return self.notes.read(candidate.digest, self.problem.first(count), scored=scored)

    def measure(self, candidate: Candidate, count: int, *, scored: int = 0) -> Probe:
        """Measures a candidate on the first so many photos, unless that was done before."""
        found = self.probe(candidate, count, scored=scored)
        if found is None:
            problem = self.problem.first(count)
            features = self.extract(candidate, problem.positions)
            found = make_probe(features, problem, scored=scored)
            self.notes.write(candidate.digest, problem, found, scored=scored)
        return found


def run(
    candidates: Sequence[Candidate],
    sizes: Sequence[int],
    given: Round,
    *,
    speed_of: SpeedOf,
    latency_limit: float | None = None,
    prefilter: int | None = None,
) -> tuple[Standing, ...]:
    """Measures candidates round by round and drops the weak.

    Args:
        candidates: in the order in which they are begun.
        sizes: photos of each round; one for no halving.
        given: the photos, and who computes features.
        speed_of: measures speed, after a candidate's first round.
        latency_limit: milliseconds a photo that none may exceed; None for no limit.
        prefilter: how many go on after the first round by their LogME alone; None for all.

    Returns:
        Every candidate with all that is known of it, in the order given.
    """
    standings = [Standing(each) for each in candidates]
    alive = list(range(len(standings)))
    for number, size in enumerate(sizes):
        is_first, dearest = number == 0, 0.0
        for done, at in enumerate(list(alive), 1):
            before, spent = standings[at], given.budget.spent
            standings[at] = _advance(
                before, size, given, scored=given.first_size if is_first else 0, guess=dearest
            )
            if is_first and standings[at].probes:
                standings[at] = _timed(standings[at], speed_of, latency_limit)
            dearest = max(dearest, given.budget.spent - spent)
            given.progress.step(f"candidates on {size} photos", done, len(alive))
        alive = [at for at in alive if not standings[at].out]
        if is_first and prefilter is not None:
            alive = _by_score(standings, alive, prefilter)
        if number + 1 < len(sizes):
            alive = _survivors(standings, alive)
    return tuple(standings)


def _advance(standing: Standing, size: int, given: Round, *, scored: int, guess: float) -> Standing:
    kept = given.probe(standing.candidate, size, scored=scored)
    if kept is not None:
        return replace(standing, probes=(*standing.probes, kept))
    seen = standing.last.photos if standing.last is not None else 0
    expected = _cost(standing, size - seen) if seen else guess
    if not given.budget.fits(expected):
        about = f", about {expected:.0f} s," if expected >= 1 else ""
        return replace(standing, out=f"{size} photos{about} did not fit into the budget")
    begun = given.budget.spent
    probe = given.measure(standing.candidate, size, scored=scored)
    rate = (given.budget.spent - begun) / (size - seen)
    return replace(standing, probes=(*standing.probes, probe), seconds_per_photo=rate)


def _cost(standing: Standing, photos: int) -> float:
    """Guesses the seconds of more photos; the first ones also paid for converting the network."""
    rate, speed = standing.seconds_per_photo, standing.speed
    if speed is None:
        return rate * photos
    steady = 1 / speed.photos_per_second + DECODING_SECONDS
    return min(rate or steady, steady) * photos


def _timed(standing: Standing, speed_of: SpeedOf, limit: float | None) -> Standing:
    speed = speed_of(standing.candidate)
    out = standing.out
    if limit is not None and speed is not None and speed.latency_ms > limit:
        out = f"takes {speed.latency_ms:.1f} ms a photo, more than {limit:g}"
    return replace(standing, speed=speed, out=out)


def _by_score(standings: list[Standing], alive: list[int], count: int) -> list[int]:
    scores = {at: standings[at].probes[0].log_me or -np.inf for at in alive}
    kept = sorted(alive, key=lambda at: -scores[at])[:count]
    for at in set(alive) - set(kept):
        standings[at] = replace(standings[at], out=f"not among the {count} best by LogME")
    return [at for at in alive if at in kept]


def _survivors(standings: list[Standing], alive: list[int]) -> list[int]:
    """Keeps the better half, and whoever cannot be told from the best; the best comes first."""
    probes = {at: probe for at in alive if (probe := standings[at].last) is not None}
    ranked = sorted(probes, key=lambda at: -probes[at].top_1)
    best, kept = probes[ranked[0]] if ranked else None, []
    for place, at in enumerate(ranked):
        assert best is not None
        p_value = probes[at].p_value(best)
        if place < (len(ranked) + 1) // 2 or p_value >= SIGNIFICANT:
            kept.append(at)
            continue
        points = 100 * (best.top_1 - probes[at].top_1)
        standings[at] = replace(
            standings[at],
            out=f"{points:.1f} points below the best on {best.photos} photos (p = {p_value:.1g})",
        )
    return kept
