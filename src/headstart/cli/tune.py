"""`headstart tune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.cli.options import (
    BackboneName,
    Engine,
    ImageSize,
    Json,
    LabelFromName,
    PhotosArgument,
    Ray,
    Seed,
    Shards,
    Weights,
)
from headstart.cli.output import emit_json, progress_bars, reported

if TYPE_CHECKING:
    from headstart.selection.tuning import Trial

_SHOWN = 10


def tune(
    photos: PhotosArgument,
    trials: Annotated[int, typer.Option(help="How many in all.")] = 50,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="For study and best recipe; goes on if there.")
    ] = Path("tuned"),
    backbone: BackboneName = None,
    weights: Weights = None,
    image_size: ImageSize = None,
    test: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Photos to leave alone, if they lie apart.")
    ] = None,
    label_from_name: LabelFromName = None,
    engine: Engine = "auto",
    ray: Ray = None,
    shards: Shards = None,
    seed: Seed = None,
    as_json: Json = False,
) -> None:
    """Search settings for photos: heads on kept features, then fine-tuning; best as a recipe."""
    settings: dict[str, Any] = {
        "backbone": backbone,
        "weights": weights,
        "image_size": image_size,
        "test": test,
        "label_from_name": label_from_name,
        "engine": engine,
        "seed": seed,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    from headstart.workflow.tune import tune as tune_settings

    with reported(), progress_bars() as progress:
        found = tune_settings(
            photos, trials=trials, out=out, ray=ray, shards=shards, progress=progress, **given
        )
    if as_json:
        emit_json(found.to_dict())
        return
    from headstart.cli.tables import print_table

    headings = ("log loss", "top-1", "settings")
    print_table(headings, [_cells(trial) for trial in found.trials[:_SHOWN]], width=110)
    pruned = sum(trial.state == "pruned" for trial in found.trials)
    typer.echo(
        f"{len(found.trials)} trials, {pruned} of them ended early, judged on {found.judged_on} "
        "validation photos; no test photo was read"
    )
    typer.echo(f"headstart train --recipe {found.recipe}")


def _cells(trial: "Trial") -> tuple[str, str, str]:
    words = [
        f"{k}={v:.2g}" if isinstance(v, float) else f"{k}={v}" for k, v in trial.settings.items()
    ]
    if trial.score is None:
        return (trial.state, "-", " ".join(words))
    return (f"{trial.score.log_loss:.4f}", f"{trial.score.top_1:.3f}", " ".join(words))
