"""What was found out about the candidates, and which one to take."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headstart.evaluation.comparison import SIGNIFICANT
from headstart.selection.candidate import Candidate
from headstart.selection.gain import Gain, gains_sentence
from headstart.selection.halving import Standing
from headstart.selection.probe import Probe


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a score ranked the candidates.

    Attributes:
        score: "log_me" or "h_score".
        candidates: how many were ranked.
        scored_photos: on how many photos the scores were computed.
        photos: on how many the accuracy was measured that they were to guess.
        kendall: Kendall's tau-b against cross-validated accuracy, in [-1, 1].
        spearman: Spearman's rank correlation, likewise.
    """

    score: str
    candidates: int
    scored_photos: int
    photos: int
    kendall: float
    spearman: float


@dataclass(frozen=True)
class Recommendation:
    """Which candidate to take.

    Attributes:
        candidate: which.
        reason: in a sentence.
    """

    candidate: Candidate
    reason: str

    def __str__(self) -> str:
        return f"{self.candidate.name}: {self.reason}"


@dataclass(frozen=True)
class Choice:
    """Everything that `choose` found out.

    Attributes:
        standings: of every candidate, the best first.
        recommended: what to take; None where nothing could be measured.
        agreement: how well the scores ranked; empty with fewer than three candidates.
        gains: what pretrained weights are worth to the recommended one, the early layer first.
        photos: how many there were to choose with.
        left_out: names of candidates that were not begun, each with the reason.
        seconds: all of it took.
    """

    standings: tuple[Standing, ...]
    recommended: Recommendation | None
    agreement: tuple[Agreement, ...]
    gains: tuple[Gain, ...]
    photos: int
    left_out: tuple[tuple[str, str], ...]
    seconds: float

    @property
    def pareto(self) -> tuple[Candidate, ...]:
        """Candidates to which no other is both as accurate and as fast, and better in one."""
        return pareto(self.standings)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        best = set(self.pareto)
        chosen = self.recommended
        return {
            "photos": self.photos,
            "recommended": None if chosen is None else _describe(chosen.candidate),
            "reason": None if chosen is None else chosen.reason,
            "candidates": [_row(each) | {"pareto": each.candidate in best} for each in self],
            "agreement": [asdict(each) for each in self.agreement],
            "gains": [asdict(each) for each in self.gains],
            "gains_sentence": gains_sentence(self.gains) if self.gains else "",
            "left_out": [{"name": name, "reason": reason} for name, reason in self.left_out],
            "seconds": round(self.seconds, 2),
        }

    def __iter__(self) -> Any:
        return iter(self.standings)


def ranked(standings: Sequence[Standing]) -> tuple[Standing, ...]:
    """Sorts by how far candidates came, then by accuracy, then by the score; best first."""

    def key(standing: Standing) -> tuple[float, float, float]:
        probe = standing.last
        if probe is None:
            return (0.0, 0.0, 0.0)
        return (float(probe.photos), probe.top_1, standing.probes[0].log_me or 0.0)

    return tuple(sorted(standings, key=key, reverse=True))


def pareto(standings: Sequence[Standing]) -> tuple[Candidate, ...]:
    """Returns the candidates that none beats in accuracy and speed at once."""
    points = [
        (standing.candidate, standing.last.top_1, standing.speed.photos_per_second)
        for standing in standings
        if standing.last is not None and standing.speed is not None
    ]
    return tuple(
        candidate
        for candidate, top_1, speed in points
        if not any(
            other >= top_1 and faster >= speed and (other, faster) != (top_1, speed)
            for _, other, faster in points
        )
    )


def recommend(standings: Sequence[Standing]) -> Recommendation | None:
    """Takes the most accurate, or a faster one that the photos cannot tell from it.

    Args:
        standings: best first; only those measured on most photos, and within the limits, count.
    """
    measured = [each for each in standings if each.probes and not each.out.startswith("takes")]
    if not measured:
        return None
    most = max(_probe(each).photos for each in measured)
    finalists = [each for each in measured if _probe(each).photos == most]
    best = finalists[0]
    p_values = {each.candidate: _probe(each).p_value(_probe(best)) for each in finalists}
    tied = [each for each in finalists if p_values[each.candidate] >= SIGNIFICANT]
    taken = max(tied, key=_quickness)
    said = _accuracy(_probe(taken))
    if taken is not best:
        points = 100 * (_probe(best).top_1 - _probe(taken).top_1)
        more = f"{points:.1f} points more" if points else "as many"
        return Recommendation(
            taken.candidate,
            f"{said}. {best.candidate.name} names {more} right, a difference that {most} photos "
            f"cannot prove (p = {p_values[taken.candidate]:.2g}), and is {_slower(best, taken)}.",
        )
    if len(tied) > 1:
        names = " and ".join(each.candidate.name for each in tied[1:])
        return Recommendation(
            taken.candidate,
            f"{said}. {most} photos cannot prove a difference to {names}, and none of these is "
            "faster.",
        )
    if len(finalists) == 1:
        others = [f"{each.candidate.name}: {each.out}" for each in measured[1:]]
        next_best = f" The next, {others[0]}." if others else ""
        return Recommendation(taken.candidate, f"{said}.{next_best}")
    second = finalists[1]
    points = 100 * (_probe(taken).top_1 - _probe(second).top_1)
    return Recommendation(
        taken.candidate,
        f"{said}, {points:.1f} points more than the next, {second.candidate.name} "
        f"(p = {p_values[second.candidate]:.1g}).",
    )


def agreement(standings: Sequence[Standing], scored_photos: int) -> tuple[Agreement, ...]:
    """Compares the ranks that LogME and H-score gave with those by accuracy, in the first round."""
    from scipy.stats import kendalltau, spearmanr

    first = [each.probes[0] for each in standings if each.probes]
    accuracies = [each.top_1 for each in first]
    if len(first) < 3 or len(set(accuracies)) < 2:
        return ()
    found = []
    for name in ("log_me", "h_score"):
        scores = [getattr(each, name) for each in first]
        if len(set(scores)) > 1:
            tau = float(kendalltau(scores, accuracies).statistic)
            rho = float(spearmanr(scores, accuracies).statistic)
            found.append(Agreement(name, len(first), scored_photos, first[0].photos, tau, rho))
    return tuple(found)


def _probe(standing: Standing) -> Probe:
    assert standing.last is not None
    return standing.last


def _quickness(standing: Standing) -> tuple[float, float]:
    speed = 0.0 if standing.speed is None else standing.speed.photos_per_second
    return (speed, -standing.candidate.parameters)


def _accuracy(probe: Probe) -> str:
    low, high = 100 * probe.interval.low, 100 * probe.interval.high
    return (
        f"{100 * probe.top_1:.1f} % right in cross-validation ({low:.1f} to {high:.1f} %, "
        f"{probe.photos} photos)"
    )


def _slower(best: Standing, taken: Standing) -> str:
    if best.speed is None or taken.speed is None:
        times = best.candidate.parameters / max(taken.candidate.parameters, 1)
        return f"{times:.1f} times as large"
    times = taken.speed.photos_per_second / best.speed.photos_per_second
    return f"{times:.1f} times as slow"


def _describe(candidate: Candidate) -> dict[str, Any]:
    spec = candidate.spec
    return {
        "name": candidate.name,
        "backbone": spec.backbone,
        "image_size": spec.image_size,
        "weights": spec.weights if spec.weights != "file" else spec.weights_path,
        "parameters": candidate.parameters,
        "size_mb": candidate.size_mb,
    }


def _row(standing: Standing) -> dict[str, Any]:
    probe, speed = standing.last, standing.speed
    first = standing.probes[0] if standing.probes else None
    return _describe(standing.candidate) | {
        "photos": 0 if probe is None else probe.photos,
        "top_1": None if probe is None else probe.top_1,
        "top_1_interval": None if probe is None else asdict(probe.interval),
        "photos_per_second": None if speed is None else speed.photos_per_second,
        "latency_ms": None if speed is None else speed.latency_ms,
        "log_me": None if first is None else first.log_me,
        "h_score": None if first is None else first.h_score,
        "out": standing.out,
    }
