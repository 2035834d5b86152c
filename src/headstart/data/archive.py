"""Unpacks an archive from anywhere without believing a word of it.

A member's name may try to leave the folder, its header may lie about its size, and a kilobyte may
hold a petabyte. So names are checked before anything is written, only plain files and folders are
made, and the limits count the bytes that really come out.
"""

import bz2
import errno
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from headstart.data.tarstream import BoundedStream, StrictHeader
from headstart.errors import ArchiveError, ArgumentError, DiskFullError
from headstart.files import atomic_folder

_CHUNK = 1 << 20
_DRIVE = re.compile(r"^[A-Za-z]:")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    gzip.BadGzipFile,
    NotImplementedError,
    UnicodeDecodeError,
)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may unpack to; each counts bytes or files really written.

    Attributes:
        files: number of members, folders included.
        total_bytes: of all files together.
        file_bytes: of one file.
        ratio: written bytes to archive bytes. Photos hardly shrink; even drawings stay below 100.
        ratio_from: written bytes from which the ratio counts, so that small archives of blank
            pictures pass.
    """

    files: int = 5_000_000
    total_bytes: int = 1 << 40
    file_bytes: int = 1 << 30
    ratio: float = 200.0
    ratio_from: int = 64 << 20


def archive_kind(path: Path) -> Literal["zip", "tar"] | None:
    """Tells by its first bytes whether a file is a zip or a (compressed) tar; None for neither.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "photos.jpg")
        ...     zipfile.ZipFile(file, "w").close()
        ...     archive_kind(file)
        'zip'
    """
    with path.open("rb") as file:
        head = file.read(tarfile.BLOCKSIZE)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")):
        return "tar"
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return "tar"


def extract_archive(path: Path, into: Path, *, limits: ArchiveLimits | None = None) -> Path:
    """Unpacks a zip or tar (gz, bz2, xz) as a whole or not at all.

    Args:
        path: the archive; its kind is judged by content.
        into: the folder to make. When it exists it is complete (it gets its name last) and is
            returned as it is.
        limits: `ArchiveLimits()` when None.

    Returns:
        `into`.

    Raises:
        ArchiveError: when the archive is damaged, encrypted, too large, or has a member that is a
            link, a device, or would be written outside the folder; names the member.
        DiskFullError: when there is no room. In both cases nothing is left.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with zipfile.ZipFile(Path(folder, "a.zip"), "w") as file:
        ...         file.writestr("cats/1.jpg", b"...")
        ...     unpacked = extract_archive(Path(folder, "a.zip"), Path(folder, "a"))
        ...     (unpacked / "cats/1.jpg").read_bytes()
        b'...'
    """
    if into.is_dir():
        return into
    kind = archive_kind(path)
    if kind is None:
        raise ArchiveError(
            f"{path} is not an archive that Headstart reads; expected zip or tar (gz, bz2, xz)."
        )
    unpack = _unpack_zip if kind == "zip" else _unpack_tar
    try:
        with atomic_folder(into) as temporary:
            _unpack_all(unpack, path, temporary, limits or ArchiveLimits())
    except (OSError, ArgumentError) as error:
        # Another process was first: its folder is complete and made from the same archive.
        if isinstance(error, DiskFullError) or not into.is_dir():
            raise
    return into


@dataclass(slots=True)
class _Writer:
    """Writes members under a folder and holds the limits."""

    archive: Path
    folder: Path
    limits: ArchiveLimits
    archive_bytes: int
    members: int = 0
    written: int = 0
    made: set[str] = field(default_factory=set)

    def refuse(self, member: str, what: str) -> ArchiveError:
        return ArchiveError(f"{self.archive}: member {member!r} {what}. Nothing was unpacked.")

    def place(self, member: str) -> Path:
        """Returns where a member belongs, or refuses its name."""
        self.members += 1
        if self.members > self.limits.files:
            raise ArchiveError(f"{self.archive} has more than {self.limits.files:,} members.")
        parts = [part for part in member.split("/") if part not in ("", ".")]
        if member.startswith("/") or "\\" in member or _DRIVE.match(member) or ".." in parts:
            raise self.refuse(member, "would be written outside the folder; its name is not safe")
        if "\0" in member:
            raise self.refuse(member, "has a zero byte in its name")
        return self.folder.joinpath(*parts)

    def make_folder(self, member: str) -> None:
        self.place(member).mkdir(parents=True, exist_ok=True)

    def write(self, member: str, source: BinaryIO) -> None:
        place = self.place(member)
        parent = str(place.parent)
        if parent not in self.made:
            place.parent.mkdir(parents=True, exist_ok=True)
            self.made.add(parent)
        try:
            with place.open("xb") as file:
                self._copy(member, source, file)
        except FileExistsError as error:
            raise self.refuse(member, "is in the archive twice") from error

    def _copy(self, member: str, source: BinaryIO, file: io.BufferedWriter) -> None:
        size = 0
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            self.written += len(chunk)
            self._check(member, size)
            file.write(chunk)

    def _check(self, member: str, size: int) -> None:
        limits = self.limits
        if size > limits.file_bytes:
            raise self.refuse(member, f"unpacks to more than {limits.file_bytes:,} bytes")
        if self.written > limits.total_bytes:
            raise self.refuse(member, f"brings the total over {limits.total_bytes:,} bytes")
        if self.written > limits.ratio_from and self.written > limits.ratio * self.archive_bytes:
            raise self.refuse(
                member,
                f"brings the total to over {limits.ratio:g} times the archive's own size; "
                "that is no archive of photos",
            )


def _unpack_all(
    unpack: Callable[[_Writer], None], path: Path, folder: Path, limits: ArchiveLimits
) -> None:
    writer = _Writer(path, folder, limits, archive_bytes=path.stat().st_size)
    try:
        unpack(writer)
    except _BROKEN as error:
        raise ArchiveError(f"{path} is damaged or of an unknown kind: {error}.") from error
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise ArchiveError(f"{path} uses one name for a file and for a folder.") from error
    except OSError as error:
        if error.errno is None:  # bz2 and gzip say so when the data make no sense
            raise ArchiveError(f"{path} is damaged: {error}.") from error
        if error.errno == errno.ENAMETOOLONG:
            raise ArchiveError(f"{path} has a member whose name is too long.") from error
        raise


def _unpack_zip(writer: _Writer) -> None:
    with zipfile.ZipFile(writer.archive) as archive:
        for member in archive.infolist():
            name = _zip_name(member)
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise writer.refuse(name, "is a link or a device, not a file")
            if member.flag_bits & 0x1:
                raise writer.refuse(name, "is encrypted; unpack the archive yourself")
            if name.endswith("/"):
                writer.make_folder(name)
                continue
            with archive.open(member) as source:
                writer.write(name, source)  # type: ignore[arg-type] # ZipExtFile reads bytes


def _zip_name(member: zipfile.ZipInfo) -> str:
    """Returns the name; macOS writes UTF-8 without saying so, which `zipfile` reads as cp437."""
    if member.filename.isascii() or member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _unpack_tar(writer: _Writer) -> None:
    with (
        _decompressed(writer.archive) as plain,
        tarfile.open(
            fileobj=(stream := BoundedStream(plain, writer.archive)),
            mode="r|",
            tarinfo=StrictHeader,
            encoding="utf-8",
        ) as archive,
    ):
        for member in _members(archive, stream):
            if member.isdir():
                writer.make_folder(member.name)
                continue
            source = archive.extractfile(member) if member.isreg() else None
            if source is None:
                raise writer.refuse(member.name, "is a link or a device, not a file")
            stream.allow(writer.limits.file_bytes)
            writer.write(member.name, source)  # type: ignore[arg-type] # a reader of bytes
        # Only the last bytes of a compressed file tell whether all before them are right.
        stream.allow(0)
        while stream.read(_CHUNK):
            pass


def _members(archive: tarfile.TarFile, stream: BoundedStream) -> Iterator[tarfile.TarInfo]:
    while True:
        stream.allow(0)
        member = archive.next()
        if member is None:
            return
        yield member
        archive.members.clear()  # type: ignore[attr-defined] # else a million headers stay in memory


@contextmanager
def _decompressed(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as file:
        head = file.peek(6)
        opened: object = file
        if head.startswith(b"\x1f\x8b"):
            opened = gzip.GzipFile(fileobj=file)
        elif head.startswith(b"BZh"):
            opened = bz2.BZ2File(file)
        elif head.startswith(b"\xfd7zXZ\x00"):
            opened = lzma.LZMAFile(file)  # noqa: SIM115 - `file` is what holds the disk
        yield opened  # type: ignore[misc] # each of them reads bytes
