"""Files written whole or not at all, and hashed.

Everything that this package leaves on a disk goes through here: a reader never meets a
half-written file, and a full disk is one clear error.
"""

import contextlib
import errno
import glob
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from headstart.errors import ArgumentError, DiskFullError

_PARTIAL_FILE = ".partial-"
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file as 64 hexadecimal digits.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder, "empty")
        ...     _ = file.write_bytes(b"")
        ...     sha256(file)[:12]
        'e3b0c44298fc'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def disk_full_as_error(place: Path) -> Iterator[None]:
    """Turns the operating system's "no space left" into one sentence naming the place.

    Raises:
        DiskFullError: when a write inside the block finds no room.
    """
    try:
        yield
    except OSError as error:
        # HDF5 tells the number only in its text.
        full = error.errno in _DISK_FULL or os.strerror(errno.ENOSPC) in str(error)
        if full and not isinstance(error, DiskFullError):
            raise DiskFullError(
                f"No room left on the disk of {place}. "
                "Nothing half-written was kept. Free some space, or choose another place "
                "with --out or the environment variable HEADSTART_CACHE, and run it again."
            ) from error
        raise


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`, and moves it there when the block succeeds.

    Args:
        path: the final place; its folder is made when missing.

    Yields:
        A path in the same folder (same suffix) for the block to write to.

    Raises:
        DiskFullError: when there is no room; the temporary file is removed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     target = Path(folder, "note.txt")
        ...     with atomic_file(target) as temporary:
        ...         _ = temporary.write_text("whole")
        ...     target.read_text()
        'whole'
    """
    with disk_full_as_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        name = f"{_PARTIAL_FILE}{os.getpid()}-{uuid.uuid4().hex}{path.suffix}"
        temporary = path.with_name(name)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields a temporary folder beside `path`, and renames it to `path` at the end.

    Args:
        path: the final place; must not exist yet.

    Raises:
        ArgumentError: when `path` exists.
        DiskFullError: when there is no room; the temporary folder is removed.
    """
    if path.exists():
        raise ArgumentError(f"out={str(path)!r} exists already. Choose another name.")
    with disk_full_as_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent, prefix=f".{path.name}.partial-")
        temporary = path.with_name(f".{path.name}.partial-{os.getpid()}-{uuid.uuid4().hex}")
        temporary.mkdir()
        try:
            yield temporary
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(folder: Path, prefix: str = _PARTIAL_FILE) -> None:
    """Removes what killed processes left: names of `prefix` and a process number not running."""
    for leftover in folder.glob(f"{glob.escape(prefix)}*"):
        owner = leftover.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and not _is_running(int(owner)):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
