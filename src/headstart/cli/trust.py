"""Commands about what a run is worth: compare, report, suspects, learning-curve."""

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.options import Engine, Json, RunArgument
from headstart.cli.output import emit_json, progress_bars, reported


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN ...", help="Two or more run folders.")
    ],
    as_json: Json = False,
) -> None:
    """Compare runs on the same test photos. Exit 1 when one is better than luck explains."""
    from headstart.cli.trust_tables import print_comparisons
    from headstart.workflow.compare import compare as compare_runs

    with reported():
        found = compare_runs(*runs)
    if as_json:
        emit_json([each.to_dict() for each in found])
    else:
        print_comparisons(found)
    raise typer.Exit(1 if any(each.is_significant for each in found) else 0)


def report(run: RunArgument, engine: Engine = "auto") -> None:
    """Write the full report of a run: photos, heat maps, suspects, learning curve."""
    from headstart.workflow.report import make_report

    with reported(), progress_bars() as progress:
        page = make_report(run, engine=engine, progress=progress)
    typer.echo(page)


def suspects(
    run: RunArgument,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a table to look through and apply.")
    ] = None,
    apply: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Train again with the labels of this table."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Run folder that --apply writes.")
    ] = None,
    engine: Engine = "auto",
    as_json: Json = False,
) -> None:
    """List photos whose label is probably wrong. Exit 1 when there are some."""
    if apply is not None:
        _train_again(run, apply, out=out, as_json=as_json)
        return
    from headstart.cli.trust_tables import print_suspects
    from headstart.workflow.suspects import suspects as find_suspects

    with reported(), progress_bars() as progress:
        if out is not None:
            from headstart.errors import ArgumentError

            raise ArgumentError(f"out={str(out)!r} has no effect without --apply FILE.")
        found = find_suspects(run, engine=engine, progress=progress)
        if csv is not None:
            found.write_csv(csv)
    if as_json:
        emit_json(found.to_dict())
    else:
        print_suspects(found)
    raise typer.Exit(1 if found.items else 0)


def _train_again(run: Path, fixes: Path, *, out: Path | None, as_json: bool) -> None:
    from headstart.cli.tables import print_run
    from headstart.workflow.suspects import retrain_with_fixes

    with reported(), progress_bars() as progress:
        made = retrain_with_fixes(run, fixes, out=out, progress=progress)
    if as_json:
        emit_json({"run": str(made.folder), "metrics": made.manifest.metrics})
    else:
        print_run(made)


def learning_curve(
    run: RunArgument,
    scratch: Annotated[
        bool,
        typer.Option("--scratch", help="Train the same network without pretrained weights too."),
    ] = False,
    engine: Engine = "auto",
    as_json: Json = False,
) -> None:
    """Measure whether more photos would help."""
    from headstart.cli.trust_tables import print_curve
    from headstart.workflow.learning_curve import learning_curve as measure

    with reported(), progress_bars() as progress:
        found = measure(run, scratch=scratch, engine=engine, progress=progress)
    if as_json:
        emit_json(found.to_dict())
    else:
        print_curve(found)
