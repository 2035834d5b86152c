import re
from xml.etree import ElementTree

import numpy as np
import pytest

from headstart.errors import ArgumentError
from headstart.workflow.starter_plot import study_plot
from headstart.workflow.starter_study import (
    FROM_SCRATCH,
    METHODS,
    RAW_PIXELS,
    STARTER_FEATURES,
    ScratchRecipe,
    StudyRow,
    draw,
    learn_from_scratch,
    load_digits_decoded,
    study,
    study_table,
)


def made_up_rows():
    return [
        StudyRow(method, size, 0, top_1, top_1 - 0.01, top_1 + 0.01, 1.25)
        for size, shares in ((5, (0.93, 0.86, 0.96)), (10, (0.95, 0.9, 0.975)))
        for method, top_1 in zip(METHODS, shares, strict=True)
    ]


def test_a_draw_is_balanced_and_shares_nothing_with_its_test():
    labels = load_digits_decoded().labels
    train, test = draw(labels, 5, seed=3)
    assert np.bincount(labels[train]).tolist() == [5] * 10
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert set(train) < set(draw(labels, 10, seed=3)[0])


def test_the_starter_beats_raw_pixels_with_five_digits_a_class():
    methods = (RAW_PIXELS, STARTER_FEATURES)
    rows = [row for seed in range(4) for row in study((5,), seed, methods=methods)]
    raw = [row for row in rows if row.method == RAW_PIXELS]
    transferred = [row for row in rows if row.method == STARTER_FEATURES]
    assert np.mean([row.top_1 for row in transferred]) >= 0.95
    for few, more in zip(raw, transferred, strict=True):
        assert few.high < more.low


def test_training_from_scratch_learns_its_own_photos():
    digits = load_digits_decoded()
    train = digits.take(draw(digits.labels, 2, seed=0)[0])
    classify = learn_from_scratch(train, 0, ScratchRecipe(steps=40))
    assert (classify(train) == train.labels).mean() >= 0.9


def test_progress_hears_of_every_training():
    heard = []
    study((5, 10), progress=heard.append, methods=(RAW_PIXELS,))
    assert heard == ["5 digits a class: raw pixels", "10 digits a class: raw pixels"]


def test_one_seed_gives_one_result():
    first, second = (study((5,), 7, methods=(STARTER_FEATURES,))[0] for _ in range(2))
    assert (first.top_1, first.low, first.high) == (second.top_1, second.low, second.high)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"photos_per_class": (0,)}, "photos_per_class=0"), ({"methods": ("magic",)}, "'magic'")],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        study(**arguments)


def test_the_table_has_one_row_a_training():
    table = study_table(made_up_rows())
    assert table[0] == ("digits a class", "method", "top-1", "95 % interval", "time")
    assert table[1] == ("5", FROM_SCRATCH, "93.0 %", "92.0 - 94.0 %", "1.2 s")
    assert len(table) == 7


def test_the_plot_is_one_svg_with_every_number():
    svg = study_plot(made_up_rows())
    ElementTree.fromstring(svg)
    assert set(re.findall(r">(\d\d\.\d)<", svg)) >= {"93.0", "86.0", "96.0", "97.5"}
    for method in METHODS:
        assert method in svg
    assert "prefers-color-scheme" in svg
