"""How the command line speaks: bars while it works, one line when something is wrong."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isnan
from time import monotonic
from typing import Any

import typer

from headstart.errors import HeadstartError
from headstart.progress import Progress


@contextmanager
def reported() -> Iterator[None]:
    """Turns an error that a person can mend into one line and its exit code."""
    try:
        yield
    except HeadstartError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        typer.echo("stopped; what was computed is kept, run it again to go on", err=True)
        raise typer.Exit(130) from None


def emit_json(values: Any) -> None:
    """Prints values as JSON on standard output."""
    typer.echo(json.dumps(values, indent=1, ensure_ascii=False))


_SHORT = {
    "epoch": ("epoch", "3.0f"),
    "loss": ("loss", ".4f"),
    "accuracy": ("accuracy", ".4f"),
    "validation_top_1": ("validation top-1", ".4f"),
    "validation_log_loss": ("log loss", ".4f"),
    "learning_rate": ("rate", ".1e"),
    "photos_per_second": ("photos/s", ".0f"),
}


class Lines:
    """Plain lines for logs and pipes: a station says when it is done, and how fast it was."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}

    def step(self, station: str, done: int, total: int) -> None:
        """Prints one line when a station ends."""
        begun = self._begun.setdefault(station, monotonic())
        if done >= total:
            del self._begun[station]
            seconds = monotonic() - begun
            speed = f", {total / seconds:.0f}/s" if 0.1 < seconds < total else ""
            typer.echo(f"{station}: {total} in {seconds:.1f} s{speed}", err=True)

    def epoch(self, station: str, values: Mapping[str, float]) -> None:
        """Prints a line an epoch."""
        typer.echo(f"{station}, {_epoch_line(values)}", err=True)

    def say(self, sentence: str) -> None:
        """Prints a line."""
        typer.echo(sentence, err=True)


class Bars:
    """Bars with speed and time left, for a terminal."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}
        self._begun: dict[str, float] = {}

    def step(self, station: str, done: int, total: int) -> None:
        """Moves the bar of a station."""
        if station not in self._tasks:
            self._begun[station] = monotonic()
            self._tasks[station] = self._progress.add_task(station, total=total, speed="")
        task = self._tasks[station]
        speed = done / max(monotonic() - self._begun[station], 0.01)
        self._progress.update(task, completed=done, total=total, speed=f"{speed:.0f}/s")
        if done >= total:
            self._progress.stop_task(task)
            del self._tasks[station]

    def epoch(self, station: str, values: Mapping[str, float]) -> None:
        """Adds a row to the table above the bars."""
        self._progress.console.print(
            f"{station}  {_epoch_line(values)}", markup=False, highlight=False
        )

    def say(self, sentence: str) -> None:
        """Prints a line above the bars."""
        self._progress.console.print(sentence, markup=False, highlight=False)


def _epoch_line(values: Mapping[str, float]) -> str:
    """Writes an epoch so that lines below each other make a table; what is NaN is left out.

    Example:
        >>> _epoch_line({"epoch": 2.0, "loss": 0.25, "validation_top_1": float("nan")})
        'epoch   2  loss 0.2500'
    """
    parts = [
        f"{_SHORT[name][0]} {value:{_SHORT[name][1]}}"
        for name, value in values.items()
        if not isnan(value)
    ]
    return "  ".join(parts)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Shows progress on standard error: bars on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", style="bold"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bars(progress)
