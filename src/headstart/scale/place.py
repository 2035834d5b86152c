"""Folders anywhere: on a disk, or in a bucket by its URI (`s3://`, `gs://`, `file://`)."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

from headstart.errors import ArgumentError
from headstart.files import atomic_file

ATTEMPTS = 3
"""A network that fails once is no broken photo."""


def is_uri(name: str) -> bool:
    """Tells a URI from a path.

    Example:
        >>> is_uri("s3://bucket/photos"), is_uri("photos/cats")
        (True, False)
    """
    return "://" in name


@dataclass(frozen=True, slots=True)
class Place:
    """A folder on a disk or in a bucket.

    Attributes:
        base: a path, or a URI as PyArrow understands it.
    """

    base: str

    def opened(self) -> tuple[Any, str]:
        """Returns PyArrow's file system and the folder's path in it.

        Raises:
            ArgumentError: for a URI that it cannot make sense of.
        """
        from pyarrow import ArrowInvalid
        from pyarrow.fs import FileSystem, LocalFileSystem

        if not is_uri(self.base):
            return LocalFileSystem(), str(Path(self.base).absolute())
        try:
            system, path = FileSystem.from_uri(self.base)
        except (ArrowInvalid, OSError) as error:
            raise ArgumentError(f"{self.base!r} cannot be opened: {error}") from error
        return system, path

    @property
    def is_local(self) -> bool:
        """Whether it lies on a disk, own or shared."""
        return self.base.startswith("file://") or not is_uri(self.base)

    def read(self, name: str) -> bytes:
        """Reads a whole file; what may have been the network's fault is tried again.

        Raises:
            OSError: when it cannot be read.
        """
        system, folder = self.opened()
        path = os.path.join(folder, name) if name else folder  # noqa: PTH118 - also of buckets
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if self.is_local:
                    return Path(path).read_bytes()
                with system.open_input_stream(path) as stream:
                    return bytes(stream.read())
            except (FileNotFoundError, PermissionError, IsADirectoryError):
                raise
            except OSError:
                if attempt == ATTEMPTS:
                    raise
                sleep(attempt)
        raise AssertionError

    def write(self, name: str, content: bytes) -> None:
        """Writes a whole file or nothing; buckets do that by themselves.

        Raises:
            DiskFullError: when the disk has no room.
        """
        system, folder = self.opened()
        if self.is_local:
            with atomic_file(Path(folder, name)) as temporary:
                temporary.write_bytes(content)
            return
        system.create_dir(folder, recursive=True)
        with system.open_output_stream(f"{folder}/{name}") as stream:
            stream.write(content)

    def remove(self, name: str) -> None:
        """Removes a file that may be there."""
        system, folder = self.opened()
        with suppress(FileNotFoundError):
            system.delete_file(f"{folder}/{name}")
