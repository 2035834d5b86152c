"""What is unlike the training photos is flagged; what is like them is not."""

import numpy as np

from headstart.evaluation import familiarity
from headstart.evaluation.familiarity import Familiarity


def cloud(seed: int, count: int, centre: int):
    # The same cloud for every seed: only the photos drawn from it differ.
    middle = np.random.default_rng([centre, 99]).normal(0, 1, 32)
    return np.random.default_rng([seed, centre]).normal(0, 0.4, (count, 32)) + middle


def test_few_new_photos_of_the_same_kind_are_flagged_and_nearly_all_others() -> None:
    learnt = Familiarity.fit(cloud(0, 400, 1), cloud(1, 200, 1))
    assert (learnt.distances(cloud(2, 1000, 1)) > learnt.limit).mean() < 0.05
    assert (learnt.distances(cloud(3, 200, 7)) > learnt.limit).mean() > 0.95


def test_the_limit_is_set_without_held_out_photos_too() -> None:
    learnt = Familiarity.fit(cloud(0, 400, 1), np.zeros((0, 32)))
    assert (learnt.distances(cloud(2, 1000, 1)) > learnt.limit).mean() < 0.08
    assert learnt.limit > learnt.distances(cloud(0, 400, 1)).max()  # not set on the references


def test_distances_are_those_of_the_nearest_direction_whatever_the_length() -> None:
    train = cloud(0, 50, 1)
    learnt = Familiarity.fit(train, train[:0])
    photos = cloud(1, 20, 3)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (photos, train)]
    expected = 1 - (unit[0] @ unit[1].T).max(axis=1)
    np.testing.assert_allclose(learnt.distances(photos * 17), expected, atol=0.01)


def test_only_so_many_references_are_kept(monkeypatch) -> None:
    monkeypatch.setattr(familiarity, "MAX_REFERENCES", 100)
    learnt = Familiarity.fit(cloud(0, 400, 1), cloud(1, 50, 1))
    assert learnt.references.shape == (100, 32)
    assert (learnt.distances(cloud(2, 1000, 1)) > learnt.limit).mean() < 0.06


def test_one_photo_is_enough_to_begin_with() -> None:
    learnt = Familiarity.fit(cloud(0, 1, 1), np.zeros((0, 32)))
    assert not (learnt.distances(cloud(2, 10, 1)) > learnt.limit).any()
