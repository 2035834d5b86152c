"""A drawing as a page of its own: zoom, tooltips, light and dark; nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from importlib.resources import files


def make_page(svg: str, *, title: str) -> str:
    """Returns an HTML page that holds everything it needs.

    Args:
        svg: of `draw_svg`.
        title: of the page.

    Example:
        >>> "<title>tiny</title>" in make_page('<svg viewBox="0 0 1 1"></svg>', title="tiny")
        True
    """
    folder = files("headstart.drawing")
    page = folder.joinpath("page.html").read_text("utf-8")
    script = folder.joinpath("page.js").read_text("utf-8")
    # The page runs this one script and no other, whatever a network's names may hold.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    fill = {"TITLE": escape(title), "HASH": digest, "SCRIPT": script, "SVG": svg}
    # In one go: what is filled in is not looked through again.
    return re.sub("@([A-Z]+)@", lambda found: fill[found[1]], page)
