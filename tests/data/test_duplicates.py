"""Copies are found, whatever was done to them; different pictures are never linked."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from headstart.data.decode import fingerprint
from headstart.data.duplicates import duplicate_pairs, group_duplicates
from headstart.data.looks import Looks
from headstart.data.neighbours import Forest
from headstart.errors import ArgumentError


def described(images):
    """Fingerprints and thumbnails of pictures, as `scan` finds them."""
    prints, small = zip(*(fingerprint(image) for image in images), strict=True)
    return (
        np.array([np.frombuffer(each, np.uint8) for each in prints]),
        np.array([np.frombuffer(each, np.uint8) for each in small]).reshape(-1, 16, 16),
    )


def scene(seed):
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (7, 9, 3), np.uint8))
    return coarse.resize((320, 240), Image.Resampling.BICUBIC)


def names(count):
    return [f"{number:08x}" for number in range(count)]


def again_as_jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


CHANGES = {
    "re-encoded": lambda image: again_as_jpeg(image, 60),
    "smaller": lambda image: image.resize((image.width * 7 // 10, image.height * 7 // 10)),
    "brighter": lambda image: image.point(lambda value: min(255, value * 11 // 10)),
    "darker": lambda image: image.point(lambda value: value * 9 // 10),
    "grey": lambda image: image.convert("L"),
    "cropped": lambda image: image.crop(
        (image.width // 100, image.height // 100, image.width * 99 // 100, image.height * 99 // 100)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_grouped_with_its_original(change):
    originals = [scene(seed) for seed in range(20)]
    copies = [CHANGES[change](image) for image in originals]
    groups = group_duplicates(*described(originals + copies), names(40))
    assert groups.dtype == np.int32
    assert groups.tolist() == [*range(20), *range(20)]


def test_equal_files_are_linked_as_exact_and_equal_looks_are_not():
    prints, small = described([scene(1), scene(2), scene(1), scene(1)])
    pairs = duplicate_pairs(prints, small, ["a", "b", "a", "c"])
    links = zip(pairs.first, pairs.second, pairs.exact, strict=True)
    assert [tuple(map(int, link)) for link in links] == [(0, 2, 1), (0, 3, 0)]
    assert pairs.groups(4).tolist() == [0, 1, 0, 0]


def test_blank_pictures_are_copies_only_when_their_files_are_equal():
    prints, small = described(
        [Image.new("RGB", (50, 50), colour) for colour in ("white", "#fefefe")] * 2
    )
    assert group_duplicates(prints, small, ["a", "b", "a", "c"]).tolist() == [0, 1, 0, 2]


def test_equal_fingerprints_of_different_pictures_are_not_linked():
    _, small = described([scene(seed) for seed in range(30)])
    prints = np.zeros((30, 16), np.uint8)
    assert group_duplicates(prints, small, names(30)).tolist() == list(range(30))


def test_groups_do_not_depend_on_the_order_of_photos():
    images = [change(scene(seed)) for seed in range(8) for change in CHANGES.values()]
    prints, small = described(images)
    groups = group_duplicates(prints, small, names(48))
    order = np.random.default_rng(0).permutation(48)
    again = group_duplicates(prints[order], small[order], [names(48)[at] for at in order])
    together = groups[order][:, None] == groups[order][None, :]
    assert np.array_equal(together, again[:, None] == again[None, :])


def test_the_quick_look_never_rules_out_what_the_sure_one_takes():
    random = np.random.default_rng(0)
    base = random.integers(0, 256, (500, 256), np.uint8)
    noise = random.integers(-12, 13, (500, 256)) * random.random((500, 1))
    looks = Looks.of(np.concatenate([base, np.clip(base + noise, 0, 255).astype(np.uint8)]))
    one, other = np.arange(500), np.arange(500, 1000)
    surely = looks._surely(one, other)
    assert surely.any()
    assert np.all(looks._likely(one, other)[surely])


@pytest.mark.parametrize("kind", ["one file", "one look", "a film"])
def test_twenty_thousand_copies_are_one_group_in_seconds(kind):
    count = 20_000
    prints, small = described([scene(0)])
    prints, small = np.repeat(prints, count, 0), np.repeat(small, count, 0)
    if kind == "a film":
        random = np.random.default_rng(0)
        flipped = random.random((count, 128)) < 0.02
        prints ^= np.packbits(flipped, axis=1)
        small = np.clip(small + random.integers(-2, 3, small.shape), 0, 255).astype(np.uint8)
    began = time.perf_counter()
    pairs = duplicate_pairs(prints, small, ["same"] * count if kind == "one file" else names(count))
    assert time.perf_counter() - began < 20
    assert len(pairs.first) == count - 1
    assert pairs.groups(count).max() == 0


def test_sets_are_known_by_their_smallest_member():
    forest = Forest(5)
    assert [forest.unite(3, 4), forest.unite(4, 1), forest.unite(1, 3)] == [True, True, False]
    assert forest.flatten().tolist() == [0, 1, 2, 1, 1]


def test_no_photo_and_one_photo_have_no_duplicates():
    nothing = np.zeros((0, 16), np.uint8), np.zeros((0, 16, 16), np.uint8)
    assert group_duplicates(*nothing, []).tolist() == []
    assert group_duplicates(*described([scene(0)]), ["a"]).tolist() == [0]


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentError, match=r"do not fit 2 digests; expected shapes \(2, 16\) and"):
        group_duplicates(np.zeros((2, 16), np.uint8), np.zeros((3, 16, 16), np.uint8), ["a", "b"])


def test_of_real_photos_the_copies_are_found_and_nothing_else(test_data):
    files = sorted((test_data / "photos/cats_dogs/train/dogs").glob("*.jpg"))[::20]
    files += [file.with_name(f"dog.{number}.jpg") for file in files[:1] for number in (74, 180)]
    originals = [Image.open(file).convert("RGB") for file in dict.fromkeys(files)]
    count = len(originals)
    copies = [CHANGES["smaller"](again_as_jpeg(image, 75)) for image in originals]
    groups = group_duplicates(*described(originals + copies), names(2 * count))
    assert np.array_equal(groups[:count], groups[count:])
    assert len(set(groups.tolist())) == count - 1, "only dog.74 and dog.180 show the same puppies"


def test_no_two_handwritten_digits_are_taken_for_copies():
    from sklearn.datasets import load_digits

    pictures = load_digits().images[:600] * 255 / 16
    prints, small = described([Image.fromarray(each.round().astype(np.uint8)) for each in pictures])
    assert group_duplicates(prints, small, names(600)).tolist() == list(range(600))
