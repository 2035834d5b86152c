"""What `check` finds in an index, and when it says that photos cannot be used."""

import json
from pathlib import Path

import numpy as np
import pytest

from headstart.data.checks import Sizes, check_photos, require_usable
from headstart.data.index import ImageIndex
from headstart.data.listing import SetAside
from headstart.errors import PhotosError


def index(paths, *, digests=None, splits=None, class_names=None, **facts):
    """An index of photos that all look different; the class is the folder."""
    count = len(paths)
    random = np.random.default_rng(0)
    labels = [path.split("/")[0] for path in paths]
    names = class_names or tuple(sorted(set(labels)))
    return ImageIndex(
        root=Path("photos"),
        paths=tuple(paths),
        labels=np.array([names.index(label) for label in labels], np.int32),
        class_names=tuple(names),
        splits=tuple(splits or [None] * count),
        digests=tuple(digests or [f"{number:064x}" for number in range(count)]),
        widths=np.array(facts.get("widths", [100] * count), np.int32),
        heights=np.array(facts.get("heights", [50] * count), np.int32),
        formats=tuple(facts.get("formats", ["JPEG"] * count)),
        modes=tuple(facts.get("modes", ["RGB"] * count)),
        orientations=np.array(facts.get("orientations", [1] * count), np.uint8),
        fingerprints=random.integers(0, 256, (count, 16), np.uint8),
        thumbnails=random.integers(0, 256, (count, 16, 16), np.uint8),
        set_aside=tuple(facts.get("set_aside", ())),
    )


GOOD = ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg")


def test_good_photos_give_a_report_without_findings_that_is_ready_for_json():
    report = check_photos(index(GOOD, widths=[10, 20, 30, 90], modes=["RGB", "L", "RGB", "CMYK"]))
    assert report.findings == ()
    assert report.class_counts == {"a": 2, "b": 2}
    assert report.sizes == Sizes((10, 25, 90), (50, 50, 50))
    assert report.modes == {"RGB": 2, "L": 1, "CMYK": 1}
    assert json.loads(json.dumps(report.to_dict()))["sizes"]["width"] == [10, 25, 90]


def test_formats_endings_and_rotations_are_counted_and_are_no_finding():
    paths = ("a/1.jpg", "a/2.png", "b/1", "b/2.JPEG")
    formats = ["PNG", "PNG", "GIF", "JPEG"]
    report = check_photos(index(paths, formats=formats, orientations=[1, 6, 3, 1]))
    assert report.formats == {"PNG": 2, "GIF": 1, "JPEG": 1}
    assert [(each.path, each.format) for each in report.mismatches] == [("a/1.jpg", "PNG")]
    assert report.rotated == 2
    assert report.findings == ()


def test_broken_files_are_a_finding_and_foreign_ones_are_not():
    foreign = [SetAside("a/Thumbs.db", "a hidden or system file")]
    assert check_photos(index(GOOD, set_aside=foreign)).findings == ()
    broken = [SetAside("a/x.jpg", "empty file"), SetAside("a/y.jpg", "empty file")]
    report = check_photos(index(GOOD, set_aside=foreign + broken))
    assert report.set_aside_by_reason == {"empty file": 2, "a hidden or system file": 1}
    assert report.findings == ("2 files were set aside, the first a/x.jpg: empty file.",)


@pytest.mark.parametrize(
    ("paths", "splits", "kind", "said"),
    [
        (GOOD, None, "exact within a class", "1 file is an exact copy of another of the class"),
        (("a/1.jpg", "b/3.jpg", *GOOD[1:]), None, "exact across classes", "two different labels"),
        (GOOD, ["train", "test", "train", "test"], "exact across splits", "reward remembering"),
    ],
)
def test_copies_are_reported_by_what_they_spoil(paths, splits, kind, said):
    digests = ["same", "same", *(f"{number}" for number in range(len(paths) - 2))]
    report = check_photos(index(paths, digests=digests, splits=splits))
    assert report.duplicate_counts == {kind: 1}
    assert (report.duplicates[0].first, report.duplicates[0].second) == paths[:2]
    assert len(report.findings) == 1
    assert said in report.findings[0]


def test_every_leaked_test_photo_is_named_with_a_photo_that_teaches_it():
    paths = [f"a/{number}.jpg" for number in range(4)] + ["b/1.jpg", "b/2.jpg"]
    splits = ["test", "test", "test", "train", "train", "test"]
    report = check_photos(index(paths, digests=["s"] * 4 + ["x", "y"], splits=splits))
    leaks = {(p.first, p.second) for p in report.duplicates if p.kind == "across splits"}
    assert leaks == {(f"a/{number}.jpg", "a/3.jpg") for number in range(3)}
    assert report.findings[0].startswith("3 pairs of copies stand on two sides of the given splits")


def test_a_rare_class_is_a_finding():
    paths = [f"a/{number}.jpg" for number in range(50)] + ["b/1.jpg", "b/2.jpg"]
    report = check_photos(index(paths))
    assert report.imbalance == 25
    assert report.findings[0].startswith("The largest class has 25.0 times the photos of the small")


def test_one_class_is_refused_with_what_to_do():
    with pytest.raises(PhotosError, match=r"has one class only, 'a'; .* at least two\. Give the"):
        require_usable(index(GOOD[:2]))
    assert check_photos(index(GOOD[:2])).findings[0].startswith("There are 1 classes")


def test_poor_classes_are_refused_by_name_ten_at_most():
    names = tuple(f"c{number:02d}" for number in range(14))
    poor = index(["c00/1.jpg", "c00/2.jpg", "c01/1.jpg"], class_names=names,
                 set_aside=[SetAside("c02/1.jpg", "empty file")])  # fmt: skip
    with pytest.raises(PhotosError) as error:
        require_usable(poor)
    said = str(error.value)
    assert "these have fewer: 'c01' (1), 'c02' (0), " in said
    assert "'c10' (0) and 3 more. 1 files were set aside: `headstart check` says why." in said
    assert "13 classes have fewer than 2 photos: c01" in check_photos(poor).findings[0]


def test_an_index_without_a_photo_is_still_reported():
    report = check_photos(index((), class_names=("a", "b")))
    assert report.sizes is None
    assert report.photos == 0
    require_usable(index(GOOD))


def test_the_lines_say_what_is_in_the_photos():
    paths = ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg")
    digests = ["same", "same", "x", "y"]
    aside = [SetAside("a/x.jpg", "empty file"), SetAside("a/y.jpg", "empty file")]
    facts = {"formats": ["PNG", "JPEG", "JPEG", "JPEG"], "orientations": [1, 1, 1, 3]}
    report = check_photos(index(paths, digests=digests, set_aside=aside, **facts))
    assert report.lines() == [
        "4 photos",
        "width: 100 to 100 pixels, median 100",
        "height: 50 to 50 pixels, median 50",
        "formats: JPEG 3, PNG 1; modes: RGB 4",
        "turned by their EXIF orientation: 1",
        "ending says another format: 1",
        "  a/1.jpg is PNG",
        "set aside, empty file: 2 (a/x.jpg, ...)",
        "copies, exact within a class: 1",
        "  a/1.jpg = a/2.jpg",
    ]
