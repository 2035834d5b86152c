"""Reads a tar so that damage is an error and headers cannot fill the memory.

`tarfile` takes a broken header in the middle for the end of the archive, and reads an extended
header of any length into memory.
"""

import io
import tarfile
from pathlib import Path
from typing import BinaryIO

from headstart.errors import ArchiveError

_HEADER_BYTES = 4 << 20
"""Room for the headers of one member; a name of the longest kind takes a few kilobytes."""


class BoundedStream(io.RawIOBase):
    """A readable file that gives at most as many bytes as were last allowed.

    Args:
        file: where the bytes come from.
        archive: named in the error.
    """

    def __init__(self, file: BinaryIO, archive: Path) -> None:
        super().__init__()
        self._file = file
        self._archive = archive
        self._left = _HEADER_BYTES

    def allow(self, size: int) -> None:
        """Allows `size` bytes of content and the headers around them from here on."""
        self._left = size + _HEADER_BYTES

    def read(self, size: int = -1, /) -> bytes:
        """Reads up to `size` bytes (to the end when negative).

        Raises:
            ArchiveError: when more is asked for than allowed.
        """
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError(
                f"{self._archive}: a member or its header is longer than is allowed. "
                "Nothing was unpacked."
            )
        return data


class StrictHeader(tarfile.TarInfo):
    """A header that tells the archive's end from damage."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "StrictHeader":
        """Reads one header block.

        Raises:
            ArchiveError: when it is cut off or its checksum is wrong.
        """
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if type(error).__name__ == "EOFHeaderError":
                raise
            raise ArchiveError(f"The tar archive is damaged or cut off: {error}.") from error
