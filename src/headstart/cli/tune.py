"""`headstart tune`: which settings for my photos."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headstart.cli.options import (
    BackboneName,
    ImageSize,
    Json,
    LabelFromName,
    PhotosArgument,
    Ray,
    Seed,
    Shards,
    TestApart,
    Weights,
)
from headstart.cli.output import emit_json, progress_bars, reported

if TYPE_CHECKING:
    from headstart.selection.study import Trial
    from headstart.selection.tune import Tuning

_SHOWN = 10


def tune(
    photos: PhotosArgument,
    trials: Annotated[
        int, typer.Option(metavar="N", help="Heads to try on kept features, in all calls together.")
    ] = 50,
    end_to_end: Annotated[
        int, typer.Option(metavar="N", help="Plans to try with the best heads; 0 for none.")
    ] = 5,
    epochs: Annotated[int, typer.Option(help="Of each stage that fine-tunes.")] = 5,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Of the search; one that is there goes on.")
    ] = Path("tuning"),
    backbone: BackboneName = None,
    weights: Weights = None,
    image_size: ImageSize = None,
    test: TestApart = None,
    label_from_name: LabelFromName = None,
    validation: Annotated[
        float | None, typer.Option(help="Fraction to score trials on. [default: 0.15]")
    ] = None,
    seed: Seed = None,
    engine: Annotated[
        str | None, typer.Option(help="auto, openvino or keras. [default: auto]")
    ] = None,
    ray: Ray = None,
    shards: Shards = None,
    as_json: Json = False,
) -> None:
    """Search for settings: heads on kept features, then end to end; writes the best recipe."""
    said = {
        name: value
        for name, value in locals().items()
        if name not in ("photos", "trials", "end_to_end", "epochs", "out", "as_json")
        and value is not None
    }
    from headstart.workflow.tune import tune as search

    with reported(), progress_bars() as progress:
        found = search(
            photos,
            out=out,
            trials=trials,
            end_to_end=end_to_end,
            epochs=epochs,
            progress=progress,
            **said,
        )
    if as_json:
        emit_json(found.to_dict())
    else:
        _print(found)
        words = ["headstart", "train", "--recipe", str(found.folder / "recipe.toml")]
        for name, value in (("--ray", ray), ("--shards", shards)):
            words += [name, value] if value is not None else []
        typer.echo(f"next: {shlex.join(words)}")


def _print(found: "Tuning") -> None:
    from headstart.cli.tables import print_table

    headings = ("trial", "log loss", "top-1", "seconds", "settings")
    print_table(headings, [_row(each) for each in found.trials[:_SHOWN]], width=100)
    counts = {state: sum(t.state == state for t in found.trials) for state in ("pruned", "failed")}
    typer.echo(
        f"{len(found.trials)} trials, {counts['pruned']} pruned, {counts['failed']} failed; "
        f"{found.new_trials} of them now, {found.seconds:.1f} s"
    )
    assert found.plain.score is not None
    typer.echo(
        f"plain linear probe: log loss {found.plain.score.log_loss:.4f}, "
        f"top-1 {found.plain.score.top_1:.4f} on the validation photos. The best of many flatters "
        "itself there: what it is worth, the test photos say."
    )


def _row(each: "Trial") -> tuple[str, ...]:
    score = each.score
    known = (each.state, "") if score is None else (f"{score.log_loss:.4f}", f"{score.top_1:.4f}")
    name = f"{each.part} {each.number}"
    return (name, *known, f"{each.seconds:.1f}", _said(each.settings))


def _said(settings: dict[str, Any]) -> str:
    """Writes settings in short: what every trial has alike is left out."""
    parts = [str(settings["head"])]
    if settings.get("dropout"):
        parts.append(f"dropout {settings['dropout']:.1f}")
    for stage in settings.get("stages", [settings]):
        words = [stage["trainable"]] if "trainable" in stage else []
        words += [f"rate {stage['learning_rate']:.1e}"] if "learning_rate" in stage else []
        decay = stage.get("optimizer_options", {}).get("weight_decay")
        words += [f"decay {decay:.0e}"] if decay else []
        words += [f"depth factor {stage['depth_factor']}"] if "depth_factor" in stage else []
        words += [f"{stage['views']} views"] if "views" in stage else []
        parts += [" ".join(words)] if words else []
    return "; ".join(parts)
