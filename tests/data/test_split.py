"""The split: stratified, stable when photos are added, near-duplicates on one side."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.split import Split, read_split_csv, split_photos, write_split_csv
from headstart.data.walk import SetAside
from headstart.errors import ArgumentError, PhotosError

relaxed = settings(max_examples=40, deadline=None)
"""A busy machine is no reason to fail."""

SIDES = ("train", "validation", "test", "unused")


def digest_of(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def split(numbers, labels=None, groups=None, splits=None, classes=2, **options):
    count = len(numbers)
    return split_photos(
        digests=[digest_of(number) for number in numbers],
        labels=np.array([n % classes for n in numbers] if labels is None else labels, np.int32),
        groups=np.arange(count, dtype=np.int32) if groups is None else np.array(groups, np.int32),
        splits=[None] * count if splits is None else splits,
        class_names=[f"class {number}" for number in range(classes)],
        **options,
    )


def side_by_number(numbers, result):
    return dict(zip(numbers, result.side_of(len(numbers)), strict=True))


numbers_lists = st.lists(st.integers(0, 10_000), min_size=30, max_size=120, unique=True)
fractions = st.sampled_from([0.0, 0.1, 0.15, 0.3])


@relaxed
@given(numbers_lists, fractions, fractions, st.integers(0, 5))
def test_every_photo_stands_on_exactly_one_side(numbers, validation, test, seed):
    result = split(numbers, validation=validation, test=test, seed=seed)
    together = np.concatenate([getattr(result, side) for side in SIDES])
    assert sorted(together.tolist()) == list(range(len(numbers)))
    assert len(result.unused) == 0
    assert all(np.all(np.diff(getattr(result, side)) > 0) for side in SIDES)


@relaxed
@given(numbers_lists, numbers_lists, st.integers(0, 5))
def test_with_fractions_added_photos_move_no_other(numbers, more, seed):
    # 15 photos a class: that a class gets no train photo has odds of 0.3 to the 15th.
    numbers = [*range(20_000, 20_030), *numbers]
    added = [number for number in more if number not in numbers]
    before = side_by_number(numbers, split(numbers, seed=seed))
    after = side_by_number(numbers + added, split(numbers + added, seed=seed))
    assert all(after[number] == side for number, side in before.items())


@relaxed
@given(numbers_lists, st.data())
def test_with_counts_added_photos_displace_at_most_as_many(numbers, data):
    added = data.draw(st.lists(st.integers(20_000, 30_000), min_size=1, max_size=20, unique=True))
    fewest = min(sum(n % 2 == label for n in numbers) for label in (0, 1))
    train = data.draw(st.integers(1, max(1, fewest - 1)))
    counts = {"train_per_class": train, "test_per_class": max(0, fewest - train)}
    if fewest < 1:
        return
    before = side_by_number(numbers, split(numbers, **counts))
    after = side_by_number(numbers + added, split(numbers + added, **counts))
    displaced = [n for n, side in before.items() if side != "unused" and after[n] != side]
    assert len(displaced) <= len(added)
    assert all(after[number] == "unused" for number in displaced)


@relaxed
@given(numbers_lists, st.data())
def test_with_three_counts_each_side_loses_at_most_as_many_as_are_added(numbers, data):
    added = data.draw(st.lists(st.integers(20_000, 30_000), min_size=1, max_size=20, unique=True))
    fewest = min(sum(n % 2 == label for n in numbers) for label in (0, 1))
    if fewest < 3:
        return
    counts = {f"{side}_per_class": fewest // 3 for side in SIDES[:3]}
    before = side_by_number(numbers, split(numbers, **counts))
    after = side_by_number(numbers + added, split(numbers + added, **counts))
    for side in SIDES[:3]:
        lost = [n for n, was in before.items() if was == side and after[n] != side]
        assert len(lost) <= len(added)


@relaxed
@given(numbers_lists, st.data(), st.booleans())
def test_groups_never_stand_on_two_sides(numbers, data, exact):
    groups = data.draw(st.lists(st.integers(0, 12), min_size=len(numbers), max_size=len(numbers)))
    options = {"train_per_class": 1, "validation_per_class": 1, "test_per_class": 0}
    labels = [
        group % 2 if exact else number % 2 for number, group in zip(numbers, groups, strict=True)
    ]
    if exact and min(len({g for g in groups if g % 2 == label}) for label in (0, 1)) < 2:
        return
    result = split(numbers, labels=labels, groups=groups, **(options if exact else {}))
    for group in set(groups):
        sides = {s for s, g in zip(result.side_of(len(numbers)), groups, strict=True) if g == group}
        assert len(sides - {"unused"}) <= 1


@relaxed
@given(numbers_lists, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_photos_changes_nothing(numbers, random, exact):
    options = {"train_per_class": 3, "test_per_class": 2} if exact else {}
    numbers = [*range(20_000, 20_020), *numbers]
    groups = {number: number // 3 * 2 + number % 2 for number in numbers}
    shuffled = random.sample(numbers, len(numbers))
    one = split(numbers, groups=[groups[n] for n in numbers], **options)
    other = split(shuffled, groups=[groups[n] for n in shuffled], **options)
    assert side_by_number(numbers, one) == side_by_number(shuffled, other)


@relaxed
@given(numbers_lists, st.integers(0, 5))
def test_one_seed_gives_one_split_and_another_seed_another(numbers, seed):
    numbers = [*range(20_000, 20_100), *numbers]
    one, same, other = (split(numbers, seed=s) for s in (seed, seed, seed + 1))
    assert one.side_of(len(numbers)) == same.side_of(len(numbers))
    assert one.side_of(len(numbers)) != other.side_of(len(numbers))


def test_fractions_are_met_in_every_class():
    result = split(range(10_000), validation=0.2, test=0.1)
    for label in (0, 1):
        sizes = [sum(at % 2 == label for at in getattr(result, side).tolist()) for side in SIDES]
        assert np.allclose(np.array(sizes) / 5000, [0.7, 0.2, 0.1, 0], atol=0.02)


def test_exact_counts_are_exact_and_the_rest_is_unused():
    result = split(range(100), train_per_class=20, validation_per_class=5, test_per_class=10)
    assert [len(getattr(result, side)) for side in SIDES] == [40, 10, 20, 30]


def test_without_a_test_count_test_keeps_its_fraction_whatever_train_takes():
    few, more = (split(range(1000), train_per_class=count) for count in (5, 50))
    assert [len(few.train), len(more.train), len(few.validation)] == [10, 100, 0]
    assert few.test.tolist() == more.test.tolist()
    assert set(few.train.tolist()) < set(more.train.tolist())


def test_a_group_that_a_count_cuts_through_leaves_its_rest_unused():
    result = split(
        range(0, 20, 2), groups=[0] * 6 + [1, 2, 3, 4], train_per_class=4, test_per_class=1
    )
    sides = result.side_of(10)
    assert set(sides[:6]) - {"unused"} in ({"train"}, {"test"}, set())
    assert (sides.count("train"), sides.count("test")) == (4, 1)


def test_more_than_there_is_names_the_class_and_the_number():
    with pytest.raises(ArgumentError, match=r"train_per_class=60, but class 'class 0' has only 40"):
        split(range(100), train_per_class=60, test_per_class=10)


def test_a_class_without_a_train_photo_gets_its_highest_ranked_group():
    labels = [0] * 50 + [1] * 2
    for seed in range(60):
        result = split(range(52), labels=labels, test=0.7, seed=seed)
        assert {50, 51} & set(result.train.tolist())


def test_folders_named_train_validation_and_test_are_respected():
    splits = ["train"] * 40 + ["validation"] * 10 + ["test"] * 10
    result = split(range(60), groups=[0] * 60, splits=splits)
    assert result.train.tolist() == list(range(40))
    assert result.validation.tolist() == list(range(40, 50))
    assert result.test.tolist() == list(range(50, 60))


def test_with_train_and_test_only_validation_is_cut_from_train():
    splits = ["train"] * 1000 + ["test"] * 50
    result = split(range(1050), splits=splits)
    assert result.test.tolist() == list(range(1000, 1050))
    assert 120 <= len(result.validation) <= 180
    assert len(result.train) + len(result.validation) == 1000
    without = split(range(1000), splits=splits[:1000])
    assert 120 <= len(without.test) <= 180


def test_photos_without_a_side_fill_only_the_sides_that_nobody_gives():
    splits = ["train"] * 10 + ["test"] * 10 + [None] * 200
    result = split(range(220), splits=splits)
    assert set(range(10)) < set(result.train.tolist())
    assert result.test.tolist() == list(range(10, 20))
    assert min(result.validation) >= 20


def test_counts_take_from_the_folders_that_are_given():
    splits = ["train"] * 100 + ["test"] * 50
    result = split(range(150), splits=splits, train_per_class=10, test_per_class=5)
    assert [len(getattr(result, side)) for side in SIDES] == [20, 0, 10, 120]
    assert max(result.train) < 100 <= min(result.test)


def test_of_a_group_with_two_labels_only_one_class_is_dealt():
    result = split(range(8), labels=[0, 0, 0, 0, 1, 1, 1, 1], groups=[0, 1, 2, 3, 0, 4, 5, 6],
                   train_per_class=3, test_per_class=0)  # fmt: skip
    assert len(result.train) == 6
    assert not {0, 4} <= set(result.train.tolist())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"test": 1.0}, "test=1.0, expected a fraction from 0 to below 1"),
        ({"validation": float("nan")}, "validation=nan, expected a fraction"),
        ({"validation": 0.5, "test": 0.5}, "validation=0.5 and test=0.5 leave nothing for train"),
        ({"train_per_class": 0}, "train_per_class=0, expected a whole number of at least 1"),
        ({"test_per_class": -1}, "test_per_class=-1, expected a whole number of at least 0"),
        ({"seed": -1}, "seed=-1, expected a whole number of at least 0"),
        ({"labels": [0, 1]}, "labels has 2 entries, expected 4"),
        ({"labels": [0, 1, 2, 0]}, "labels lie in 0..2, expected 0..1"),
        ({"splits": ["dev", None, None, None]}, "splits has 'dev', expected 'train', 'validation'"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(options, said):
    with pytest.raises(ArgumentError, match=said):
        split(range(4), **options)


def test_photos_that_all_lie_in_test_cannot_be_split():
    with pytest.raises(PhotosError, match="No photo is left to train on"):
        split(range(4), splits=["test"] * 4)


file_names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@relaxed
@given(st.lists(file_names, min_size=4, max_size=4, unique=True))
def test_the_table_of_the_split_comes_back_as_it_was_written(tmp_path_factory, files):
    path = tmp_path_factory.mktemp("split") / "split.csv"
    sides = Split(*(np.array([at]) for at in range(4)))
    labels = np.array([0, 1, 0, 1], np.int32)
    aside = [SetAside('x\r\n,".jpg', 'a, "reason"')]
    write_split_csv(
        path, sides, files=files, labels=labels, class_names=["a,b", "c"], set_aside=aside
    )
    rows = {row.file: (row.label, row.split, row.reason) for row in read_split_csv(path)}
    assert rows['x\r\n,".jpg'] == ("", "set aside", 'a, "reason"')
    assert rows[files[0]] == ("a,b", "train", "")
    assert rows[files[3]] == ("c", "unused", "more than asked for")


def test_another_table_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("file,label\n")
    with pytest.raises(PhotosError, match=r"line 1: got the columns \['file', 'label'\]"):
        read_split_csv(tmp_path / "x.csv")
    with pytest.raises(PhotosError, match="cannot be read as a table of splits"):
        read_split_csv(tmp_path / "none.csv")
