"""Metrics agree with scikit-learn on random inputs, and say what they mean."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from headstart.errors import ArgumentError
from headstart.evaluation.bootstrap import bootstrap
from headstart.evaluation.intervals import wilson
from headstart.evaluation.metrics import Evaluation, evaluate
from headstart.evaluation.ranking import mean_rank_measures, rank_measures


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


@pytest.mark.parametrize("classes", [2, 3, 12])
def test_rankings_and_brier_agree_with_scikit_learn(classes: int) -> None:
    found, p, labels = measured(classes)
    truth = np.eye(classes)[labels]
    area = metrics.roc_auc_score(truth, p, average="macro")
    assert found.roc_auc == pytest.approx(area, abs=1e-9)
    precision = metrics.average_precision_score(truth, p, average="macro")
    assert found.average_precision == pytest.approx(precision, abs=1e-9)
    brier = np.mean(np.sum((p - truth) ** 2, axis=1))
    assert found.brier == pytest.approx(brier, abs=1e-9)
    if classes == 2:
        assert found.brier == pytest.approx(2 * metrics.brier_score_loss(labels, p[:, 1]), abs=1e-9)


def test_equal_scores_are_one_threshold_as_in_scikit_learn() -> None:
    random = np.random.default_rng(0)
    scores, positive = random.integers(0, 5, 100) / 5, random.integers(0, 2, 100) == 1
    area, precision = rank_measures(scores, positive, np.ones((1, 100)))
    assert area[0] == pytest.approx(metrics.roc_auc_score(positive, scores), abs=1e-9)
    expected = metrics.average_precision_score(positive, scores)
    assert precision[0] == pytest.approx(expected, abs=1e-9)


def test_counting_a_photo_twice_is_as_having_it_twice() -> None:
    _, p, labels = measured(3)
    counts = np.random.default_rng(0).integers(1, 4, 200)
    again = evaluate(
        np.repeat(p, counts, axis=0),
        np.repeat(labels, counts),
        class_names=["a", "b", "c"],
        files=["x"] * counts.sum(),
    )
    weighted = mean_rank_measures(p, labels, counts[None].astype(float))
    assert weighted["roc_auc"][0] == pytest.approx(again.roc_auc, abs=1e-9)
    assert weighted["average_precision"][0] == pytest.approx(again.average_precision, abs=1e-9)


def test_every_measure_has_an_interval_around_it() -> None:
    found, _, _ = measured(12)
    for name in ("top_1", "top_5", "balanced_accuracy", "log_loss", "brier", "roc_auc"):
        interval = found.intervals[name]
        assert interval.low <= getattr(found, name) <= interval.high, name
    assert all(row.recall_interval.low <= row.recall <= row.recall_interval.high
               for row in found.classes if row.count)  # fmt: skip


def test_nine_in_ten_and_more_bootstrap_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        labels = np.repeat([0, 1], 60)
        values = random.exponential(1.0, 120)
        found = bootstrap(labels, lambda counts, v=values: {"mean": counts @ v / 120})["mean"]
        held += found.low <= 1.0 <= found.high
    assert held >= 180


def test_baselines_need_no_network() -> None:
    labels = np.repeat([0, 1, 2], [6, 3, 1])
    p = np.tile([0.6, 0.3, 0.1], (10, 1))
    found = evaluate(p, labels, class_names=list("abc"), files=["x"] * 10)
    assert found.baselines.majority_class == "a"
    assert found.baselines.majority_top_1 == found.top_1 == 0.6
    assert found.baselines.chance_top_1 == pytest.approx(1 / 3)
    assert found.baselines.share_log_loss == pytest.approx(found.log_loss, abs=1e-9)


def test_photos_of_one_class_have_no_ranking() -> None:
    found = evaluate(np.eye(2)[[0, 0]], np.zeros(2, int), class_names=["a", "b"], files=["x"] * 2)
    assert found.roc_auc is None
    assert "roc_auc" not in found.intervals


def test_the_same_seed_gives_the_same_intervals() -> None:
    assert measured(3)[0] == measured(3)[0]


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
