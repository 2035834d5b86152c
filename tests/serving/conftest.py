"""One small run for all tests of the server, and one server process."""

import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import headstart

pytest.importorskip("fastapi", reason="FastAPI is not installed: pip install 'headstart[serve]'")

ROOT = Path(__file__).resolve().parents[2]
draw = runpy.run_path(str(ROOT / "tests" / "conftest.py"))["draw"]


@dataclass(frozen=True)
class Served:
    """A run of discs and squares, photos that it never saw, and the cache that knows it."""

    run: Path
    photos: tuple[Path, ...]
    cache: Path


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("serving")
    new = []
    for kind in ("disc", "square"):
        for number in range(34):
            place = folder / ("photos" if number < 30 else "new") / kind
            place.mkdir(parents=True, exist_ok=True)
            draw(kind, number).save(place / f"{kind}_{number}.png")
        new += sorted((folder / "new" / kind).iterdir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(folder / "cache"))
        headstart.train(folder / "photos", backbone="Starter", out=folder / "shapes")
    return Served(folder / "shapes", tuple(new), folder / "cache")


@dataclass(frozen=True)
class Process:
    """A server of its own, with a copy of the run that a test may change."""

    child: "subprocess.Popen[str]"
    address: str
    run: Path

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1].strip("/"))


@pytest.fixture(scope="module")
def start(
    served: Served, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Process]]:
    """Returns a function that starts `headstart serve`."""
    children: list[subprocess.Popen[str]] = []

    def begin() -> Process:
        run = Path(shutil.copytree(served.run, tmp_path_factory.mktemp("served") / "shapes"))
        command = [sys.executable, "-m", "headstart", "serve", str(run), "--port", "0"]
        log = (run.parent / "log").open("w")
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True,
            env=os.environ | {"HEADSTART_CACHE": str(served.cache)},
        )  # fmt: skip
        log.close()
        children.append(child)
        line = child.stdout.readline()
        assert line.startswith("serving at http://127.0.0.1:"), (run.parent / "log").read_text()
        return Process(child, line.split()[2], run)

    yield begin
    for child in children:
        child.terminate()
        child.wait()
        child.stdout.close()


@pytest.fixture(scope="module")
def process(start: Callable[[], Process]) -> Process:
    """A server that tests of a module share."""
    return start()
