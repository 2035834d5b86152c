"""`headstart draw` and `headstart summary`: what a network looks like, and what it costs."""

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.output import emit_json, reported

Network = Annotated[
    str,
    typer.Argument(
        metavar="NAME_OR_FILE",
        help="A name from `headstart models`, a classic network such as InceptionV4, a .keras or "
        ".h5 file, or a run folder.",
    ),
]
ImageSize = Annotated[
    int | None,
    typer.Option(help="Side of the input in pixels, for a name. [default: the network's]"),
]


def draw(
    network: Network,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="File to write: .svg, .html, .png.")
    ],
    image_size: ImageSize = None,
    frozen_to: Annotated[
        str | None,
        typer.Option(metavar="LAYER", help="Draw this layer and all below it as frozen."),
    ] = None,
    columns: Annotated[
        int | None, typer.Option(help="To divide the drawing into. [default: as fits a sheet]")
    ] = None,
    theme: Annotated[str, typer.Option(help="auto, light or dark.")] = "auto",
) -> None:
    """Draw a network: modules framed and named, repeats folded, shapes and parameters on it."""
    from headstart.workflow.drawing import draw as draw_network

    with reported():
        written = draw_network(
            network,
            out,
            image_size=image_size,
            frozen_to=frozen_to,
            columns=columns,
            theme=theme,
        )
    typer.echo(str(written))


def summary(
    network: Network,
    image_size: ImageSize = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Count what a network costs, layer by layer: parameters, multiply-adds, memory."""
    from headstart.cli.draw_tables import print_summary
    from headstart.workflow.drawing import summary as summarise

    with reported():
        found = summarise(network, image_size=image_size)
    if as_json:
        emit_json(found.to_dict())
    else:
        print_summary(found)
