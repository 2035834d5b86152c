"""Functions of one's own, from a module or a file."""

import os
import sys
from pathlib import Path

import pytest

from headstart.errors import ArgumentError
from headstart.imports import is_own_code, load_function

TEXT = '''
from __future__ import annotations
import dataclasses

@dataclasses.dataclass
class Weight:
    value: float = 2.0

SHARE = 0.25

def twice(number):
    """Grüße."""
    return number * Weight().value
'''


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "json.py"  # named like a module of Python
    file.write_text(TEXT, "utf-8")
    return file


@pytest.mark.parametrize("place", ["a:b", "a.b:c", "folder/x.py:f", "C:\\x.py:f", "mlp:a"])
def test_a_place_with_a_name_behind_a_colon_is_own_code(place: str) -> None:
    assert is_own_code(place)


@pytest.mark.parametrize("place", ["", "adam", ":f", " :f", "a:", "mlp:256,128", "a:b c", "a:1"])
def test_anything_else_is_not(place: str) -> None:
    assert not is_own_code(place)


def test_a_file_gives_the_function_and_its_whole_text(own: Path) -> None:
    function, source = load_function("loss", f"{own}:twice")
    assert function(3) == 6
    assert source == TEXT


def test_a_path_counts_from_the_working_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own.parent)
    assert load_function("loss", "json.py:twice")[0](1) == 2


def test_a_file_hides_no_module(own: Path) -> None:
    import json

    load_function("loss", f"{own}:twice")
    assert sys.modules["json"] is json


def test_a_file_loaded_twice_is_one_module(own: Path) -> None:
    first, _ = load_function("loss", f"{own}:twice")
    second, _ = load_function("optimizer", f"{own}:Weight")
    assert first.__globals__["Weight"] is second
    assert load_function("loss", f"{own}:twice")[0] is first


def test_an_edited_file_is_read_anew_even_within_the_same_second(own: Path) -> None:
    load_function("loss", f"{own}:twice")
    times = own.stat().st_atime_ns, own.stat().st_mtime_ns
    own.write_text(TEXT.replace("2.0", "3.0"), "utf-8")
    os.utime(own, ns=times)
    function, source = load_function("loss", f"{own}:twice")
    assert function(3) == 9
    assert "3.0" in source


def test_nothing_is_written_beside_the_file(own: Path) -> None:
    load_function("loss", f"{own}:twice")
    assert list(own.parent.iterdir()) == [own]


def test_a_module_gives_the_function_and_its_source() -> None:
    function, source = load_function("head", "textwrap:dedent")
    assert function("  a") == "a"
    assert "def dedent(" in source


def test_a_compiled_module_has_no_source() -> None:
    assert load_function("head", "math:fsum")[1] == ""


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("twice", r"loss='twice' names no function. Expected module:function or file.py:function"),
        ("{own}:twyce", r"json.py has no function 'twyce'. Did you mean twice\?"),
        ("{own}:SHARE", r"json.py has SHARE = 0.25, which is not a function"),
        ("nowhere.py:f", r"loss='nowhere.py:f' cannot be imported: there is no file .*nowhere.py"),
        ("no_such_module:f", "cannot be imported: No module named 'no_such_module'"),
        ("textwrap:dedant", r"textwrap has no function 'dedant'. Did you mean dedent"),
        (".relative:f", "cannot be imported: TypeError: "),
    ],
)
def test_what_cannot_be_imported_says_why(own: Path, place: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        load_function("loss", place.format(own=own))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:", "cannot be imported: SyntaxError: .*line 1"),
        ("f = g", "cannot be imported: NameError: name 'g' is not defined"),
        ("import no_such_module", "cannot be imported: No module named 'no_such_module'"),
        ("# coding: utf-8\nx = '\\0'\n1 / 0", "cannot be imported: ZeroDivisionError: "),
    ],
)
def test_a_file_that_fails_says_how_and_is_tried_again(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "own.py"
    file.write_text(text)
    for _ in range(2):
        with pytest.raises(ArgumentError, match=message):
            load_function("loss", f"{file}:f")
