"""Choosing, with features that are made here: what is dropped, kept, counted and recommended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from headstart.backbones.spec import FrozenSpec
from headstart.features.speed import Speed
from headstart.progress import Silent
from headstart.selection.candidate import Candidate
from headstart.selection.choice import Choice
from headstart.selection.choose import choose
from headstart.selection.halving import Budget, Round
from headstart.selection.probe import Notes, Problem, make_probe
from headstart.selection.sample import even_order

COUNT = 800
SIGNALS = {"VGG16": 3.0, "VGG19": 2.9, "ResNet50": 1.0, "Xception": 0.4, "ResNet101": 0.1}


@dataclass
class Machine:
    """Gives features of which the signal is known, and counts what it is asked for."""

    labels: np.ndarray
    seconds_per_photo: float = 0.0
    now: float = 0.0
    asked: list[tuple[str, int]] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)

    def extract(self, candidate: Candidate, positions: np.ndarray) -> np.ndarray:
        name = candidate.spec.backbone
        self.asked.append((name, len(positions)))
        self.now += self.seconds_per_photo * (len(positions) - self.kept.get(name, 0))
        self.kept[name] = len(positions)
        random = np.random.default_rng(sum(map(ord, name)))
        noise = random.normal(size=(len(self.labels), 8)).astype(np.float32)
        if candidate.spec.weights != "none":
            noise[:, 0] += SIGNALS[name] * self.labels
        return noise[positions]

    def speed(self, candidate: Candidate) -> Speed:
        rate = 1 / self.seconds_per_photo if self.seconds_per_photo else 1e9 / candidate.parameters
        return Speed(rate, "made up", "float32", "none", 1000 / rate)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def problem() -> Problem:
    labels = (np.arange(COUNT) % 2).astype(np.int32)
    order = even_order(labels, seed=0)
    groups = np.arange(COUNT, dtype=np.int32)
    return Problem(order, labels[order], groups, [f"{n:064x}" for n in order], 2, 0)


@pytest.fixture
def machine(problem: Problem) -> Machine:
    labels = np.empty(COUNT, np.int32)
    labels[problem.positions] = problem.labels
    return Machine(labels)


@pytest.fixture
def decide(machine: Machine, problem: Problem, tmp_path: Path) -> Callable[..., Choice]:
    def run(*names: str, seconds: float | None = None, **options: object) -> Choice:
        candidates = [
            Candidate(FrozenSpec(name, 96, "avg", "file", name, name, 0))
            for name in names or SIGNALS
        ]
        budget = Budget(seconds, machine.clock, machine.now)
        given = Round(problem, machine.extract, Notes(tmp_path, "made up"), budget, Silent())
        return choose(candidates, given, speed_of=machine.speed, **options)

    return run


def test_weak_candidates_see_few_photos_and_the_best_is_found(
    machine: Machine, decide: Callable[..., Choice]
) -> None:
    found = decide()
    most = {each.candidate.spec.backbone: each.last.photos for each in found}
    assert most["VGG16"] == most["VGG19"] == COUNT
    assert most["ResNet101"] == most["Xception"] == 200
    assert found.recommended.candidate.spec.backbone in ("VGG16", "VGG19")
    assert "points below the best on 200 photos" in list(found)[-1].out


def test_without_halving_all_are_measured_on_all_photos_and_the_same_one_wins(
    decide: Callable[..., Choice],
) -> None:
    found, halved = decide(halving=False), decide()
    assert {each.last.photos for each in found} == {COUNT}
    assert found.recommended.candidate == halved.recommended.candidate
    ranks = [each.candidate.spec.backbone for each in found]
    assert ranks.index("ResNet50") < ranks.index("ResNet101")


def test_a_second_call_computes_nothing(machine: Machine, decide: Callable[..., Choice]) -> None:
    first, asked = decide().to_dict(), len(machine.asked)
    second = decide().to_dict()
    assert len(machine.asked) == asked
    assert first | {"seconds": 0} == second | {"seconds": 0}


def test_work_that_does_not_fit_into_the_budget_is_not_begun_and_named(
    machine: Machine, decide: Callable[..., Choice]
) -> None:
    machine.seconds_per_photo = 0.1
    found = decide(seconds=70)
    assert machine.now <= 70
    reasons = [reason for _, reason in found.left_out]
    assert reasons, "a first round of 20 s each leaves no room for the fifth"
    assert all("did not fit into the budget" in reason for reason in reasons)
    assert found.recommended is not None
    assert found.gains == ()


def test_a_faster_candidate_that_cannot_be_told_from_the_best_is_taken_and_the_reason_said(
    decide: Callable[..., Choice],
) -> None:
    found = decide("VGG16", "VGG19")
    assert found.recommended.candidate.spec.backbone == "VGG16"
    assert f"{COUNT} photos cannot prove" in found.recommended.reason


def test_a_limit_of_latency_excludes_before_most_photos_are_seen(
    decide: Callable[..., Choice],
) -> None:
    found = decide(latency_limit=22)
    out = {each.candidate.spec.backbone: each.out for each in found}
    assert "more than 22" in out["ResNet50"]
    assert found.recommended.candidate.spec.backbone == "VGG16"


def test_a_prefilter_goes_on_with_the_best_by_logme(decide: Callable[..., Choice]) -> None:
    found = decide(prefilter=1)
    finalists = [each for each in found if each.last.photos == COUNT]
    assert len(finalists) == 1
    assert finalists[0].probes[0].log_me == max(each.probes[0].log_me for each in found)


def test_the_scores_rank_a_clear_signal_as_accuracy_does(decide: Callable[..., Choice]) -> None:
    found = {each.score: each for each in decide().agreement}
    assert found["log_me"].kendall > 0.7
    assert found["h_score"].spearman > 0.7
    assert found["log_me"].candidates == len(SIGNALS)


def test_what_pretrained_weights_are_worth_is_measured(decide: Callable[..., Choice]) -> None:
    early, last = decide("VGG16").gains
    assert early.layer == "block2_pool"
    assert last.layer is None
    assert last.pretrained > 0.9 > 0.65 > last.random
    assert last.p_value < 1e-6


def test_near_duplicates_do_not_help_each_other() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 4).astype(np.int32)
    labels = (groups % 2).astype(np.int32)
    features = random.normal(size=(60, 100)).astype(np.float32)[groups]
    names = [f"{n:064x}" for n in range(240)]
    positions = np.arange(240)
    apart = Problem(positions, labels, groups, names, 2, 0)
    loose = Problem(positions, labels, positions.astype(np.int32), names, 2, 0)
    assert make_probe(features, loose, scored=0).top_1 > 0.95
    assert make_probe(features, apart, scored=0).top_1 < 0.7
