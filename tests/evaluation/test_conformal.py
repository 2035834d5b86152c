"""Sets of classes hold the truth as often as asked, on photos that taught nothing."""

import math

import numpy as np
import pytest
from scipy.special import softmax

from headstart.errors import ArgumentError
from headstart.evaluation.conformal import Conformal, check_sets


def drawn(count: int, seed: int, classes: int = 5):
    random = np.random.default_rng(seed)
    p = softmax(random.normal(0, 1.5, (count, classes)), axis=1)
    return p, np.array([random.choice(classes, p=row) for row in p])


@pytest.mark.parametrize("coverage", [0.7, 0.9, 0.95, 0.99])
def test_the_truth_is_in_the_set_as_often_as_asked(coverage: float) -> None:
    learnt = Conformal.fit(*drawn(3000, 0))
    p, labels = drawn(20_000, 1)
    found = check_sets(learnt.sets(p, coverage), labels, coverage=coverage)
    assert found.covered == pytest.approx(coverage, abs=0.02)
    assert found.mean_size < 5


def test_more_coverage_means_larger_sets_and_fewer_answers() -> None:
    learnt = Conformal.fit(*drawn(1000, 0))
    p, labels = drawn(1000, 1)
    found = [check_sets(learnt.sets(p, c), labels, coverage=c) for c in (0.5, 0.8, 0.95)]
    assert found[0].mean_size < found[1].mean_size < found[2].mean_size
    assert found[0].answered > found[1].answered > found[2].answered


def test_the_likeliest_class_is_always_in_and_alone_where_that_is_right_often_enough() -> None:
    p = np.tile([[0.6, 0.4]], (100, 1))
    learnt = Conformal.fit(p, np.repeat([0, 1], [97, 3]))
    assert learnt.sets(p, 0.95).tolist() == [[True, False]] * 100
    assert learnt.sets(p, 0.98).all()


def test_the_limit_is_the_order_statistic_of_split_conformal() -> None:
    p, labels = drawn(500, 3)
    true = p[np.arange(500), labels]
    scores = np.sort(np.where(p.argmax(axis=1) == labels, 0.0, 1 - true))
    for coverage in (0.6, 0.9, 0.95):
        expected = scores[math.ceil(501 * coverage) - 1]
        assert Conformal.fit(p, labels).limit(coverage) == pytest.approx(expected, abs=1e-12)


def test_with_too_few_photos_to_promise_anything_every_class_may_be_meant() -> None:
    p, labels = drawn(10, 0)
    assert Conformal.fit(p, labels).sets(p, 0.95).all()


@pytest.mark.parametrize("coverage", [0, 1, 95])
def test_a_coverage_that_is_no_share_is_an_error(coverage: float) -> None:
    with pytest.raises(ArgumentError, match=f"coverage={coverage} does not fit"):
        Conformal.fit(*drawn(10, 0)).limit(coverage)
