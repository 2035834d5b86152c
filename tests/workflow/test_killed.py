"""Killed at any moment, the next run ends as an unbroken one, and nothing half-written stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headstart.files import sha256

STATIONS = ("photos checked", "features")


def start(photos: Path, out: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "headstart", "train", str(photos), "--backbone", "Starter"]
    return subprocess.Popen(
        [*command, "--out", str(out)],
        env={**os.environ, "HEADSTART_CACHE": str(cache)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def finish(photos: Path, out: Path, cache: Path) -> tuple[str, str]:
    process = start(photos, out, cache)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return sha256(out / "model.keras"), sha256(out / "predictions.csv")


def kill_when(process: subprocess.Popen[str], moment: str | float) -> None:
    """Kills a run and its children so many seconds after its start, or after a station's line."""
    if isinstance(moment, float):
        time.sleep(moment)
    else:
        for line in process.stderr or ():
            if line.startswith(moment):
                break
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    return {}


@pytest.mark.parametrize("moment", [0.3, 2.0, *STATIONS])
def test_after_a_kill_the_next_run_ends_as_an_unbroken_one(
    moment: str | float, make_photos, tmp_path: Path, unbroken: dict[str, tuple[str, str]]
) -> None:
    photos = make_photos(count=40)
    if not unbroken:
        unbroken["result"] = finish(photos, tmp_path / "whole", tmp_path / "cache 1")
    kill_when(start(photos, tmp_path / "run", tmp_path / "cache 2"), moment)
    assert not (tmp_path / "run").exists()
    assert finish(photos, tmp_path / "run", tmp_path / "cache 2") == unbroken["result"]
    leftovers = [path for path in tmp_path.rglob("*") if "partial" in path.name]
    assert leftovers == []
