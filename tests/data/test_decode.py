"""One function decides what a photo looks like to a network."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.data.decode import decode, examine, fingerprint, pillow_warnings_ignored
from headstart.errors import PhotoError


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_every_odd_image_is_decoded_or_refused_with_a_reason(test_data: Path) -> None:
    folder = test_data / "photos" / "odd_images"
    rows = list(csv.DictReader((folder / "INDEX.tsv").read_text().splitlines(), delimiter="\t"))
    assert len(rows) == 55
    with pillow_warnings_ignored():
        for row in rows:
            data = (folder / row["file"]).read_bytes()
            if row["Pillow12_status"] == "ok":
                assert decode(data, image_size=32).shape == (32, 32, 3), row["file"]
            else:
                with pytest.raises(
                    PhotoError, match=r"damaged file: .+|giant picture|not a picture"
                ):
                    decode(data, image_size=32)


def test_nine_orientations_give_the_same_picture(test_data: Path) -> None:
    files = sorted((test_data / "photos" / "exif_orientation").glob("Landscape_*.jpg"))
    pictures = [decode(file.read_bytes(), image_size=64).astype(float) for file in files]
    assert len(pictures) == 9
    # They were saved as JPEG nine times and carry their number as a caption: near, not equal.
    assert max(np.abs(picture - pictures[0]).mean() for picture in pictures) < 3
    upside_down = pictures[0][::-1]
    assert np.abs(upside_down - pictures[0]).mean() > 30


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_undone_exactly(orientation: int) -> None:
    upright = Image.fromarray(np.random.default_rng(0).integers(0, 255, (6, 4, 3), np.uint8))
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(turn[orientation]) if orientation in turn else upright
    facts, pixels = examine(encoded(stored, exif=exif), image_size=16)
    assert (facts.width, facts.height, facts.orientation) == (4, 6, orientation)
    np.testing.assert_array_equal(pixels, decode(encoded(upright), image_size=16))


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("1", 1, (255, 255, 255)),
        ("L", 77, (77, 77, 77)),
        ("LA", (50, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 0, 255), (200, 0, 0)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 32768, (128, 128, 128)),
    ],
)
def test_every_mode_becomes_rgb_over_white(mode: str, value: object, expected: object) -> None:
    picture = decode(encoded(Image.new(mode, (9, 9), value)), image_size=8)
    assert tuple(picture[4, 4]) == expected


def test_cmyk_jpeg_becomes_rgb() -> None:
    picture = decode(encoded(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG"), image_size=8)
    assert picture[4, 4, 0] > 200
    assert picture[4, 4, 1:].max() < 60


def test_palette_transparency_is_laid_over_white() -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert decode(encoded(image, transparency=0), image_size=8)[0, 0].tolist() == [255, 255, 255]


def test_a_large_jpeg_looks_as_when_fully_decoded() -> None:
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 255, (24, 32, 3), np.uint8))
    large = small.resize((3200, 2400), Image.Resampling.BICUBIC)
    drafted = decode(encoded(large, "JPEG", quality=95), image_size=224).astype(float)
    full = decode(encoded(large), image_size=224).astype(float)
    assert np.abs(drafted - full).mean() < 1.5


def test_resizing_is_antialiased() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(decode(encoded(Image.fromarray(stripes)), image_size=32)) <= 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"hello, I am no picture", "not a picture of a known format"),
        (encoded(Image.new("RGB", (64, 64)), "JPEG")[:-200], "damaged file"),
        (encoded(Image.new("1", (10_000, 10_000))), "giant picture: 10000 x 10000"),
        (encoded(Image.new("1", (20_000, 20_000))), "giant picture"),
    ],
)
def test_an_unusable_file_says_why(data: bytes, reason: str) -> None:
    with pillow_warnings_ignored(), pytest.raises(PhotoError, match=reason):
        decode(data, image_size=32)


def test_a_fingerprint_survives_another_jpeg_quality_but_not_another_picture() -> None:
    def bits(data: bytes) -> np.ndarray:
        return np.unpackbits(np.frombuffer(fingerprint(Image.open(io.BytesIO(data)))[0], np.uint8))

    random = np.random.default_rng(1)
    one, other = (
        Image.fromarray(random.integers(0, 255, (12, 16, 3), np.uint8)).resize((320, 240))
        for _ in range(2)
    )
    original = bits(encoded(one))
    assert (original != bits(encoded(one, "JPEG", quality=60))).sum() <= 4
    assert (original != bits(encoded(other))).sum() > 30
