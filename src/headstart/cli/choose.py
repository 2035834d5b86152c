"""`headstart choose`: which backbone for my photos."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.cli.options import (
    Engine,
    Json,
    LabelFromName,
    PhotosArgument,
    Ray,
    Seed,
    Shards,
    TestApart,
)
from headstart.cli.output import emit_json, progress_bars, reported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headstart.selection.choice import Choice
    from headstart.selection.halving import Standing

_WIDTH = 120
"""In characters: nine columns of numbers need more than a narrow terminal has."""


def choose(
    photos: PhotosArgument,
    backbones: Annotated[
        str,
        typer.Option(
            metavar="A,B,...",
            help="Names, each NAME, NAME:none (random weights) or NAME:FILE; all: every one whose "
            "pretrained weights are on this machine.",
        ),
    ] = "all",
    sizes: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="Sides in pixels. [default: each backbone's own]"),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="Such as 90s or 10m. [default: no limit]")
    ] = None,
    size_limit: Annotated[
        float | None, typer.Option(metavar="MB", help="Most that the parameters may take.")
    ] = None,
    latency_limit: Annotated[
        float | None, typer.Option(metavar="MS", help="Most that one photo may take here.")
    ] = None,
    halving: Annotated[
        bool,
        typer.Option("--halving/--no-halving", help="Drop the weak ones on few photos first."),
    ] = True,
    prefilter: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Go on with the N best by LogME after the first photos. [default: all]",
        ),
    ] = None,
    test: TestApart = None,
    label_from_name: LabelFromName = None,
    seed: Seed = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Page (.html) or picture (.svg) to write.")
    ] = None,
    engine: Engine = "auto",
    ray: Ray = None,
    shards: Shards = None,
    as_json: Json = False,
) -> None:
    """Say which backbone suits photos: accuracy, speed and size of each, and a recommendation."""
    from headstart.workflow.choose import choose as choose_backbone

    said = {"test": test, "label_from_name": label_from_name, "seed": seed}
    with reported(), progress_bars() as progress:
        found = choose_backbone(
            photos,
            backbones=[name.strip() for name in backbones.split(",") if name.strip()],
            sizes=_numbers(sizes),
            budget=budget,
            size_limit=size_limit,
            latency_limit=latency_limit,
            halving=halving,
            prefilter=prefilter,
            out=out,
            engine=engine,
            ray=ray,
            shards=shards,
            progress=progress,
            **{name: value for name, value in said.items() if value is not None},
        )
    if as_json:
        emit_json(found.to_dict())
        return
    _print(found)
    if found.recommended is not None:
        same = {**said, "ray": ray, "shards": shards}
        typer.echo(f"next: {_next(found, photos, same)}")
    if out is not None:
        typer.echo(str(out))


def _numbers(sizes: str | None) -> tuple[int, ...]:
    from headstart.errors import ArgumentError

    parts = [part.strip() for part in (sizes or "").split(",") if part.strip()]
    if not all(part.isdigit() and 8 <= int(part) <= 4096 for part in parts):
        raise ArgumentError(f"sizes={sizes!r}: expected sides in pixels, as in 160,224.")
    return tuple(map(int, parts))


def _print(found: "Choice") -> None:
    from headstart.cli.tables import print_table
    from headstart.selection.gain import gains_sentence

    best = set(found.pareto)
    headings = (
        "",
        "candidate",
        "right",
        "95 %",
        "photos",
        "photos/s",
        "ms",
        "MB",
        "parameters",
        "LogME",
        "H-score",
    )
    rows = [_row(each, is_best=each.candidate in best) for each in found]
    print_table(headings, rows, width=_WIDTH)
    typer.echo("* none is both as accurate and as fast")
    for each in found:
        if each.out:
            typer.echo(f"dropped: {each.candidate.name}: {each.out}")
    for name, reason in found.left_out:
        typer.echo(f"left out: {name}: {reason}")
    for item in found.agreement:
        name = {"log_me": "LogME", "h_score": "H-score"}[item.score]
        typer.echo(
            f"{name} from {item.scored_photos} photos ranked {item.candidates} candidates with "
            f"Kendall's tau {item.kendall:.2f}, Spearman's rho {item.spearman:.2f} against "
            f"accuracy on {item.photos}"
        )
    if found.gains:
        typer.echo(gains_sentence(found.gains))
    typer.echo(f"{found.photos} photos to choose with, {found.seconds:.1f} s")
    if found.recommended is None:
        typer.echo("nothing to recommend: nothing was measured within the limits")
    else:
        typer.echo(f"take {found.recommended}")


def _row(each: "Standing", *, is_best: bool) -> tuple[str, ...]:
    probe, first, speed = each.probes[-1], each.probes[0], each.speed
    return (
        "*" if is_best else "",
        each.candidate.name,
        f"{100 * probe.top_1:.1f} %",
        f"{100 * probe.interval.low:.1f} to {100 * probe.interval.high:.1f}",
        str(probe.photos),
        "-" if speed is None else f"{speed.photos_per_second:.0f}",
        "-" if speed is None else f"{speed.latency_ms:.1f}",
        f"{each.candidate.size_mb:.1f}",
        f"{each.candidate.parameters:,}",
        "-" if first.log_me is None else f"{first.log_me:.3f}",
        "-" if first.h_score is None else f"{first.h_score:.3f}",
    )


def _next(found: "Choice", photos: str, options: "Mapping[str, object]") -> str:
    assert found.recommended is not None
    spec = found.recommended.candidate.spec
    words = ["headstart", "train", photos, "--backbone", spec.backbone]
    words += ["--image-size", str(spec.image_size)]
    if spec.weights in ("none", "file"):
        words += ["--weights", spec.weights_path or "none"]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)] if value is not None else []
    return shlex.join(words)
