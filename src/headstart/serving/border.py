"""The border that every request crosses: key, headers, errors as answers, one line in the log."""

import hmac
import json
import logging
from time import perf_counter
from typing import Any
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headstart.errors import HeadstartError
from headstart.serving.limits import KeyMissingError
from headstart.serving.metrics import Metrics

logger = logging.getLogger("headstart.serving")

CLOSED_BY_CLIENT = 499
"""In the log only: nobody is there to be told."""

_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        b"img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Border:
    """Wraps an application."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, api_key: str | None) -> None:
        self._app = app
        self._metrics = metrics
        self._api_key = None if api_key is None else f"Bearer {api_key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, number, status = perf_counter(), uuid4().hex, 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (*_HEADERS, (b"x-request-id", number.encode()))
                message["headers"] = [*message.get("headers", ()), *own]
            await send(message)

        try:
            self._check_key(scope)
            await self._app(scope, receive, send_on)
        except ClientDisconnect:
            status = CLOSED_BY_CLIENT
        except Exception as error:
            if status:
                raise
            await send_error(error, send_on)
        finally:
            self._note(scope, number, status=status, seconds=perf_counter() - begun)

    def _check_key(self, scope: Scope) -> None:
        path = scope["path"]
        if self._api_key is None or not (path.startswith("/v1/") or path == "/metrics"):
            return
        given = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        if scope["method"] != "OPTIONS" and not hmac.compare_digest(given, self._api_key):
            raise KeyMissingError("This server asks for a key. Send Authorization: Bearer KEY.")

    def _note(self, scope: Scope, number: str, *, status: int, seconds: float) -> None:
        # A route's pattern, not the path: a stranger's paths would grow the table without end.
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.request(route, status, seconds)
        if not logger.isEnabledFor(logging.INFO):
            return
        values: dict[str, Any] = {
            "request": number,
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            **scope.get("state", {}).get("noted", {}),
        }
        logger.info("request", extra=values)


async def send_error(error: Exception, send: Send) -> None:
    """Answers with an error of ours, or with "500" for one that nobody foresaw."""
    if isinstance(error, HeadstartError):
        status, message = error.http_status, str(error)
        headers = getattr(error, "http_headers", {})
    else:
        logger.error("unforeseen error", exc_info=error)
        status, headers = 500, {}
        message = "The server met an error that it did not foresee. Its log says more."
    body = error_body(_code(error) if status != 500 else "internal", message)
    listed = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    plain = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *listed]})
    await send({"type": "http.response.body", "body": body})


def error_body(code: str, message: str) -> bytes:
    """Returns what every answer that is no success holds.

    Example:
        >>> error_body("busy", "Try again.")
        b'{"error": {"code": "busy", "message": "Try again."}}'
    """
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def _code(error: Exception) -> str:
    """The class in words: `BodyTooLargeError` is "body_too_large"."""
    name = type(error).__name__.removesuffix("Error")
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
