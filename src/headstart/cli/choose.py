"""`headstart choose`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.cli.options import Engine, Json, LabelFromName, PhotosArgument, Ray, Seed, Shards
from headstart.cli.output import emit_json, progress_bars, reported

if TYPE_CHECKING:
    from headstart.selection.values import Choice, Row

_WIDTH = 108


def choose(
    photos: PhotosArgument,
    backbones: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Names with commas, NAME:none for random weights, or all whose weights are here.",
        ),
    ] = "all",
    sizes: Annotated[
        str | None,
        typer.Option(metavar="PIXELS", help="Such as 160,224. [default: each one's own]"),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Such as 90s, 10m or 1h. [default: no end]")
    ] = None,
    size_limit: Annotated[
        float | None, typer.Option(metavar="MB", help="Of the weights without the top, float32.")
    ] = None,
    latency_limit: Annotated[
        float | None, typer.Option(metavar="MS", help="A photo, in batches on this machine.")
    ] = None,
    halving: Annotated[bool, typer.Option(help="Drop weak ones on few photos first.")] = True,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="SVG file for accuracy against speed.")
    ] = None,
    label_from_name: LabelFromName = None,
    engine: Engine = "auto",
    ray: Ray = None,
    shards: Shards = None,
    seed: Seed = None,
    as_json: Json = False,
) -> None:
    """Choose a backbone for photos: accuracy of a linear probe, speed, size."""
    from headstart.workflow.choose import choose as choose_backbone

    with reported(), progress_bars() as progress:
        found = choose_backbone(
            photos,
            backbones=backbones,
            sizes=_sizes(sizes),
            budget=budget,
            size_limit_mb=size_limit,
            latency_limit_ms=latency_limit,
            halving=halving,
            label_from_name=label_from_name,
            seed=seed or 0,
            engine=engine,
            plot=plot,
            ray=ray,
            shards=shards,
            progress=progress,
        )
    if as_json:
        emit_json(found.to_dict())
        return
    _print(found)
    if plot is not None:
        typer.echo(f"plot: {plot}")


def _sizes(text: str | None) -> tuple[int, ...]:
    from headstart.errors import ArgumentError

    try:
        return tuple(int(each) for each in (text or "").split(",") if each.strip())
    except ValueError:
        raise ArgumentError(
            f"sizes={text!r} are no whole numbers. Expected such as 160,224."
        ) from None


def _print(found: "Choice") -> None:
    from headstart.cli.tables import print_table

    headings = ("backbone", "top-1", "95 %", "photos", "photos/s", "MB", "LogME", "H-score", "note")
    print_table(headings, [_cells(row) for row in found.rows], width=_WIDTH)
    typer.echo(
        f"{found.photos} photos, none of the test split; on the frontier: none is better in both"
    )
    scores = [f"{name} {value:.2f}" for name, value in found.agreement.items() if value is not None]
    if scores:
        typer.echo(f"rank correlation of the cheap scores with accuracy: {', '.join(scores)}")
    if found.gain is not None:
        typer.echo(
            f"pretrained weights gain {found.gain * 100:+.1f} points over random ones "
            f"({found.random_top_1:.3f} right): what the backbone knew of such photos before"
        )
    typer.echo(found.reason)


def _cells(row: "Row") -> tuple[str, ...]:
    candidate, probe = row.candidate, row.probe
    ends = (f"{candidate.photos_per_second:.0f}", f"{candidate.size_mb:.1f}")
    note = "on the frontier" if row.is_pareto else row.left
    if probe is None:
        return (candidate.name, "-", "-", "-", *ends, "-", "-", note)
    span = f"{probe.interval.low:.3f} to {probe.interval.high:.3f}"
    scores = (f"{probe.log_me:.3f}", f"{probe.h_score:.3f}")
    return (candidate.name, f"{probe.top_1:.3f}", span, f"{probe.photos}", *ends, *scores, note)
