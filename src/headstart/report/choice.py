"""The page of a choice among backbones: plot, table and reason; nothing is fetched."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from headstart.errors import ArgumentError
from headstart.files import atomic_file
from headstart.report.pareto import draw_pareto


def check_choice_file(file: Path) -> None:
    """Refuses a file that is neither a page nor a picture.

    Raises:
        ArgumentError: naming what is possible.
    """
    if file.suffix.lower() not in (".html", ".svg"):
        raise ArgumentError(f"out={str(file)!r}: expected a name that ends in .html or .svg.")


def write_choice(file: Path, values: Mapping[str, Any], *, photos: str) -> None:
    """Writes a page or a picture.

    Args:
        file: ends in .html or .svg.
        values: of `headstart.selection.choice.Choice.to_dict`.
        photos: what they are called.
    """
    chosen = values["recommended"] or {"name": None}
    rows = [row | {"recommended": row["name"] == chosen["name"]} for row in values["candidates"]]
    is_page = file.suffix.lower() == ".html"
    text = draw_pareto(rows, stands_alone=not is_page)
    if is_page:
        from jinja2 import Environment
        from markupsafe import Markup

        source = resources.files("headstart.report").joinpath("choice.html").read_text("utf-8")
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        # The picture is drawn here and escapes the names in it.
        plot = Markup(text)  # noqa: S704
        text = environment.from_string(source).render(
            values=values, rows=rows, chosen=chosen, photos=photos, plot=plot
        )
    with atomic_file(file) as temporary:
        temporary.write_text(text, "utf-8")
