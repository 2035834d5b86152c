"""`headstart find-lr`."""

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.options import (
    BackboneName,
    BatchSize,
    ImageSize,
    Json,
    Optimizer,
    RecipeFile,
    Seed,
    TrustCode,
    Weights,
)
from headstart.cli.output import emit_json, progress_bars, reported


def find_lr(
    source: Annotated[
        str, typer.Argument(metavar="RUN_OR_PHOTOS", help="A run folder, or photos to learn from.")
    ],
    backbone: BackboneName = None,
    weights: Weights = None,
    recipe: RecipeFile = None,
    plan: Annotated[
        str | None, typer.Option(help="The plan to find a rate for. [default: lp_ft]")
    ] = None,
    fine_tune: Annotated[
        str | None, typer.Option(help="What is unfrozen: last:20, from:LAYER or all.")
    ] = None,
    optimizer: Optimizer = None,
    batch_size: BatchSize = None,
    image_size: ImageSize = None,
    seed: Seed = None,
    plot: Annotated[
        Path, typer.Option(metavar="FILE", help="SVG file to draw the losses into.")
    ] = Path("learning_rate.svg"),
    trust_code: TrustCode = False,
    as_json: Json = False,
) -> None:
    """Find a learning rate to fine-tune with: a short training whose rate grows until it breaks."""
    settings = {
        name: value
        for name, value in locals().items()
        if name not in ("source", "recipe", "plot", "trust_code", "as_json") and value is not None
    }
    from headstart.recipe import read_values
    from headstart.workflow.find_lr import find_lr as find

    with reported(), progress_bars() as progress:
        values = {} if recipe is None else read_values(recipe)
        values.pop("photos", None)
        found = find(
            source, plot=plot, trust_code=trust_code, progress=progress, **(values | settings)
        )
    if as_json:
        emit_json(found.to_dict() | {"plot": str(plot)})
        return
    ended = "the loss broke above it" if found.has_broken else "the loss never broke"
    typer.echo(f"highest learning rate with a low loss: {found.highest_good:.1e} ({ended})")
    typer.echo(f"suggestion: --learning-rate {found.suggestion:.1e}")
    typer.echo(f"plot: {plot}")
