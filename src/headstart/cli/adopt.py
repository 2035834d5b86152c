"""`headstart adopt`: a classifier from elsewhere becomes a run folder."""

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.output import emit_json, progress_bars, reported


def adopt(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A classifier: .keras, .h5 or .hdf5.")
    ],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder to write; must not exist.")],
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A class name a line. [default: labels.txt beside it]"),
    ] = None,
    preprocess: Annotated[
        str | None,
        typer.Option(
            help="What it expects: 0..1, -1..1, caffe, torch or none. [default: as its graph says]"
        ),
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Side in pixels, where the model leaves it open.")
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, openvino or keras.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Turn a classifier from elsewhere into a run folder: evaluate, predict and the rest work."""
    from headstart.workflow.adopt import adopt as adopt_model

    with reported(), progress_bars() as progress:
        run = adopt_model(
            file,
            out=out,
            labels=labels,
            preprocess=preprocess,
            image_size=image_size,
            engine=engine,
            progress=progress,
        )
    manifest = run.manifest
    if as_json:
        emit_json({"run": str(run.folder), "class_names": list(manifest.class_names)})
        return
    typer.echo(f"classes: {', '.join(manifest.class_names)}")
    typer.echo(f"photos: {manifest.image_size} px, {manifest.backbone['preprocessing']}")
    typer.echo(f"run folder: {run.folder}")
    typer.echo(f"how good it is: headstart evaluate {run.folder} PHOTOS")
