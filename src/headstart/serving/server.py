"""The process around the application: socket, signals, an end that finishes what was begun."""

import ctypes
import logging
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from headstart.errors import ArgumentError

logger = logging.getLogger("headstart.serving")

LARGE_BYTES = 2**20
"""Blocks of memory from here on go back to the system as soon as they are freed."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, in malloc.h


def bind(host: str, port: int) -> socket.socket:
    """Takes an address before anything is loaded, so that a taken one is found out at once.

    Args:
        host: a name or an address.
        port: 0 takes any that is free.

    Raises:
        ArgumentError: when the address cannot be had.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except (OSError, OverflowError) as error:
        raise ArgumentError(
            f"--host {host} --port {port} cannot be had: {error}. Choose another port."
        ) from error
    return bound


def return_large_blocks() -> None:
    """Keeps glibc from holding on to large blocks that were freed.

    By itself it raises its thresholds with every large block, up to 64 MiB that it keeps of each
    arena: after some large bodies the server would stand 40 or 80 MiB higher for good.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(_TRIM_THRESHOLD, LARGE_BYTES)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def serve(
    app: FastAPI, bound: socket.socket, *, on_ready: Callable[[], None], grace_seconds: float
) -> None:
    """Serves until SIGTERM or Ctrl-C, then finishes what is in flight; SIGHUP reloads.

    Args:
        app: of `make_app`.
        bound: of `bind`.
        on_ready: called when requests are taken.
        grace_seconds: that the last requests may take.
    """
    return_large_blocks()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=int(grace_seconds) + 1,
    )
    server = _Server(config, on_ready)
    # uvicorn sends the signal that ended it once more, to whoever listened before: nobody here.
    kept = {each: signal.signal(each, _ignored) for each in (signal.SIGTERM, signal.SIGINT)}
    if hasattr(signal, "SIGHUP"):
        kept[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: app.state.reload())
    try:
        server.run(sockets=[bound])
    finally:
        for each, handler in kept.items():
            signal.signal(each, handler)
    logger.info("stopped")


def _ignored(*_: object) -> None:
    """Does nothing."""
