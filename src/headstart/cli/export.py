"""`headstart export`: a run in another format, with proof."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.cli.options import Json, RunArgument
from headstart.cli.output import emit_json, progress_bars, reported

if TYPE_CHECKING:
    from headstart.workflow.export import Export
    from headstart.workflow.export_bench import Measured


def export(
    run: RunArgument,
    to: Annotated[str, typer.Option(help="onnx, litert, openvino, savedmodel, keras or weights.")],
    precision: Annotated[
        str,
        typer.Option(
            help="float32; float16 for onnx, litert, openvino; int8 for litert, openvino."
        ),
    ] = "float32",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder to write; must not exist. [default: RUN/exports/TO-PRECISION]",
        ),
    ] = None,
    photos: Annotated[
        str | None,
        typer.Option(help="Labelled photos to prove it on; else the run's own test split."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a run in another format, and prove that it gives the same answers there."""
    from headstart.workflow.export import export as export_run

    with reported(), progress_bars() as progress:
        made = export_run(run, to, precision=precision, out=out, photos=photos, progress=progress)
    if as_json:
        emit_json(made.to_dict())
    else:
        _print(made)


def _print(made: "Export") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("", "size", "photos/s", "top-1", "95 %", "same", "differs"):
        table.add_column(heading, no_wrap=True)
    table.add_row(*_row("model.keras", made.reference))
    table.add_row(*_row(made.model.name, made.measured))
    if made.by_default is not None:
        table.add_row(*_row(f"in {made.default_precision}", made.by_default))
    console.print(table)
    console.print(
        f"by {made.reference.runtime} and {made.measured.runtime}; {made.machine}",
        markup=False,
        soft_wrap=True,
    )
    if made.by_default is not None:
        console.print(
            f"OpenVINO computes in {made.default_precision} here unless told otherwise, as run.py "
            "tells it: INFERENCE_PRECISION_HINT=f32.",
            soft_wrap=True,
        )
    console.print(str(made), markup=False, soft_wrap=True)
    console.print(f"export: {made.folder}", markup=False, soft_wrap=True)


def _row(name: str, measured: "Measured") -> tuple[str, ...]:
    found = measured.parity
    interval = found.top_1_interval
    return (
        name,
        f"{measured.size_bytes / 2**20:.1f} MB",
        f"{measured.photos_per_second:.0f}",
        f"{found.top_1:.4f}",
        f"{interval.low:.4f} to {interval.high:.4f}",
        f"{found.same_top_1:.4f}",
        f"{found.max_difference:.2g}",
    )
