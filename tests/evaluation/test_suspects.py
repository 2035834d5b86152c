"""Planted wrong labels come first; photos that say nothing of their label are left alone."""

import numpy as np

from headstart.evaluation import suspects
from headstart.evaluation.suspects import contradicting, far_from_class, label_errors
from headstart.heads.linear import cross_validate


def clouds(count: int = 600, classes: int = 3, noise: float = 1.0):
    random = np.random.default_rng(0)
    labels = (np.arange(count) % classes).astype(np.int32)
    centres = random.normal(0, 1, (classes, 20))
    features = centres[labels] + random.normal(0, noise, (count, 20))
    return features.astype(np.float32), labels


def test_planted_errors_are_found_by_heads_that_did_not_see_them() -> None:
    features, labels = clouds(noise=0.8)
    planted = np.random.default_rng(1).permutation(600)[:18]
    wrong = labels.copy()
    wrong[planted] = (labels[planted] + 1) % 3
    groups = np.arange(600, dtype=np.int32)
    p = cross_validate(features, wrong, groups, class_count=3, c=0.01)
    found = label_errors(p, wrong)
    assert len(set(found[:25].tolist()) & set(planted.tolist())) >= 15


def test_clean_and_clear_labels_are_not_suspected() -> None:
    features, labels = clouds(noise=0.2)
    groups = np.arange(600, dtype=np.int32)
    p = cross_validate(features, labels, groups, class_count=3, c=0.01)
    assert len(label_errors(p, labels)) == 0


def test_a_copy_never_vouches_for_its_own_wrong_label() -> None:
    features, labels = clouds(noise=0.8)
    doubled, twice = np.repeat(features, 2, axis=0), np.repeat(labels, 2)
    twice[:2] = (twice[0] + 1) % 3
    groups = np.repeat(np.arange(600, dtype=np.int32), 2)
    p = cross_validate(doubled, twice, groups, class_count=3, c=10.0)
    assert {0, 1} <= set(label_errors(p, twice).tolist())


def test_a_class_with_a_single_photo_is_no_obstacle() -> None:
    features, labels = clouds()
    labels[0] = 3
    groups = np.arange(600, dtype=np.int32)
    p = cross_validate(features, labels, groups, class_count=4, c=0.01)
    assert p.shape == (600, 4)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)


def test_a_photo_like_no_other_of_its_class_is_far() -> None:
    features, labels = clouds(noise=0.5)
    features[7] = -features[7]
    positions, distances = far_from_class(features, labels)
    assert positions[0] == 7
    assert (np.diff(distances) <= 0).all()
    assert len(positions) <= 600 * 0.02


def test_of_very_many_photos_some_are_enough_to_compare_with(monkeypatch) -> None:
    monkeypatch.setattr(suspects, "MAX_COMPARED", 50)
    features, labels = clouds(noise=0.5)
    features[7] = -features[7]
    positions, distances = far_from_class(features, labels)
    assert positions[0] == 7
    assert distances[0] > 0.5


def test_copies_that_contradict_each_other_are_listed_together() -> None:
    found = contradicting(np.array([0, 1, 0, 2, 1]), np.array([0, 1, 1, 0, 1]))
    assert [each.tolist() for each in found] == [[0, 2]]
