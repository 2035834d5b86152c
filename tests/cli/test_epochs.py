"""Epochs on a terminal are a table that grows, in a log they are lines."""

from io import StringIO
from math import nan

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from headstart.cli.epochs import EpochTable
from headstart.cli.output import Bars, Lines


def values(epoch, **others):
    return {
        "epoch": float(epoch), "loss": 0.25, "accuracy": 0.9, "validation_top_1": 0.875,
        "validation_log_loss": 0.5, "learning_rate": 1e-4, "photos_per_second": 120.0, **others,
    }  # fmt: skip


def test_headings_come_once_and_columns_are_aligned():
    table = EpochTable("stage 1", begun=0)
    lines = [*table.add(values(1), 3, now=10), *table.add(values(2, loss=12.5), 3, now=20)]
    assert lines == [
        "stage 1                          validation",
        "  epoch      loss  accuracy     top-1  log loss     rate  photos/s  time left",
        "    1/3    0.2500    0.9000    0.8750    0.5000  1.0e-04       120       0:20",
        "    2/3   12.5000    0.9000    0.8750    0.5000  1.0e-04       120       0:10",
    ]


def test_what_was_not_measured_is_a_dash():
    line = EpochTable("head", begun=0).add(values(1, validation_top_1=nan), 1, now=1)[-1]
    assert line.split() == ["1/1", "0.2500", "0.9000", "-", "0.5000", "1.0e-04", "120", "0:00"]


def test_time_left_counts_only_epochs_of_this_process():
    table = EpochTable("stage 1", begun=100)
    assert table.add(values(51), 60, now=110)[-1].endswith("1:30")  # 9 more of 10 s


@pytest.fixture
def screen():
    return Console(file=StringIO(), width=80, force_terminal=False)


def train_on(listener, epochs=3, photos=40):
    for epoch in range(epochs):
        listener.step("stage 1", epoch * photos, epochs * photos)
        listener.epoch("stage 1", values(epoch + 1), epochs)
    listener.step("stage 1", epochs * photos, epochs * photos)


def test_a_stage_has_one_bar_and_one_table(screen):
    with Progress(TextColumn("{task.description}"), console=screen) as progress:
        train_on(Bars(progress))
        assert [task.description for task in progress.tasks] == ["stage 1"]
    printed = screen.file.getvalue().splitlines()
    assert sum("time left" in line for line in printed) == 1
    assert [line.split()[0] for line in printed if "/3" in line] == ["1/3", "2/3", "3/3"]


def test_a_log_has_a_line_an_epoch_and_one_for_the_stage(capsys):
    train_on(Lines())
    lines = capsys.readouterr().err.splitlines()
    starts = [f"stage 1, epoch   {number}  loss 0.2500" for number in (1, 2, 3)]
    assert [line[: len(starts[0])] for line in lines[:3]] == starts
    assert lines[3:] == ["stage 1: 120 in 0.0 s"]


def test_a_long_station_says_in_a_log_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(pause_seconds=0)
    for done in (10, 5010, 10_000):
        lines.step("photos classified", done, 10_000)
    middle, last = capsys.readouterr().err.splitlines()
    assert middle.startswith("photos classified: 5,010 of 10,000, ")
    assert middle.endswith(" min left")
    assert last.startswith("photos classified: 10000 in ")
