"""The one way from a file's bytes to the pixels that a backbone sees.

Training, evaluation, `predict` and the server all call `decode`; resizing in two places with two
methods moves pixels by up to 35 grey levels and costs accuracy that nobody finds again.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from headstart.errors import PhotoError

DECODE_VERSION = 1
"""Part of every cache key; raised when `decode` gives other pixels for the same bytes."""

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF", "TIFF")
"""Tried by content, whatever the file's name ends with."""

MAX_DECODED_PIXELS = 89_478_485
"""Pillow's own bomb limit (a quarter of a gigabyte as RGB), on the pixels really unpacked."""

DRAFT_SIZE = 640
"""Large JPEGs are unpacked at 1/2, 1/4 or 1/8, but never below this many pixels a side.

Fixed, and above the input of every Keras backbone (600 at most), so that the fingerprint of a photo
does not depend on the backbone.
"""

_ORIENTATION_TAG = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What a photo's file says, and how it looks in small.

    Attributes:
        format: one of `FORMATS` (a multi-picture JPEG counts as JPEG).
        mode: Pillow's mode before conversion, such as `RGB`, `L`, `CMYK`, `P`.
        width: pixels, as a viewer shows it (orientation applied).
        height: pixels, likewise.
        orientation: the EXIF value 1-8; 1 where there is none.
        fingerprint: 16 bytes, 128 bits of brightness differences (see `fingerprint`).
        thumbnail: 256 bytes, 16 x 16 grey levels.
    """

    format: str
    mode: str
    width: int
    height: int
    orientation: int
    fingerprint: bytes
    thumbnail: bytes


def decode(data: bytes, *, image_size: int) -> NDArray[np.uint8]:
    """Unpacks a photo and resizes it to a square, as every station sees it.

    The first frame is taken, EXIF orientation applied, every colour mode made RGB (transparency
    over white), and the whole picture resized with an antialiased bilinear filter.

    Args:
        data: the file's bytes.
        image_size: side of the square in pixels.

    Returns:
        uint8 array (image_size, image_size, 3), RGB, 0..255.

    Raises:
        PhotoError: with the reason in words when the bytes are no usable photo.

    Example:
        >>> import io
        >>> from PIL import Image, UnidentifiedImageError
        >>> file = io.BytesIO()
        >>> Image.new("L", (40, 30), 200).save(file, "PNG")
        >>> decode(file.getvalue(), image_size=8)[0, 0].tolist()
        [200, 200, 200]
    """
    return _resize(_unpack(data)[0], image_size)


def examine(data: bytes, *, image_size: int | None) -> tuple[PhotoFacts, NDArray[np.uint8] | None]:
    """Unpacks a photo once, for its facts and (when a size is given) its pixels.

    Args:
        data: the file's bytes.
        image_size: side of the square in pixels, or None when no pixels are wanted.

    Returns:
        The facts, and what `decode` would return (None without a size).

    Raises:
        PhotoError: with the reason in words when the bytes are no usable photo.
    """
    image, format_name, mode, size, orientation = _unpack(data)
    print_, thumbnail = fingerprint(image)
    facts = PhotoFacts(format_name, mode, *size, orientation, print_, thumbnail)
    return facts, None if image_size is None else _resize(image, image_size)


def fingerprint(image: Image.Image) -> tuple[bytes, bytes]:
    """Describes how a picture looks, so that copies of it are found.

    Source: the "dHash" of Neal Krawetz (2013), taken along rows and along columns.

    Args:
        image: any mode that Pillow can make grey.

    Returns:
        16 bytes (is each of 8 x 8 cells brighter than its right, then than its lower neighbour) and
        a 16 x 16 thumbnail of grey levels as 256 bytes.
    """
    small = image.convert("L").resize((64, 64), Image.Resampling.BOX)
    thumbnail = small.resize((16, 16), Image.Resampling.BOX)
    across = np.asarray(small.resize((9, 8), Image.Resampling.BILINEAR), np.int16)
    down = np.asarray(small.resize((8, 9), Image.Resampling.BILINEAR), np.int16)
    bits = np.concatenate(
        [(across[:, :-1] > across[:, 1:]).ravel(), (down[:-1] > down[1:]).ravel()]
    )
    return np.packbits(bits).tobytes(), thumbnail.tobytes()


@contextmanager
def pillow_warnings_ignored() -> Iterator[None]:
    """Silences Pillow's remarks on odd files while threads decode: each has its own verdict here.

    Enter it in the thread that starts the others: Python keeps one list of filters a process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        yield


def _unpack(data: bytes) -> tuple[Image.Image, str, str, tuple[int, int], int]:
    if not data:
        raise PhotoError("empty file")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            return _unpack_file(file)
    except PhotoError:
        raise
    except Image.DecompressionBombError:
        raise PhotoError("giant picture: its header claims over 178 million pixels") from None
    except UnidentifiedImageError:
        raise PhotoError(f"not a picture of a known format ({', '.join(FORMATS)})") from None
    except Exception as error:
        # Pillow's readers raise whatever a broken file drives them to (SyntaxError, struct.error,
        # KeyError, ...): at this border every one of them means "set this file aside".
        raise PhotoError(f"damaged file: {_in_words(error)}") from None


def _unpack_file(file: Image.Image) -> tuple[Image.Image, str, str, tuple[int, int], int]:
    format_name = "JPEG" if file.format == "MPO" else str(file.format)
    size = file.size
    if file.mode in ("RGB", "L"):
        file.draft(file.mode, (DRAFT_SIZE, DRAFT_SIZE))
    if file.width * file.height > MAX_DECODED_PIXELS:
        raise PhotoError(
            f"giant picture: {size[0]} x {size[1]} pixels, over {MAX_DECODED_PIXELS:,} to unpack"
        )
    mode = file.mode
    file.load()
    orientation = _orientation(file)
    image = _to_rgb(file)
    if orientation != 1:
        image = image.transpose(_TRANSPOSE[orientation])
    if orientation >= 5:
        size = (size[1], size[0])
    return image, format_name, mode, size, orientation


def _orientation(file: Image.Image) -> int:
    try:
        value = file.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:
        # A photo with unreadable EXIF is still a photo; viewers show it as it lies.
        return 1
    return value if value in _TRANSPOSE else 1


def _to_rgb(file: Image.Image) -> Image.Image:
    if file.mode == "RGB" and "transparency" not in file.info:
        return file
    if file.mode.startswith("I") or file.mode == "F":
        return Image.fromarray(_high_depth_to_uint8(np.asarray(file))).convert("RGB")
    if "transparency" in file.info or file.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        with_alpha = file.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, with_alpha).convert("RGB")
    return file.convert("RGB")


def _high_depth_to_uint8(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Maps 16-bit, 32-bit and float greys onto 0..255; Pillow's own conversion would clip them."""
    grey = np.nan_to_num(np.asarray(values, np.float32), posinf=0.0, neginf=0.0)
    top = float(grey.max(initial=0.0))
    if np.issubdtype(values.dtype, np.floating):
        full_scale = 1.0 if top <= 1 else 255.0 if top <= 255 else top
    else:
        full_scale = 65535.0 if top <= 65535 else 2.0**31 - 1
    return np.asarray(np.clip(grey * (255.0 / full_scale), 0, 255).round(), np.uint8)


def _resize(image: Image.Image, image_size: int) -> NDArray[np.uint8]:
    resized = image.resize((image_size, image_size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(resized, np.uint8)


def _in_words(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:120] if text else type(error).__name__
