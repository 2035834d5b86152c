"""From a request to photos that a network can take: read, taken apart, decoded, all bounded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from headstart.data.decode import decode
from headstart.errors import PhotoError
from headstart.progress import processors
from headstart.serving.bodies import SentPhoto, body_of, photos_in
from headstart.serving.limits import BusyError, Limits, Room

LARGE_BODY = 512 * 2**10
"""Bytes from which a body is taken apart in a thread: the event loop shall not stand still."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo as the network sees it, or why it cannot be.

    Attributes:
        name: as it came.
        pixels: uint8 (S, S, 3), or None.
        reason: why there are none.
    """

    name: str
    pixels: NDArray[np.uint8] | None
    reason: str = ""


class Intake:
    """Takes photos out of requests; decodes in as many threads as there are processors."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.photos = Room("photos", most=limits.queue)
        self._bytes = Room("bytes", most=limits.waiting_bytes)
        self._threads = ThreadPoolExecutor(processors(), thread_name_prefix="decode")

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(cancel_futures=True)

    @asynccontextmanager
    async def open(
        self, request: Request, *, image_size: int, most: int | None = None
    ) -> AsyncIterator[list[Photo]]:
        """Gives a request's photos; within the block they count as waiting, and time runs.

        Args:
            request: whose body is read.
            image_size: side of the square that the network takes.
            most: photos that it may hold; None takes the limit.

        Raises:
            RequestError: what is wrong with the request, or that there is no room or time for it.
        """
        with body_of(request, limits=self.limits, room=self._bytes) as body:
            content = await body.read()
            kind = request.headers.get("content-type", "")
            try:
                async with asyncio.timeout(self.limits.seconds):
                    sent = await self._take_apart(content, kind, most or self.limits.photos)
                    with self.photos.taken(len(sent)):
                        jobs = (self._in_thread(_decoded, each, image_size) for each in sent)
                        yield list(await asyncio.gather(*jobs))
            except TimeoutError:
                raise BusyError(
                    f"The answer took longer than {self.limits.seconds:g} s. Send fewer photos, "
                    "or try again when the server is less busy."
                ) from None

    async def _take_apart(self, content: bytes, kind: str, most: int) -> list[SentPhoto]:
        if len(content) < LARGE_BODY:
            return photos_in(content, kind, most=most)
        return await self._in_thread(lambda: photos_in(content, kind, most=most))

    async def _in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)


def _decoded(sent: SentPhoto, image_size: int) -> Photo:
    try:
        return Photo(sent.name, decode(sent.data, image_size=image_size))
    except PhotoError as error:
        return Photo(sent.name, None, str(error))
