"""`headstart models`: the catalogue, and how fast each backbone is here."""

from typing import Annotated, Any

import typer

from headstart.cli.output import emit_json, progress_bars, reported

_WIDTH = 100
"""In characters: licences and speeds need more than a narrow terminal has."""


def models(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME ...]", help="Some backbones only."),
    ] = None,
    measure: Annotated[
        bool,
        typer.Option("--measure", help="Measure photos a second here; once, then it is kept."),
    ] = False,
    sort: Annotated[
        str, typer.Option(help="Column to sort by, such as size_mb, top_1, parameters.")
    ] = "name",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the backbones: size, published accuracy, parameters, depth, licence, speed."""
    from headstart.workflow.models import measure_models, model_rows

    with reported(), progress_bars() as progress:
        if measure:
            measure_models(names or (), progress=progress)
        rows = model_rows(names or (), sort=sort)
    if as_json:
        emit_json(rows)
    else:
        _print(rows)


def _print(rows: list[dict[str, Any]]) -> None:
    from headstart.cli.tables import print_table

    headings = ("backbone", "pixels", "MB", "top-1", "top-5", "parameters", "depth", "input")
    shown = [
        (
            row["name"],
            str(row["image_size"]),
            _number(row["size_mb"], "{:.0f}"),
            _number(row["top_1"], "{:.3f}"),
            _number(row["top_5"], "{:.3f}"),
            f"{row['parameters'] / 1e6:.1f} M",
            _number(row["depth"], "{}"),
            row["preprocessing"],
            row["licence"].partition(" (")[0] or "-",
            _speed(row["photos_per_second"]),
        )
        for row in rows
    ]
    print_table((*headings, "licence", "photos/s"), shown, width=_WIDTH)
    sources = dict.fromkeys(row["source"] for row in rows if row["source"])
    addresses = [address for address in sources if "keras" in address]
    papers = ["the papers"] if len(addresses) < len(sources) else []
    if sources:
        typer.echo(f"published figures from {', '.join(addresses + papers)}")
    if any(row["size_mb"] is None for row in rows):
        typer.echo("without MB: no published Keras weights; train it with --plan scratch")
    if all(row["photos_per_second"] is None for row in rows):
        typer.echo("photos/s on this machine: headstart models NAME ... --measure")


def _speed(value: float | None) -> str:
    return _number(value, "{:.0f}" if value is not None and value >= 10 else "{:.1f}")


def _number(value: Any, form: str) -> str:
    return "-" if value is None else form.format(value)
