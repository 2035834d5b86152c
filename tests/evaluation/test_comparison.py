"""McNemar's test is SciPy's; the interval of a difference holds it; what changed is named."""

import numpy as np
import pytest
from scipy.stats import binomtest

from headstart.evaluation.comparison import compare, mcnemar


@pytest.mark.parametrize("seed", range(30))
def test_mcnemar_is_scipys_exact_binomial_test(seed: int) -> None:
    one, other = map(int, np.random.default_rng(seed).integers(0, 60, 2))
    expected = 1.0 if one + other == 0 else binomtest(one, one + other, 0.5).pvalue
    assert mcnemar(one, other) == pytest.approx(expected, abs=1e-9)


def test_mcnemar_copes_with_very_many_photos() -> None:
    assert mcnemar(60_000, 61_000) == pytest.approx(
        binomtest(60_000, 121_000, 0.5).pvalue, abs=1e-9
    )


def compared(first_right: float, second_right: float, count: int = 1000):
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, count)
    answers = [
        np.where(random.uniform(size=count) < share, labels, (labels + 1) % 3)
        for share in (first_right, second_right)
    ]
    files = [f"{number}.jpg" for number in range(count)]
    names = {"names": ("a", "b"), "class_names": list("xyz"), "files": files}
    return compare(labels, *answers, **names), labels, answers


def test_a_clear_difference_is_found_and_lies_in_its_interval() -> None:
    found, labels, (first, second) = compared(0.9, 0.97)
    assert found.is_significant
    expected = (second == labels).mean() - (first == labels).mean()
    assert found.difference == pytest.approx(expected, abs=1e-9)
    assert 0 < found.difference_interval.low < expected < found.difference_interval.high
    assert "b is better than a by" in str(found)


def test_97_against_98_is_no_difference_on_200_photos() -> None:
    found, *_ = compared(0.97, 0.98, 200)
    assert not found.is_significant
    assert "no difference that 200 photos could prove" in str(found)


def test_every_photo_that_changed_is_listed_and_counted() -> None:
    found, labels, (first, second) = compared(0.9, 0.9)
    assert len(found.changed) == found.only_first + found.only_second
    for change in found.changed:
        at = int(change.file.removesuffix(".jpg"))
        assert ("xyz"[first[at]], "xyz"[second[at]]) == (change.first, change.second)
        assert (first[at] == labels[at]) != (second[at] == labels[at])


def test_a_classifier_is_as_good_as_itself() -> None:
    labels = np.arange(9) % 3
    found = compare(labels, labels, labels, names=("a", "b"), class_names="xyz", files=["f"] * 9)
    assert (found.p_value, found.difference, found.changed) == (1.0, 0.0, ())
