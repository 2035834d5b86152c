"""From a request's body to the files in it; bounded in bytes, photos and time."""

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from headstart.serving.limits import (
    BodyError,
    BodyTooLargeError,
    Limits,
    MediaTypeError,
    Room,
    SlowBodyError,
    TooManyPhotosError,
)
from headstart.serving.schema import PhotosAsBase64

FIELD = "images"
"""Name of the form field, and of the entry of the JSON body."""


@dataclass(frozen=True, slots=True)
class SentPhoto:
    """A file as it came: nothing is known of its content yet."""

    name: str
    data: bytes


class Body:
    """Bytes of one request, and the room that they take in memory until the request is answered."""

    def __init__(self, request: Request, *, limits: Limits, room: Room) -> None:
        self._request = request
        self._limits = limits
        self._room = room
        self._held = 0

    async def read(self) -> bytes:
        """Reads it all.

        Raises:
            BodyTooLargeError: at once when it is declared so, else at the first byte too many.
            SlowBodyError: when it does not arrive in time.
            BusyError: when other bodies fill the memory.
        """
        declared = self._request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._limits.body_bytes:
            raise self._too_large(f"{int(declared):,} bytes are declared")
        parts = []
        try:
            async with asyncio.timeout(self._limits.seconds):
                async for part in self._request.stream():
                    self._room.take(len(part))
                    self._held += len(part)
                    if self._held > self._limits.body_bytes:
                        raise self._too_large("more came")
                    parts.append(part)
        except TimeoutError:
            raise SlowBodyError(
                f"The body did not arrive within {self._limits.seconds:g} s. Send smaller photos."
            ) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def let_go(self) -> None:
        """Gives the room back."""
        self._room.give_back(self._held)
        self._held = 0

    def _too_large(self, what: str) -> BodyTooLargeError:
        most = self._limits.body_bytes / 2**20
        return BodyTooLargeError(
            f"The body is too large: at most {most:g} MiB are taken, and {what}. "
            "Send fewer or smaller photos."
        )


@contextmanager
def body_of(request: Request, *, limits: Limits, room: Room) -> Iterator[Body]:
    """Opens a request's body for the time of a block."""
    body = Body(request, limits=limits, room=room)
    try:
        yield body
    finally:
        body.let_go()


def photos_in(body: bytes, content_type: str, *, most: int) -> list[SentPhoto]:
    """Takes the files out of a multipart or JSON body.

    Args:
        body: all of it.
        content_type: of the request.
        most: how many files there may be.

    Returns:
        At least one file.

    Raises:
        MediaTypeError: when it is of another type.
        BodyError: when it is not what its type says, or empty.
        TooManyPhotosError: when it holds more than `most`.

    Example:
        >>> photos_in(b'{"images": ["aGVsbG8="]}', "application/json", most=1)[0].data
        b'hello'
    """
    kind, options = parse_options_header(content_type)
    if kind == b"multipart/form-data":
        photos = _from_multipart(body, options.get(b"boundary", b""), most)
    elif kind == b"application/json":
        photos = _from_json(body, most)
    else:
        raise MediaTypeError(
            f"Content-Type {content_type[:100]!r} is not taken. Send multipart/form-data with "
            f"files in the field {FIELD!r}, or application/json with base64 texts in {FIELD!r}."
        )
    if not photos:
        raise BodyError(f"There is no photo in the request. Send at least one as {FIELD!r}.")
    return photos


def _from_json(body: bytes, most: int) -> list[SentPhoto]:
    try:
        texts = PhotosAsBase64.model_validate_json(body).images
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:100]
        raise BodyError(
            f"The JSON body does not fit: {place + ': ' if place else ''}{first['msg']}. Expected "
            f'{{"{FIELD}": ["<base64>", ...]}}.'
        ) from None
    _check_count(len(texts), most)
    photos = []
    for number, text in enumerate(texts):
        name = f"{FIELD}[{number}]"
        try:
            photos.append(SentPhoto(name, b64decode(text, validate=True)))
        except (binascii.Error, ValueError) as error:
            raise BodyError(f"{name} is no base64: {error}. Send the file's bytes alone.") from None
    return photos


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise TooManyPhotosError(
            f"There are too many photos in the request: at most {most} are taken. Send the others "
            "in further requests."
        )


@dataclass
class _Parts:
    """Collects files while a multipart body is parsed; bytes stay in memory, none go to a disk."""

    most: int
    photos: list[SentPhoto] = field(default_factory=list)
    is_whole: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _content: list[bytes] = field(default_factory=list)

    def on_part_begin(self) -> None:
        self._disposition = b""
        self._content = []

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def on_part_end(self) -> None:
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        name = options.get(b"name", b"").decode("utf-8", "replace")[:100]
        if name != FIELD:
            raise BodyError(f"The form field {name!r} is unknown. Send photos as {FIELD!r}.")
        _check_count(len(self.photos) + 1, self.most)
        file = options.get(b"filename", b"").decode("utf-8", "replace")[:200]
        self.photos.append(
            SentPhoto(file or f"{FIELD}[{len(self.photos)}]", b"".join(self._content))
        )

    def on_end(self) -> None:
        self.is_whole = True


def _from_multipart(body: bytes, boundary: bytes, most: int) -> list[SentPhoto]:
    if not boundary:
        raise BodyError("Content-Type multipart/form-data has no boundary. Let the client set it.")
    parts = _Parts(most)
    names = ("part_begin", "header_field", "header_value", "header_end", "part_data", "part_end")
    callbacks = {f"on_{name}": getattr(parts, f"on_{name}") for name in (*names, "end")}
    try:
        # The parser's types are a closed list of callbacks, which are all here.
        MultipartParser(boundary, callbacks).write(body)  # type: ignore[arg-type]
    except FormParserError as error:
        raise BodyError(f"The multipart body is broken: {error}.") from None
    if not parts.is_whole:
        raise BodyError("The multipart body ends before its last boundary. Send all of it.")
    return parts.photos
