"""Rows kept on disk under the digest of what they were made from.

One mechanism for what a photo's file says, its decoded pixels, its features, its probabilities. A
store is a folder of shards; a shard is one `.npy` file of records (digest, checksum, row), written
whole and never changed, so that any number of processes may read and add at the same time, and a
killed one leaves nothing half-written. What is damaged is dropped and made again.
"""

import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time

import numpy as np
from numpy.typing import DTypeLike, NDArray

from headstart.errors import ArgumentError
from headstart.files import atomic_file, remove_leftovers

SHARD_BYTES = 8 * 2**20
"""A killed run loses at most this much work, and writing needs no more memory than this."""

KINDS = (
    "archives",
    "arrays",
    "facts",
    "features",
    "graphs",
    "pixels",
    "probes",
    "shards",
    "speeds",
    "training",
)
"""The folders of a cache."""

DEFAULT_BUDGET = 20 * 2**30
"""Bytes that all stores of one cache may take together, unless HEADSTART_CACHE_BYTES says more."""


@dataclass(frozen=True, slots=True)
class CachePlace:
    """Where the stores lie and how much they may take.

    Attributes:
        folder: holds one folder a store.
        budget_bytes: of all stores together; least recently used shards go first.
    """

    folder: Path
    budget_bytes: int = DEFAULT_BUDGET

    @staticmethod
    def default() -> "CachePlace":
        """Returns the place named by HEADSTART_CACHE, else `~/.cache/headstart`."""
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(os.environ.get("HEADSTART_CACHE") or Path(base, "headstart"))
        budget = os.environ.get("HEADSTART_CACHE_BYTES") or str(DEFAULT_BUDGET)
        if not budget.isdigit():
            raise ArgumentError(
                f"HEADSTART_CACHE_BYTES={budget!r} is no number of bytes. For 20 GB: 20000000000."
            )
        return CachePlace(folder, int(budget))

    def store(
        self, kind: str, key: str, *, row_shape: tuple[int, ...], dtype: DTypeLike
    ) -> "Store":
        """Opens (or begins) the store `kind/key` for rows of one shape and dtype."""
        return Store(self, self.folder / kind / key, row_shape=row_shape, dtype=dtype)


@dataclass(frozen=True, slots=True)
class _Shard:
    path: Path
    records: NDArray[np.void]


class Store:
    """Rows of one shape and dtype, found by digest.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = CachePlace(Path(folder)).store("features", "a", row_shape=(2,), dtype="f4")
        ...     store.write(["00" * 32], np.array([[1.0, 2.0]], np.float32))
        ...     store.row("00" * 32).tolist(), store.row("11" * 32)
        ([1.0, 2.0], None)
    """

    def __init__(
        self, place: CachePlace, folder: Path, *, row_shape: tuple[int, ...], dtype: DTypeLike
    ) -> None:
        self._place = place
        self._folder = folder
        self._opened_at = time()
        self._record = np.dtype(
            [("digest", "u1", (32,)), ("crc", "<u4"), ("row", np.dtype(dtype), row_shape)]
        )
        self._shards: list[_Shard] = []
        self._known: set[str] = set()
        self._where: dict[bytes, tuple[int, int]] = {}
        self._room_bytes: int | None = None
        self.refresh()

    @property
    def folder(self) -> Path:
        """Where the shards lie."""
        return self._folder

    def refresh(self) -> None:
        """Finds shards that others have added since."""
        if not self._folder.is_dir():
            return
        remove_leftovers(self._folder)
        for path in sorted(self._folder.glob("[!.]*.npy")):
            if path.name not in self._known:
                self._open(path)

    def __contains__(self, digest: str) -> bool:
        return bytes.fromhex(digest) in self._where

    def row(self, digest: str) -> NDArray[np.generic] | None:
        """Returns the row of a digest (memory-mapped, read-only), or None.

        A row whose checksum does not fit is forgotten, so that the caller makes it again.
        """
        key = bytes.fromhex(digest)
        place = self._where.get(key)
        if place is None:
            return None
        record = self._shards[place[0]].records[place[1]]
        row = record["row"]
        if _checksum(key, row) != record["crc"]:
            self._where.pop(key, None)
            return None
        return np.asarray(row)

    def write(
        self, digests: Sequence[str], rows: NDArray[np.generic] | Sequence[NDArray[np.generic]]
    ) -> None:
        """Adds rows; past the budget it makes room, or adds nothing when all is in use.

        Args:
            digests: N times 64 hexadecimal digits.
            rows: (N, *row_shape) of this store's dtype.

        Raises:
            DiskFullError: when the disk has no room.
        """
        needed = len(digests) * self._record.itemsize
        if not len(digests) or not self._takes(needed):
            return
        records = np.empty(len(digests), self._record)
        keys = [bytes.fromhex(digest) for digest in digests]
        records["digest"] = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 32)
        for number, row in enumerate(rows):
            records["row"][number] = row
        records["crc"] = [
            _checksum(key, row) for key, row in zip(keys, records["row"], strict=True)
        ]
        path = self._folder / f"{os.urandom(12).hex()}.npy"
        # As `np.save` would, which forgets why it failed when the disk is full.
        header = np.lib.format.header_data_from_array_1_0(records)
        with atomic_file(path) as temporary, temporary.open("wb") as file:
            np.lib.format.write_array_header_2_0(file, header)
            file.write(records.view(np.uint8).data)
        self._open(path)

    def writer(self) -> "StoreWriter":
        """Returns a buffer that turns single rows into shards."""
        return StoreWriter(self, max(1, SHARD_BYTES // self._record.itemsize))

    def _open(self, path: Path) -> None:
        self._known.add(path.name)
        try:
            records = np.load(path, mmap_mode="r", allow_pickle=False)
            if records.dtype != self._record or records.ndim != 1:
                raise ValueError("rows of another kind")
        except (OSError, ValueError, EOFError):
            # Cut off or overwritten by something else: worth less than the time to make it again.
            path.unlink(missing_ok=True)
            return
        with suppress(OSError):
            os.utime(path)
        self._shards.append(_Shard(path, records))
        number = len(self._shards) - 1
        table = np.ascontiguousarray(records["digest"]).tobytes()
        for row in range(len(records)):
            self._where[table[32 * row : 32 * row + 32]] = (number, row)

    def _takes(self, needed: int) -> bool:
        """Tells whether so many bytes fit, after dropping what is older than this run."""
        if self._room_bytes is None or 0 < self._room_bytes < needed:
            self._room_bytes = self._make_room(needed)
        if self._room_bytes < needed:
            # Full of what this very run needs: dropping that would only go round in circles.
            self._room_bytes = 0
            return False
        self._room_bytes -= needed
        return True

    def _make_room(self, needed: int) -> int:
        shards = sorted(_shard_files(self._place.folder), key=lambda entry: entry.last_used)
        room = self._place.budget_bytes - sum(entry.size for entry in shards)
        for entry in shards:
            if room >= needed or entry.last_used >= self._opened_at - 1:
                break
            entry.remove()
            room += entry.size
        return room


class StoreWriter:
    """Gathers single rows and writes them a shard at a time; use it as a context."""

    def __init__(self, store: Store, rows_per_shard: int) -> None:
        self._store = store
        self._rows_per_shard = rows_per_shard
        self._digests: list[str] = []
        self._rows: list[NDArray[np.generic]] = []

    def __enter__(self) -> "StoreWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        # Also after an error or Ctrl-C: what was computed so far is worth keeping.
        self.flush()

    def add(self, digest: str, row: NDArray[np.generic]) -> None:
        """Takes one row."""
        self._digests.append(digest)
        self._rows.append(row)
        if len(self._rows) >= self._rows_per_shard:
            self.flush()

    def flush(self) -> None:
        """Writes what was gathered as one shard."""
        digests, rows = self._digests, self._rows
        self._digests, self._rows = [], []
        if rows:
            self._store.write(digests, rows)


@dataclass(frozen=True, slots=True)
class StoreUsage:
    """One line of `headstart cache`.

    Attributes:
        kind: "facts", "pixels", "features", "graphs", "archives", "arrays", "shards", "speeds",
            "probes" or "training".
        entries: how many stores, graphs or folders.
        size_bytes: of all of them.
    """

    kind: str
    entries: int
    size_bytes: int

    def to_dict(self) -> dict[str, str | int]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self)


def usage(place: CachePlace) -> tuple[StoreUsage, ...]:
    """Says how much each kind of kept work takes, the largest first."""
    rows = []
    for kind in place.folder.iterdir() if place.folder.is_dir() else ():
        if kind.is_dir():
            sizes = [path.stat().st_size for path in kind.rglob("*") if path.is_file()]
            rows.append(StoreUsage(kind.name, sum(1 for _ in kind.iterdir()), sum(sizes)))
    return tuple(sorted(rows, key=lambda row: -row.size_bytes))


def clear_cache(place: CachePlace) -> int:
    """Deletes all that is kept, and returns how many bytes that was.

    Only folders that this package makes are touched, should the place hold anything else.
    """
    freed = 0
    for row in usage(place):
        if row.kind in KINDS:
            shutil.rmtree(place.folder / row.kind, ignore_errors=True)
            freed += row.size_bytes
    return freed


@dataclass(frozen=True, slots=True)
class _ShardFile:
    path: Path
    size: int
    last_used: float

    def remove(self) -> None:
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        self.path.unlink(missing_ok=True)


def _shard_files(folder: Path) -> Iterator[_ShardFile]:
    """Finds what may be dropped to make room: shards, and converted networks as a whole."""
    for path in folder.rglob("*.npy"):
        with suppress(FileNotFoundError):
            status = path.stat()
            yield _ShardFile(path, status.st_size, status.st_mtime)
    for path in folder.glob("graphs/*"):
        with suppress(FileNotFoundError):
            files = [file.stat() for file in path.rglob("*") if file.is_file()]
            used = max((status.st_mtime for status in files), default=0.0)
            yield _ShardFile(path, sum(status.st_size for status in files), used)


def _checksum(key: bytes, row: NDArray[np.generic] | np.void) -> int:
    # The digest is part of it: a row filed under another photo's name must not pass.
    return zlib.crc32(np.ascontiguousarray(row).view(np.uint8).data, zlib.crc32(key))
