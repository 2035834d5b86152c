"""Any number of photos into a CSV: killed and resumed, what changed computed again, no Keras."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import headstart
from headstart.errors import ArgumentError, PhotosError

from ..conftest import draw

COUNT = 1100
"""Four blocks of 256 files and a part of one."""


@pytest.fixture(scope="module")
def own_cache(module_cache: Path) -> Path:
    """One cache for the module: the run is converted once."""
    return module_cache


@pytest.fixture(scope="module")
def run(own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> headstart.Run:
    folder = tmp_path_factory.mktemp("run")
    for kind in ("disc", "square"):
        (folder / "photos" / kind).mkdir(parents=True)
        for number in range(12):
            draw(kind, number).save(folder / "photos" / kind / f"{number:02d}.png")
    return headstart.train(folder / "photos", backbone="Starter", out=folder / "run")


@pytest.fixture
def many(run: headstart.Run, tmp_path: Path) -> Path:
    """A folder of `COUNT` photos in two folders, two of them torn."""
    few = sorted((run.folder.parent / "photos").rglob("*.png"))
    for number in range(COUNT):
        place = tmp_path / "many" / str(number % 2) / f"{number:04d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(few[number % len(few)], place)
    for name in ("0/0300.png", "1/0001.png"):
        (tmp_path / "many" / name).unlink()
        (tmp_path / "many" / name).write_bytes(b"\x89PNG torn")
    return tmp_path / "many"


def start(run: headstart.Run, photos: Path, target: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "headstart", "predict", str(run.folder), str(photos)]
    return subprocess.Popen(
        [*command, "--csv", str(target), "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_killed_half_way_it_goes_on_and_ends_as_an_unbroken_call(run, many, tmp_path) -> None:
    whole = headstart.predict_to_csv(run, many, csv=tmp_path / "whole.csv")
    assert (whole.photos, whole.set_aside, whole.resumed) == (COUNT - 2, 2, 0)
    target = tmp_path / "killed.csv"
    parts = tmp_path / ".killed.csv.parts"
    child = start(run, many, target)
    deadline = time.monotonic() + 60
    while len(list(parts.glob("0*[!e].csv"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    assert not target.exists()
    out, errors = start(run, many, target).communicate(timeout=60)
    found = json.loads(out)
    assert 0 < found["resumed"] < COUNT, errors
    assert target.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    aside = tmp_path / "killed.set_aside.csv"
    assert aside.read_bytes() == (tmp_path / "whole.set_aside.csv").read_bytes()
    assert [Path(row["file"]).name for row in rows_of(aside)] == ["0300.png", "0001.png"]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"many", aside.name, target.name, "whole.csv", "whole.set_aside.csv"}


def test_the_rows_say_what_predict_says(run, many, tmp_path) -> None:
    found = headstart.predict_to_csv(run, many / "0", csv=tmp_path / "some.csv")
    expected = headstart.predict(run, many / "0")
    rows = rows_of(tmp_path / "some.csv")
    assert [row["file"] for row in rows] == [each.file for each in expected]
    assert [row["predicted"] for row in rows] == [each.class_name for each in expected]
    assert [row["candidates"] for row in rows] == [" | ".join(e.candidates) for e in expected]
    shares = [float(row["p(disc)"]) for row in rows]
    assert shares == pytest.approx([e.probabilities["disc"] for e in expected], abs=1e-5)
    assert found.not_sure == sum(not each.is_sure for each in expected)
    assert found.unfamiliar == sum(each.is_unfamiliar for each in expected)
    assert found.set_aside == len(expected.set_aside) == 1


class StopsAtTheLastBlock:
    """A listener that is fed up just before the blocks are put together."""

    def step(self, station: str, done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    def say(self, sentence: str) -> None:
        pass


def test_a_block_is_computed_again_when_a_file_of_it_or_an_option_changed(
    run, many, tmp_path
) -> None:
    target = tmp_path / "a.csv"
    with pytest.raises(KeyboardInterrupt):
        headstart.predict_to_csv(run, many, csv=target, progress=StopsAtTheLastBlock())
    shutil.copytree(tmp_path / ".a.csv.parts", tmp_path / ".b.csv.parts")
    other = headstart.predict_to_csv(run, many, csv=tmp_path / "b.csv", coverage=0.5)
    assert other.resumed == 0
    draw("disc", 99).save(many / "0" / "0300.png")
    found = headstart.predict_to_csv(run, many, csv=target)
    assert (found.resumed, found.set_aside) == (COUNT - 256, 1)


def test_a_second_call_leaves_its_own_files_out(run, many, tmp_path) -> None:
    for _ in range(2):
        found = headstart.predict_to_csv(run, many / "1", csv=many / "1" / "answers.csv")
        assert (found.photos, found.set_aside) == (COUNT // 2 - 1, 1)


def test_folders_without_any_photo_give_empty_tables(run, tmp_path) -> None:
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "a.jpg").write_bytes(b"\xff\xd8")
    found = headstart.predict_to_csv(run, tmp_path / "torn", csv=tmp_path / "x.csv")
    assert (found.photos, found.set_aside) == (0, 1)
    assert rows_of(tmp_path / "x.csv") == []
    with pytest.raises(ArgumentError, match="is a folder"):
        headstart.predict_to_csv(run, tmp_path / "torn", csv=tmp_path)
    with pytest.raises(PhotosError, match="does not exist"):
        headstart.predict_to_csv(run, tmp_path / "none", csv=tmp_path / "x.csv")


def test_one_photo_from_the_shell_needs_no_keras_the_second_time(run) -> None:
    photo = run.folder.parent / "photos" / "disc" / "00.png"
    script = (
        "import sys; from headstart.cli.main import main\n"
        f"try: main(['predict', {str(run.folder)!r}, {str(photo)!r}])\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'keras', 'sklearn', 'scipy', 'pandas', 'h5py', 'headstart.recipe'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    headstart.predict(run, photo)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"disc" in done.stdout
