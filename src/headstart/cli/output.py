"""How the command line speaks: bars while it works, one line when something is wrong."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

import typer

from headstart.cli.epochs import EpochTable, epoch_line
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


class Lines:
    """Plain lines for logs and pipes: a station says when it is done, and how fast it was.

    One that takes longer says every half minute how far it is.
    """

    def __init__(self, *, pause_seconds: float = 30.0) -> None:
        self._begun: dict[str, tuple[float, int]] = {}
        self._pause = pause_seconds
        self._said = monotonic()

    def step(self, station: str, done: int, total: int) -> None:
        """Prints one line when a station ends, and some on the way when that takes long."""
        begun, first = self._begun.setdefault(station, (monotonic(), done))
        if first < done < total and monotonic() - max(self._said, begun) >= self._pause:
            self._said = monotonic()
            rate = (done - first) / (self._said - begun)
            left = f"{rate:.0f}/s, {(total - done) / rate / 60:.0f} min left"
            typer.echo(f"{station}: {done:,} of {total:,}, {left}", err=True)
        if done >= total:
            del self._begun[station]
            seconds = monotonic() - begun
            speed = f", {(total - first) / seconds:.0f}/s" if 0.1 < seconds < total else ""
            typer.echo(f"{station}: {total} in {seconds:.1f} s{speed}", err=True)

    def epoch(self, station: str, values: Mapping[str, float], total: int) -> None:  # noqa: ARG002
        """Prints a line an epoch."""
        typer.echo(f"{station}, {epoch_line(values)}", err=True)

    def say(self, sentence: str) -> None:
        """Prints a line."""
        typer.echo(sentence, err=True)


class Bars:
    """Bars with speed and time left, and a table of epochs that grows above them."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}
        self._begun: dict[str, tuple[float, int]] = {}
        self._tables: dict[str, EpochTable] = {}

    def step(self, station: str, done: int, total: int) -> None:
        """Moves the bar of a station."""
        if station not in self._tasks:
            self._begun[station] = monotonic(), done
            self._tasks[station] = self._progress.add_task(station, total=total, speed="")
        task = self._tasks[station]
        begun, first = self._begun[station]
        speed = (done - first) / max(monotonic() - begun, 0.01)
        shown = f"{speed:.0f}/s" if done > first else ""
        self._progress.update(task, completed=done, total=total, speed=shown)
        if done >= total:
            self._progress.stop_task(task)
            del self._tasks[station]

    def epoch(self, station: str, values: Mapping[str, float], total: int) -> None:
        """Adds a row to the station's table above the bars."""
        if station not in self._tables:
            begun, _ = self._begun.get(station, (monotonic(), 0))
            self._tables[station] = EpochTable(station, begun=begun)
        for line in self._tables[station].add(values, total, now=monotonic()):
            self._progress.console.print(
                line, markup=False, highlight=False, no_wrap=True, overflow="crop"
            )

    def say(self, sentence: str) -> None:
        """Prints a line above the bars."""
        self._progress.console.print(sentence, markup=False, highlight=False)


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
