"""`headstart predict`: a table for a few photos, a CSV for any number."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from headstart.cli.options import Coverage, Engine, Json, Ray, RunArgument, Shards
from headstart.cli.output import emit_json, progress_bars, reported


def predict(
    run: RunArgument,
    photos: Annotated[
        list[str], typer.Argument(metavar="IMAGE_OR_FOLDER ...", help="Photos or folders.")
    ],
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a row a photo, for any number of photos; a stopped call goes on.",
        ),
    ] = None,
    coverage: Coverage = 0.95,
    engine: Engine = "auto",
    precision: Annotated[
        str | None, typer.Option(help="float32, bfloat16 or float16. [default: the run's]")
    ] = None,
    ray: Ray = None,
    shards: Shards = None,
    as_json: Json = False,
) -> None:
    """Classify photos. Exit 1 when some could not be read."""
    options: dict[str, Any] = {"coverage": coverage, "engine": engine, "precision": precision}
    options |= {"ray": ray, "shards": shards}
    if csv is not None:
        _predict_to_csv(run, photos, csv, options, as_json=as_json)
    from headstart.cli.tables import predictions_to_dict, print_predictions
    from headstart.workflow.use import predict as predict_photos

    with reported(), progress_bars() as progress:
        found = predict_photos(run, photos, **options, progress=progress)
    if as_json:
        emit_json(predictions_to_dict(found))
    else:
        print_predictions(found)
    raise typer.Exit(1 if found.set_aside else 0)


def _predict_to_csv(
    run: Path, photos: list[str], csv: Path, options: dict[str, Any], *, as_json: bool
) -> NoReturn:
    from headstart.cli.tables import print_predicted_csv
    from headstart.workflow.predict_csv import predict_to_csv

    with reported(), progress_bars() as progress:
        found = predict_to_csv(run, photos, csv=csv, **options, progress=progress)
    if as_json:
        emit_json(found.to_dict())
    else:
        print_predicted_csv(found)
    raise typer.Exit(1 if found.set_aside else 0)
