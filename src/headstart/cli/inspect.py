"""`headstart inspect`: what a model file is, before anything is built from it."""

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.output import emit_json, reported


def inspect(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .keras, .h5 or .hdf5 file of any Keras.")
    ],
    layers: Annotated[bool, typer.Option("--layers", help="Show every layer.")] = False,
    trust_custom: Annotated[
        Path | None,
        typer.Option(metavar="FILE.py", help="Layers of your own that the model is made of."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Look at a model file as data; nothing in it runs. Exit 1 when it would not be loaded."""
    from headstart.cli.inspect_tables import print_inspection
    from headstart.modelfile.inspection import inspect_model

    with reported():
        found = inspect_model(file, trust_custom=trust_custom)
    if as_json:
        emit_json(found.to_dict())
    else:
        print_inspection(found, every_layer=layers)
    raise typer.Exit(1 if found.risks else 0)
