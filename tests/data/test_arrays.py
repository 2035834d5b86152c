"""Arrays become photos, without loss."""

import numpy as np
import pytest

from headstart.data.arrays import write_arrays
from headstart.data.listing import list_photos
from headstart.errors import ArgumentError

X = np.random.default_rng(0).integers(0, 256, (4, 6, 6, 3), np.uint8)
Y = np.array(["b", "a", "b", "a"])


def test_arrays_become_class_folders_once(tmp_path):
    found = list_photos(write_arrays(X, Y, into=tmp_path))
    assert found.class_names == ("a", "b")
    assert found.weights is None
    assert write_arrays(X, Y, into=tmp_path) == found.root


def test_sample_weights_stay_with_their_pictures(tmp_path):
    found = list_photos(write_arrays(X, Y, [1, 0.5, 2, 0], into=tmp_path))
    weights = dict(zip(found.paths, found.weights, strict=True))
    assert weights == {
        "b/0000000.png": 1, "a/0000001.png": 0.5, "b/0000002.png": 2, "a/0000003.png": 0,
    }  # fmt: skip


@pytest.mark.parametrize("weights", [[1, 2], [1, 2, 3, -1], [1, 2, 3, np.nan]])
def test_weights_that_do_not_fit_are_refused(tmp_path, weights):
    with pytest.raises(ArgumentError, match="expected one number a picture, 0 or more"):
        write_arrays(X, Y, weights, into=tmp_path)


def test_pictures_of_another_kind_are_refused(tmp_path):
    with pytest.raises(ArgumentError, match="expected uint8"):
        write_arrays(X / 255, Y, into=tmp_path)
