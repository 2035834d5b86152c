"""Draws the gallery while MkDocs builds the site: no drawing is committed.

A hook of MkDocs (`mkdocs.yml` names it). Where a page says `<!-- drawing: NAME -->` it puts the
network's drawing, and beside the site's pages a page of each with zoom and tooltips.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from headstart.backbones.description import describe_network
from headstart.drawing.page import make_page
from headstart.drawing.svg import draw_svg
from headstart.modelfile.graph import ModelGraph

MARK = re.compile(r"<!-- drawing: ([\w.-]+) -->")
FOLDER = "gallery"


def on_page_content(html: str, **_: Any) -> str:
    """Puts the drawings into a page."""
    return MARK.sub(lambda found: figure(found[1]), html)


def on_post_build(config: Any, **_: Any) -> None:
    """Writes the pages with zoom for every drawing that a page of the documentation has."""
    folder = Path(config["site_dir"], FOLDER)
    for page in sorted(Path(config["docs_dir"]).rglob("*.md")):
        for name in MARK.findall(page.read_text("utf-8")):
            folder.mkdir(exist_ok=True)
            drawn = make_page(draw_svg(described(name)), title=name)
            (folder / f"{name}.html").write_text(drawn, "utf-8")


def figure(name: str) -> str:
    """One drawing that follows the page's light and dark, and the way to its own page."""
    drawn = draw_svg(described(name), drawing_id=f"drawing-{name.replace('.', '-')}")
    link = f'<a href="{FOLDER}/{name}.html">Open {name} with zoom and tooltips</a>'
    caption = f"<figcaption>{link}</figcaption>"
    return f'<figure class="drawing" data-search-exclude>{drawn}{caption}</figure>'


@cache
def described(name: str) -> ModelGraph:
    """Describes each network once a build."""
    return describe_network(name)
