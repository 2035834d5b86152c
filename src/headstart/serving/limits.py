"""What the server takes at most, and the refusals that say so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from headstart.errors import ArgumentError, HeadstartError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes at most.

    Attributes:
        body_bytes: of one request.
        photos: of one request.
        seconds: that a request may take to arrive, and then to be answered.
        queue: photos of all requests that are decoded or wait for the network.
        waiting_bytes: of all bodies that are in memory.
    """

    body_bytes: int = 32 * 2**20
    photos: int = 32
    seconds: float = 30.0
    queue: int = 256
    waiting_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        for name in ("body_bytes", "photos", "seconds", "queue", "waiting_bytes"):
            if getattr(self, name) <= 0:
                raise ArgumentError(
                    f"{name}={getattr(self, name)} does not fit: expected a number above 0."
                )
        if self.photos > self.queue:
            raise ArgumentError(
                f"queue={self.queue} has no room for a request of {self.photos} photos. "
                "Raise --queue, or lower --max-photos."
            )


class RequestError(HeadstartError):
    """A request that is not answered; what to send instead is in the message.

    Attributes:
        http_headers: that go with the answer.
    """

    http_status = 400
    http_headers: ClassVar[dict[str, str]] = {}


class BodyError(RequestError):
    """A body that is not what its type says."""


class BodyTooLargeError(RequestError):
    """A body of too many bytes, declared or sent."""

    http_status = 413


class TooManyPhotosError(RequestError):
    """More photos than one request may hold."""

    http_status = 413


class MediaTypeError(RequestError):
    """A body of a type that is not taken."""

    http_status = 415


class SlowBodyError(RequestError):
    """A body that did not arrive in time."""

    http_status = 408


class KeyMissingError(RequestError):
    """No API key, or a wrong one."""

    http_status = 401
    http_headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class UnknownModelError(RequestError):
    """A model that this server does not have."""

    http_status = 404


class BusyError(RequestError):
    """The queue is full, or the answer took too long; the client should come again."""

    http_status = 503
    http_headers: ClassVar[dict[str, str]] = {"Retry-After": "1"}


class Room:
    """Counts what is in use of something that there is only so much of; for one event loop.

    Example:
        >>> room = Room("photos", most=2)
        >>> with room.taken(2):
        ...     room.used
        2
        >>> room.used
        0
    """

    def __init__(self, unit: str, *, most: int) -> None:
        self.used = 0
        self._unit = unit
        self._most = most

    def take(self, count: int) -> None:
        """Takes room.

        Raises:
            BusyError: when there is not so much left.
        """
        if self.used + count > self._most:
            raise BusyError(
                f"The server is busy: {self.used} of {self._most} {self._unit} are waiting and "
                f"{count} more came. Try again in a second."
            )
        self.used += count

    def give_back(self, count: int) -> None:
        """Gives room back."""
        self.used -= count

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """Takes room for the time of a block.

        Raises:
            BusyError: when there is not so much left.
        """
        self.take(count)
        try:
            yield
        finally:
            self.give_back(count)
