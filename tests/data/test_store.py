"""Rows on disk: found by digest, checked, shared, bounded."""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from headstart.data.store import CachePlace, Store, clear_cache, usage
from headstart.errors import DiskFullError


def digest(number: int) -> str:
    return f"{number:064x}"


def open_store(folder: Path, budget: int = 10**9) -> Store:
    return CachePlace(folder, budget).store("features", "net", row_shape=(250,), dtype=np.float32)


def row(number: int) -> np.ndarray:
    return np.full(250, number, np.float32)


def test_rows_come_back_in_another_process_lifetime(tmp_path: Path) -> None:
    with open_store(tmp_path).writer() as writer:
        for number in range(5):
            writer.add(digest(number), row(number))
    again = open_store(tmp_path)
    assert again.row(digest(3)).tolist() == row(3).tolist()
    assert again.row(digest(7)) is None
    assert digest(4) in again


def test_a_flipped_bit_is_noticed_and_only_its_row_is_lost(tmp_path: Path) -> None:
    open_store(tmp_path).write([digest(1), digest(2)], np.stack([row(1), row(2)]))
    (shard,) = tmp_path.rglob("*.npy")
    content = bytearray(shard.read_bytes())
    content[-3] ^= 1
    shard.write_bytes(content)
    again = open_store(tmp_path)
    assert again.row(digest(2)) is None
    assert again.row(digest(1)).tolist() == row(1).tolist()


@pytest.mark.parametrize("damage", [b"", b"no numpy file", None])
def test_a_damaged_shard_is_dropped(tmp_path: Path, damage: bytes | None) -> None:
    open_store(tmp_path).write([digest(1)], row(1)[None])
    (shard,) = tmp_path.rglob("*.npy")
    shard.write_bytes(shard.read_bytes()[:-100] if damage is None else damage)
    again = open_store(tmp_path)
    assert again.row(digest(1)) is None
    assert not shard.exists()


def test_a_row_filed_under_another_digest_is_not_believed(tmp_path: Path) -> None:
    open_store(tmp_path).write([digest(1)], row(1)[None])
    (shard,) = tmp_path.rglob("*.npy")
    content = shard.read_bytes()
    shard.write_bytes(content.replace(bytes.fromhex(digest(1)), bytes.fromhex(digest(9))))
    assert open_store(tmp_path).row(digest(9)) is None


def write_many(folder: str, first: int) -> None:
    with open_store(Path(folder)).writer() as writer:
        for number in range(first, first + 300):
            writer.add(digest(number), row(number))
            if number % 50 == 0:
                writer.flush()


def test_two_processes_write_at_the_same_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=write_many, args=(str(tmp_path), first)) for first in (0, 150)
    ]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
        assert process.exitcode == 0
    store = open_store(tmp_path)
    assert all(store.row(digest(number))[0] == number for number in range(450))


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    for number in range(8):
        open_store(tmp_path).write([digest(number)], row(number)[None])
    for shard in tmp_path.rglob("*.npy"):
        number = int(np.load(shard)["row"][0][0])
        os.utime(shard, (1000 + number, 1000 + number))
    size = sum(shard.stat().st_size for shard in tmp_path.rglob("*.npy"))
    place = CachePlace(tmp_path, size)
    # Opening a store counts as using its rows: another network's store makes room here.
    other = place.store("features", "other", row_shape=(250,), dtype=np.float32)
    other.write([digest(100), digest(101)], np.stack([row(100), row(101)]))
    left = open_store(tmp_path, size)
    assert [number for number in range(8) if digest(number) not in left] == [0, 1]


def test_past_the_budget_nothing_of_this_run_is_dropped(tmp_path: Path) -> None:
    store = open_store(tmp_path, budget=10_000)
    for number in range(30):
        store.write([digest(number)], row(number)[None])
    kept = [number for number in range(30) if digest(number) in store]
    assert kept == list(range(len(kept)))
    assert 0 < sum(path.stat().st_size for path in tmp_path.rglob("*.npy")) <= 12_000


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=64k tmpfs {small} 2>/dev/null"):
        pytest.skip("mounting a small disk needs privileges")
    try:
        store = open_store(small)
        with pytest.raises(DiskFullError, match=r"No room left on the disk of .+HEADSTART_CACHE"):
            store.write([digest(n) for n in range(200)], np.zeros((200, 250), np.float32))
        assert list(small.rglob("*.partial*")) == []
        assert list(small.rglob("*.npy")) == []
    finally:
        os.system(f"umount {small}")


def test_the_cache_is_shown_and_cleared_and_nothing_else_is_touched(tmp_path: Path) -> None:
    open_store(tmp_path).write([digest(1)], row(1)[None])
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.jpg").write_bytes(b"precious")
    place = CachePlace(tmp_path)
    assert {entry.kind for entry in usage(place)} == {"features", "holiday"}
    assert clear_cache(place) > 1000
    assert (tmp_path / "holiday" / "beach.jpg").exists()
    assert not (tmp_path / "features").exists()
