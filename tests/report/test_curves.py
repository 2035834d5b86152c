"""Learning curves: one line a measure, one ring at the best epoch, readable by any XML parser."""

import xml.etree.ElementTree as ET
from math import nan

import pytest

from headstart.report.curves import Curve, Epochs, draw_curves

SVG = "{http://www.w3.org/2000/svg}"


def draw(*curves: Curve, stages=(1, 1, 1), best=None, **options) -> ET.Element:
    numbers = [list(stages[: at + 1]).count(stage) for at, stage in enumerate(stages)]
    return ET.fromstring(draw_curves("Loss", curves, Epochs(stages, numbers, best), **options))


def texts(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


def heights(picture: ET.Element) -> list[float]:
    points = [line.get("points", "") for line in picture.iter(f"{SVG}polyline")]
    return [float(point.split(",")[1]) for line in points for point in line.split()]


def test_higher_values_are_drawn_higher_inside_the_plot():
    first, second, third = heights(draw(Curve("training loss", (2.0, 0.5, 0.1))))
    assert 92 <= first < second < third <= 268


def test_the_ring_is_on_the_validation_curve_at_the_best_epoch():
    curves = Curve("training", (0.9, 0.8, 0.7)), Curve("validation", (0.9, 0.6, 0.8))
    picture = draw(*curves, best=1)
    (ring,) = picture.findall(".//*[@class='best']")
    circles = picture.iter(f"{SVG}circle")
    (point,) = [each for each in circles if "validation, epoch 2" in "".join(each.itertext())]
    assert (ring.get("cx"), ring.get("cy")) == (point.get("cx"), point.get("cy"))


def test_stages_are_named_and_their_lines_apart():
    picture = draw(Curve("training", (3.0, 2.0, 1.0, 0.5)), stages=(1, 1, 2, 2))
    assert {"stage 1", "stage 2"} <= set(texts(picture))
    assert len(list(picture.iter(f"{SVG}polyline"))) == 2


def test_what_was_not_measured_has_no_curve_and_no_place_in_the_legend():
    picture = draw(Curve("training", (0.9, nan, 0.7)), Curve("validation", (nan, nan, nan)), best=0)
    assert len(heights(picture)) == 2
    assert "validation" not in texts(picture)
    assert "best epoch" not in texts(picture)
    assert draw_curves("Loss", [Curve("training", (nan,))], Epochs((1,), (1,))) == ""


@pytest.mark.parametrize(
    ("values", "level", "first", "last"),
    [((0.5, 0.9), 0.2, "20%", "100%"), ((0.99, 1.0), None, "95%", "100%")],
)
def test_shares_end_at_100_per_cent_and_hold_the_linear_probe(values, level, first, last):
    picture = draw(Curve("top-1", values), stages=(1, 1), level=level, is_share=True)
    labels = [text for text in texts(picture) if text.endswith("%")]
    assert (labels[0], labels[-1]) == (first, last)
    assert len(labels) <= 7


def test_names_are_escaped_and_many_epochs_labelled_sparsely():
    picture = draw(Curve("<b>", [0.5] * 100), stages=[1] * 100)
    assert "<b>" in texts(picture)
    assert len([text for text in texts(picture) if text.isdigit()]) <= 13
    assert len(list(picture.iter(f"{SVG}circle"))) == 1  # of the legend
