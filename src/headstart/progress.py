"""How long work tells what it does, without knowing who listens."""

import os
from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Listens to a run. The command line draws bars, a notebook may print, tests collect."""

    def step(self, station: str, done: int, total: int) -> None:
        """Work at a station has come this far; `done == total` ends it.

        A training counts the photos of all its epochs; its total shrinks when it ends early.
        """

    def epoch(self, station: str, values: Mapping[str, float], total: int) -> None:
        """An epoch of a training has ended, of `total` at most; NaN is what was not measured."""

    def say(self, sentence: str) -> None:
        """Something the person should know, once."""


class Silent:
    """Listens to nothing."""

    def step(self, station: str, done: int, total: int) -> None:
        """Ignores it."""

    def epoch(self, station: str, values: Mapping[str, float], total: int) -> None:
        """Ignores it."""

    def say(self, sentence: str) -> None:
        """Ignores it."""


def processors() -> int:
    """Returns how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
