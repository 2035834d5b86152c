"""Comparisons, suspects and learning curves as tables on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from headstart.evaluation.comparison import Comparison
    from headstart.evaluation.intervals import Interval
    from headstart.evaluation.learning import LearningCurve
    from headstart.workflow.suspects import Suspects

_SHOWN = 20


def print_comparisons(found: "Sequence[Comparison]") -> None:
    """Prints a row a run, what it means, and the photos that changed."""
    console = Console(highlight=False)
    rows = [(found[0].first, f"{found[0].first_top_1:.4f}", "", "", "", "")]
    rows += [
        (
            each.second,
            f"{each.second_top_1:.4f}",
            f"{each.difference:+.4f}",
            _span(each.difference_interval),
            f"{each.only_first} / {each.only_second}",
            f"{each.p_value:.3g}",
        )
        for each in found
    ]
    headings = ("run", "top-1", "difference", "95 %", "only first / only this right", "p")
    console.print(_table(headings, rows))
    for each in found:
        console.print(str(each), markup=False, soft_wrap=True)
    for each in found:
        changed = [
            (change.file, change.true, change.first, change.second)
            for change in each.changed[:_SHOWN]
        ]
        if changed:
            console.print(_table(("changed", "true", each.first, each.second), changed))
        _more(console, len(each.changed), "changed photos")


def print_suspects(found: "Suspects") -> None:
    """Prints the likeliest faults."""
    console = Console(highlight=False)
    if not found.items:
        console.print(f"nothing suspicious among {found.photos} photos")
        return
    rows = [(item.file, item.label, item.reason) for item in found.items[:_SHOWN]]
    console.print(_table(("file", "labelled", "why"), rows))
    _more(console, len(found.items), "suspects; --csv FILE writes them all")


def print_curve(found: "LearningCurve") -> None:
    """Prints accuracy against photos, measured and expected."""
    console = Console(highlight=False)
    rows = [(f"{p.photos:,}", f"{p.top_1:.4f}", _span(p.interval), "") for p in found.points]
    rows += [
        (f"{f.photos:,}", f"{f.top_1:.4f}", _span(f.interval), "expected") for f in found.forecasts
    ]
    rows += [
        (f"{p.photos:,}", f"{p.top_1:.4f}", _span(p.interval), "from scratch")
        for p in found.scratch
    ]
    console.print(_table(("training photos", "top-1", "95 %", ""), rows))
    console.print(str(found), soft_wrap=True)


def _span(interval: "Interval") -> str:
    return f"{interval.low:.4f} to {interval.high:.4f}"


def _more(console: Console, total: int, what: str) -> None:
    if total > _SHOWN:
        console.print(f"... and {total - _SHOWN} more {what}")


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(escape(heading), overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table
