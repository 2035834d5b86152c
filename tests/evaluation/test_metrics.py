"""Metrics agree with scikit-learn on random inputs, and say what they mean."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from headstart.errors import ArgumentError
from headstart.evaluation.intervals import wilson
from headstart.evaluation.metrics import Evaluation, evaluate


def measured(classes: int, count: int = 200) -> tuple[Evaluation, np.ndarray, np.ndarray]:
    random = np.random.default_rng(classes)
    probabilities = random.dirichlet(np.ones(classes), count)
    labels = random.integers(0, classes, count)
    names = [f"class {number}" for number in range(classes)]
    files = [f"{number}.jpg" for number in range(count)]
    found = evaluate(probabilities, labels, class_names=names, files=files)
    return found, probabilities, labels


@pytest.mark.parametrize("classes", [2, 3, 12])
def test_metrics_agree_with_scikit_learn(classes: int) -> None:
    found, p, labels = measured(classes)
    guess = p.argmax(axis=1)
    expected = metrics.precision_recall_fscore_support(labels, guess, zero_division=0)
    rows = [(row.precision, row.recall, row.f1, row.count) for row in found.classes]
    np.testing.assert_allclose(np.array(rows).T, expected, atol=1e-9)
    assert found.top_1 == pytest.approx(metrics.accuracy_score(labels, guess), abs=1e-9)
    assert found.log_loss == pytest.approx(metrics.log_loss(labels, p), abs=1e-9)
    balanced = metrics.balanced_accuracy_score(labels, guess)
    assert found.balanced_accuracy == pytest.approx(balanced, abs=1e-9)


def test_top_5_agrees_with_scikit_learn_and_is_left_out_where_it_means_nothing() -> None:
    found, p, labels = measured(12)
    assert found.top_5 == pytest.approx(metrics.top_k_accuracy_score(labels, p, k=5), abs=1e-9)
    assert measured(5)[0].top_5 is None


def test_confusions_are_the_cells_of_the_matrix() -> None:
    found, p, labels = measured(3)
    matrix = metrics.confusion_matrix(labels, p.argmax(axis=1))
    for cell in found.confusions:
        assert matrix[int(cell.true[-1]), int(cell.predicted[-1])] == cell.count
    assert sum(cell.count for cell in found.confusions) == 200


@pytest.mark.parametrize(("right", "total"), [(0, 10), (10, 10), (985, 1000), (3, 7)])
def test_the_interval_is_scipys_wilson_interval(right: int, total: int) -> None:
    expected = binomtest(right, total).proportion_ci(method="wilson")
    found = wilson(right, total)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_perfect_confidence_that_is_always_right_has_no_calibration_error() -> None:
    found = evaluate(np.eye(3), np.arange(3), class_names=list("abc"), files=list("xyz"))
    assert found.expected_calibration_error == 0
    assert found.worst == ()


def test_half_sure_but_always_right_is_half_a_calibration_error() -> None:
    p = np.tile([0.5 + 1e-9, 0.5 - 1e-9], (10, 1))
    found = evaluate(p, np.zeros(10, int), class_names=["a", "b"], files=["x"] * 10)
    assert found.expected_calibration_error == pytest.approx(0.5, abs=1e-6)


def test_the_ten_most_confident_mistakes_are_named() -> None:
    found, p, labels = measured(3)
    wrong = np.flatnonzero(p.argmax(axis=1) != labels)
    surest = wrong[np.argsort(-p[wrong].max(axis=1))][:10]
    assert [mistake.file for mistake in found.worst] == [f"{number}.jpg" for number in surest]


def test_ten_thousand_classes_take_no_table_of_all_pairs() -> None:
    labels = np.arange(20) * 500
    p = np.zeros((20, 10_000), np.float32)
    p[np.arange(20), labels] = 1
    names = [str(number) for number in range(10_000)]
    found = evaluate(p, labels, class_names=names, files=names[:20])
    assert len(found.confusions) == 20


def test_nothing_to_evaluate_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="none to evaluate"):
        evaluate(np.zeros((0, 2)), np.zeros(0, int), class_names=["a", "b"], files=[])
