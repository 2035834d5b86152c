"""`headstart classify`: ImageNet's classes, by a network as it was published."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.cli.output import emit_json, progress_bars, reported

if TYPE_CHECKING:
    from headstart.workflow.classify import Classifications


def classify(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE ...", help="Photos, or folders of them.")
    ],
    backbone: Annotated[
        str, typer.Option(help="A name from `headstart models` that has a top-1.")
    ] = "MobileNetV2",
    weights: Annotated[
        str, typer.Option(help="imagenet, or a file of all weights, the top's included.")
    ] = "imagenet",
    top: Annotated[int, typer.Option(help="How many classes to name.")] = 5,
    engine: Annotated[str, typer.Option(help="auto, openvino or keras.")] = "auto",
    precision: Annotated[
        str, typer.Option(help="float32, bfloat16, float16, or auto for the fastest good one.")
    ] = "float32",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say which of ImageNet's classes photos show. Exit 1 when some could not be read."""
    from headstart.workflow.classify import classify as classify_photos

    with reported(), progress_bars() as progress:
        found = classify_photos(
            images,
            backbone=backbone,
            weights=weights,
            top=top,
            engine=engine,
            precision=precision,
            progress=progress,
        )
    if as_json:
        emit_json(found.to_dict())
    else:
        _print(found)
    raise typer.Exit(1 if found.set_aside else 0)


def _print(found: "Classifications") -> None:
    from headstart.cli.tables import print_set_aside, print_table

    rows = [
        ("" if number else each.file, guess.class_name, f"{guess.probability:.3f}")
        for each in found
        for number, guess in enumerate(each.guesses)
    ]
    if rows:
        print_table(("file", "class", "probability"), rows)
    print_set_aside(found.set_aside)
