import pytest

from headstart.data.decode import decode
from headstart.data.digits import load_digit_arrays, write_digit_photos
from headstart.errors import ArgumentError


def test_arrays_are_grey_photos_using_the_full_range():
    X, y = load_digit_arrays()
    assert X.shape == (1797, 8, 8, 3)
    assert X.dtype == "uint8"
    assert (X.min(), X.max()) == (0, 255)
    assert (X[..., 0] == X[..., 2]).all()
    assert sorted(set(y.tolist())) == list(range(10))


def test_written_photos_decode_to_the_arrays(tmp_path):
    X, y = load_digit_arrays()
    folder = write_digit_photos(tmp_path / "digits")
    files = sorted(folder.glob("*/*.png"), key=lambda path: path.name)
    assert len(files) == 1797
    assert [int(path.parent.name) for path in files] == y.tolist()
    for number in (0, 900, 1796):
        assert (decode(files[number].read_bytes(), image_size=8) == X[number]).all()


def test_an_existing_folder_is_left_alone(tmp_path):
    with pytest.raises(ArgumentError, match="exists already"):
        write_digit_photos(tmp_path)
    assert list(tmp_path.iterdir()) == []
