"""The page at `/` and the one at `/docs`: files of this package, nothing from elsewhere."""

from importlib.resources import files

from fastapi import FastAPI
from starlette.responses import Response
from starlette.routing import Route

_PAGES = {
    "/": ("index.html", "text/html"),
    "/docs": ("docs.html", "text/html"),
    "/page/page.css": ("page.css", "text/css"),
    "/page/page.js": ("page.js", "text/javascript"),
    "/page/docs.js": ("docs.js", "text/javascript"),
    "/page/icon.svg": ("icon.svg", "image/svg+xml"),
}


def add_pages(app: FastAPI) -> None:
    """Adds both pages and what they are made of."""
    for path, (name, kind) in _PAGES.items():
        content = files("headstart.serving").joinpath("page", name).read_bytes()
        app.router.routes.append(Route(path, _Fixed(content, kind), methods=["GET"]))


class _Fixed:
    """Answers with the same bytes every time, as an application of its own."""

    def __init__(self, content: bytes, kind: str) -> None:
        self._response = Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        """Answers."""
        await self._response(scope, receive, send)
