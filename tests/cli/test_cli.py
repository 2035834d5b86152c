"""The command line: fast help, one line an error, tables and JSON."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from headstart.cli.main import app


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def run(make_photos, tmp_path: Path) -> Path:
    folder = tmp_path / "a run"
    code, _, errors = call(
        "train", make_photos(count=12), "--backbone", "Starter", "--out", folder,
        "--test-fraction", "0.3",
    )  # fmt: skip
    assert code == 0, errors
    return folder


def test_help_answers_in_half_a_second_and_loads_no_keras() -> None:
    script = (
        "import sys; from headstart.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'keras', 'numpy', 'openvino', 'sklearn', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
        seconds.append(time.perf_counter() - begin)
        assert done.returncode == 0, done.stderr
    assert min(seconds) < 0.5


@pytest.mark.parametrize("command", sorted(vars(typer.main.get_command(app))["commands"]))
def test_every_command_explains_itself(command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert len(out) > 200


def test_train_prints_the_result_and_where_it_is(run: Path, make_photos, tmp_path) -> None:
    code, out, _ = call(
        "train", make_photos(count=12), "--backbone", "starter", "--out", tmp_path / "b", "--json"
    )
    found = json.loads(out)
    assert code == 0
    assert Path(found["run"]) == tmp_path / "b"
    assert 0 <= found["metrics"]["top_1"] <= 1


def test_predict_prints_a_table_json_and_csv(run: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")  # a narrow terminal breaks long names
    photos = run.parent / "photos" / "disc"
    code, out, _ = call("predict", run, photos / "disc_0000.png", "--csv", tmp_path / "p.csv")
    assert code == 0
    assert "1 photos classified" in out
    begin = "file,predicted,probability,candidates,unfamiliar,p(disc)"
    assert (tmp_path / "p.csv").read_text().startswith(begin)
    code, out, _ = call("predict", run, photos, "--json")
    first = json.loads(out)["predictions"][0]
    assert set(first) == {
        "file", "class_name", "probability", "probabilities", "candidates", "is_sure", "distance",
        "is_unfamiliar",
    }  # fmt: skip


def test_predict_lists_what_it_cannot_read_and_exits_with_1(run: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8")
    code, out, _ = call("predict", run, tmp_path / "torn.jpg", "--json")
    assert code == 1
    assert "torn.jpg" in json.loads(out)["set_aside"][0]["path"]


def test_evaluate_reads_the_run_alone(run: Path) -> None:
    code, out, _ = call("evaluate", run)
    assert code == 0
    assert "top-1" in out
    code, out, _ = call("evaluate", run, "--json")
    manifest = json.loads((run / "manifest.json").read_text())
    assert json.loads(out)["top_1"] == manifest["metrics"]["top_1"]


def test_check_exits_with_1_when_something_is_wrong(make_photos) -> None:
    photos = make_photos(count=6)
    assert call("check", photos)[0] == 0
    (photos / "disc" / "copy.png").write_bytes((photos / "square/square_0000.png").read_bytes())
    code, out, _ = call("check", photos, "--json")
    assert code == 1
    assert json.loads(out)["findings"]


def test_models_are_listed_without_keras_and_sorted() -> None:
    code, out, _ = call("models", "--json", "--sort", "parameters")
    rows = json.loads(out)
    assert code == 0
    assert [row["parameters"] for row in rows] == sorted(row["parameters"] for row in rows)
    assert "VGG16" in call("models")[1]
    assert "sort='sise_mb' is no column. Did you mean size_mb?" in call(
        "models", "--sort", "sise_mb"
    )[2].replace("\n", " ")


def test_the_cache_is_shown_and_cleared(run: Path) -> None:
    assert "features" in call("cache")[1]
    code, out, _ = call("cache", "--clear", "--json")
    assert code == 0
    assert json.loads(out)["freed_bytes"] > 0
    assert json.loads(call("cache", "--json")[1])["stores"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train",), "photos is missing"),
        (("train", "no/such/folder"), "does not exist"),
        (("predict", "no/run", "x.jpg"), "is no folder"),
        (("train", ".", "--backbone", "VGG61"), "Did you mean VGG1"),
        (("train", "--recipe", "no.toml"), "recipe='no.toml' cannot be read"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(arguments: tuple[str, ...], message: str) -> None:
    code, out, errors = call(*arguments)
    assert code == 2
    assert out == ""
    assert message in errors
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1


def test_a_missing_backend_is_one_sentence_with_the_pip_command(make_photos, tmp_path) -> None:
    command = [sys.executable, "-m", "headstart", "train", str(make_photos(count=3))]
    done = subprocess.run(
        [*command, "--backbone", "Starter", "--engine", "keras", "--out", str(tmp_path / "r")],
        env={**os.environ, "KERAS_BACKEND": "mxnet"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install" in done.stderr
