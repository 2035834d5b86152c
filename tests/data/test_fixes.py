"""Corrected labels from a table: read with care, applied without touching a photo."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.data.fixes import LEFT_OUT, apply_fixes, read_fixes
from headstart.data.index import take
from headstart.data.listing import list_photos
from headstart.data.scan import scan
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError


@pytest.fixture
def index(make_photos, tmp_path: Path):
    return scan(list_photos(make_photos(count=4)), place=CachePlace(tmp_path / "cache"))


def table(folder: Path, text: str) -> Path:
    (folder / "fixes.csv").write_text(text, "utf-8")
    return folder / "fixes.csv"


def test_labels_change_and_nothing_else(index, tmp_path: Path) -> None:
    fixes = read_fixes(table(tmp_path, "file,label,why\ndisc/disc_0001.png,square,looked\n"))
    fixed = apply_fixes(index, fixes)
    at = index.paths.index("disc/disc_0001.png")
    assert fixed.class_names[fixed.labels[at]] == "square"
    assert (np.delete(fixed.labels, at) == np.delete(index.labels, at)).all()
    assert fixed.paths == index.paths
    assert index.class_names[index.labels[at]] == "disc"


def test_an_empty_label_leaves_the_photo_out_with_a_reason(index) -> None:
    fixed = apply_fixes(index, {"disc/disc_0001.png": ""})
    assert len(fixed) == len(index) - 1
    assert "disc/disc_0001.png" not in fixed.paths
    assert [(item.path, item.reason) for item in fixed.set_aside] == [
        ("disc/disc_0001.png", LEFT_OUT)
    ]


def test_taking_some_photos_keeps_every_fact_with_its_photo(index) -> None:
    some = take(replace(index, weights=np.arange(len(index)) / 2), [5, 2])
    assert some.weights is not None
    assert some.weights.tolist() == [2.5, 1.0]
    for new, old in ((0, 5), (1, 2)):
        assert some.paths[new] == index.paths[old]
        assert some.digests[new] == index.digests[old]
        assert some.labels[new] == index.labels[old]
        np.testing.assert_array_equal(some.thumbnails[new], index.thumbnails[old])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,class\na,b\n", "has the columns name, class; expected file and label"),
        ("", "has the columns none"),
        ("file,label\na,x\na,y\n", "gives 'a' the labels 'x' and 'y'"),
    ],
)
def test_a_table_that_is_none_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        read_fixes(table(tmp_path, text))


@pytest.mark.parametrize(
    ("fixes", "message"),
    [
        ({"disc/disc_0009.png": "disc"}, "not among the photos. Did you mean disc/disc_000"),
        ({"disc/disc_0001.png": "sqare"}, "the class 'sqare', which no photo has. Did you mean sq"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(index, fixes, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        apply_fixes(index, fixes)
