"""Clients for the benchmarks of the server: plain sockets, so that they cost next to nothing."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np

BOUNDARY = "frontier"

HANG_UP_BELOW = 10**8
"""A client that owes fewer bytes hangs up; one that owes more waits for what the server says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took; status 0 where the server hung up."""

    number: int
    status: int
    body: bytes
    seconds: float


def head(length: int | None, *, kind: str | None = None, path: str = "/v1/predict") -> bytes:
    """Returns the head of a POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines.append(f"Content-Type: {kind or f'multipart/form-data; boundary={BOUNDARY}'}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join((*lines, "", "")).encode()


def multipart(*photos: bytes, field: str = "images") -> bytes:
    """Returns a whole request with some files."""
    start = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"'
    parts = [start.encode() + b"\r\n\r\n" + photo + b"\r\n" for photo in photos]
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    return head(len(body)) + body


async def clients(
    port: int, requests: Iterator[tuple[int, bytes]], *, count: int, seen: Callable[[Answer], None]
) -> None:
    """Sends requests from so many clients, each waiting for its answer before its next one."""

    async def client() -> None:
        connection = None
        for number, request in requests:
            connection = connection or await asyncio.open_connection("127.0.0.1", port)
            begun = perf_counter()
            status, body, stays = await _ask(*connection, request)
            seen(Answer(number, status, body, perf_counter() - begun))
            if not stays:
                connection[1].close()
                connection = None
        if connection is not None:
            connection[1].close()

    await asyncio.gather(*(client() for _ in range(count)))


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, bytes, bool]:
    missing = _missing(request)
    try:
        writer.write(request)
        if 0 < missing < HANG_UP_BELOW:
            await writer.drain()
            return 0, b"", False
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    except (OSError, asyncio.IncompleteReadError):
        return 0, b"", False
    return int(lines[0].split()[1]), body, not missing and headers.get("connection") != "close"


def _missing(request: bytes) -> int:
    """Returns how many bytes were declared, but are not there; 1 where the head has no end."""
    if b"\r\n\r\n" not in request:
        return 1
    top, _, body = request.partition(b"\r\n\r\n")
    declared = top.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
    return int(declared) - len(body) if declared else 0


def milliseconds(answers: list[Answer], quantile: float) -> float:
    """Returns a quantile of the answers' times."""
    return 1000 * float(np.quantile([answer.seconds for answer in answers], quantile))
