"""A CSV in the making, block by block, so that a stopped call goes on where it was.

Files are taken in blocks. The rows of a block are written, whole or not at all, into a folder
beside the CSV, under a name that stands for everything that decides them. A second call takes the
blocks that are there; the last act is to put all of them together and to remove the folder.
"""

import csv
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from headstart.errors import PhotosError
from headstart.files import atomic_file
from headstart.prediction import BLOCK_SIZE


@dataclass(frozen=True, slots=True)
class Parts:
    """The blocks of a CSV.

    Attributes:
        target: the CSV that they will be.
        files: N names, in the order of the rows.
        key: names everything but the files that decides the rows.
    """

    target: Path
    files: Sequence[str]
    key: str

    @property
    def folder(self) -> Path:
        """Where the blocks lie; hidden, so that nobody takes it for photos."""
        return self.target.with_name(f".{self.target.name}.parts")

    def blocks(self) -> Iterator[tuple[Sequence[str], Path, Path]]:
        """Yields the files of each block, and where its rows and what it set aside are written."""
        for start in range(0, len(self.files), BLOCK_SIZE):
            files = self.files[start : start + BLOCK_SIZE]
            digest = hashlib.sha256(self.key.encode())
            for file in files:
                digest.update(json.dumps([file, *_stamp(file)]).encode())
            stem = f"{start:09d}-{digest.hexdigest()[:32]}"
            yield files, self.folder / f"{stem}.csv", self.folder / f"{stem}.set_aside.csv"

    def text(self, part: Path) -> str:
        """Reads a part.

        Raises:
            PhotosError: when it is gone: its name changes with its files.
        """
        try:
            return part.read_bytes().decode()
        except FileNotFoundError:
            raise PhotosError(
                f"csv={str(self.target)!r}: photos changed while they were classified, or another "
                "call wrote the same file. Run the command again; it goes on from here."
            ) from None


@contextmanager
def whole_csv(path: Path) -> Iterator[IO[str]]:
    """Opens a CSV that gets its name when all of it is on the disk."""
    with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def writer_to(file: IO[str]) -> Any:
    """Returns a writer of rows that end alike on every system."""
    return csv.writer(file, lineterminator="\n")


def _stamp(file: str) -> tuple[int, int]:
    try:
        status = Path(file).stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
