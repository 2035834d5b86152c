"""A training by several processes: each goes through the whole journey, the first one writes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from headstart.training.job import is_one_of_many


def join_processes() -> None:
    """Meets the other processes, where there are some; see `headstart.training.devices`."""
    if is_one_of_many():
        from headstart.training import devices

        devices.join_processes()


@contextmanager
def written_once(folder: Path) -> Iterator[Path]:
    """Yields the run folder in the first process, and one that is thrown away in the others.

    All of them compute all of it, because a step that one of them left out would make the others
    wait for ever.
    """
    number = 0
    if is_one_of_many():
        from headstart.training.devices import process_number

        number = process_number()
    if not number:
        yield folder
        return
    with TemporaryDirectory() as aside:
        yield Path(aside, "run")
