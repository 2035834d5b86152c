"""The drawing as SVG: whole, safe inside a page, and clear about what learns."""

import re
import xml.etree.ElementTree as ET

import pytest

from headstart.drawing.page import make_page
from headstart.drawing.svg import draw_svg
from headstart.errors import ArgumentError
from headstart.modelfile.graph import LayerNode, ModelGraph

HOSTILE = "@SCRIPT@ @SVG@\"><script>alert(1)</script><b a='&{]]>"


def texts(svg: str) -> list[str]:
    root = ET.fromstring(svg)
    return ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_drawing_says_shapes_parameters_and_activations(described) -> None:
    said = texts(draw_svg(described("LeNet5")))
    for word in ("LeNet5", "Conv 5×5", "28 × 28 × 6", "2,416", "tanh", "softmax", "Dense"):
        assert word in said
    assert "9 layers · 61,706 parameters" in said


def test_a_folded_block_says_how_often_and_how_sizes_grow(described) -> None:
    said = texts(draw_svg(described("DenseNet121")))
    assert {"× 6", "× 12", "× 24", "× 16"} <= set(said)
    assert "56 × 56 × 96 … 256" in said


def test_the_legend_has_what_occurs_and_nothing_else(described) -> None:
    plain, branched = (texts(draw_svg(described(name))) for name in ("VGG16", "DenseNet121"))
    assert "skip connection" not in plain
    assert "concatenate" not in plain
    assert "skip connection" in branched
    assert "concatenate" in branched
    assert "frozen: keeps its weights" not in branched


def test_frozen_and_trainable_parts_are_told_apart(described) -> None:
    graph = described("LeNet5")
    svg = draw_svg(graph, frozen=["c1_conv", "c3_conv"])
    said = texts(svg)
    assert "frozen: keeps its weights" in said
    assert "trainable" in said
    assert f"9 layers · 61,706 parameters, {61_706 - 156 - 2_416:,} of them trainable" in said
    assert svg.count("c1_conv: Conv2D") == 1
    assert re.search(r"c1_conv: .*\n.*\n  156 parameters, frozen", svg)
    assert re.search(r"f6: .*\n.*\n  10,164 parameters, trainable", svg)


def test_names_out_of_a_file_cannot_leave_their_place() -> None:
    layers = (
        LayerNode(name=HOSTILE, kind="InputLayer", output_shape=(None, 4)),
        LayerNode(
            name=f"{HOSTILE}2", kind=HOSTILE, inputs=(HOSTILE,), settings={"activation": HOSTILE},
            output_shape=(None, 4),
        ),
    )  # fmt: skip
    svg = draw_svg(ModelGraph(name=HOSTILE, layers=layers, outputs=(f"{HOSTILE}2",)))
    root = ET.fromstring(svg)
    assert {element.tag.partition("}")[2] for element in root.iter()} <= {
        "svg", "style", "g", "rect", "path", "text", "title", "circle",
    }  # fmt: skip
    page = make_page(svg, title=HOSTILE)
    assert page.count("<script>") == 1
    assert "alert(1)" not in re.search("<script>(.*)</script>", page, re.DOTALL)[1]


def test_drawings_of_one_page_do_not_style_each_other(described) -> None:
    svg = draw_svg(described("LeNet5"), drawing_id="classifier")
    style = re.search("<style>(.*)</style>", svg)[1]
    assert all(rule.startswith("#classifier") for rule in style.split("}") if rule)
    names = {name for found in re.findall(r'class="([^"]+)"', svg) for name in found.split()}
    assert all(name.startswith("hs-") for name in names)
    assert svg.count('id="') == 1


def test_a_file_of_its_own_has_paper_and_a_part_of_a_page_has_none(described) -> None:
    graph = described("LeNet5")
    assert '<rect class="hs-p"' in draw_svg(graph, paper=True)
    assert '<rect class="hs-p"' not in draw_svg(graph)


def test_programs_that_know_one_colour_only_are_given_the_light_one(described) -> None:
    graph = described("LeNet5")
    assert re.search(r"fill:(#\w+);fill:light-dark\(\1,#\w+\)", draw_svg(graph))
    assert "light-dark" not in draw_svg(graph, theme="dark")


def test_columns_can_be_chosen(described) -> None:
    def size(svg):
        return tuple(map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups()))

    one, three = (size(draw_svg(described("ResNet50"), columns=count)) for count in (1, 3))
    assert one[0] < three[0]
    assert one[1] > 2 * three[1]


def test_a_network_without_shapes_and_settings_is_drawn_all_the_same() -> None:
    layers = (
        LayerNode(name="a", kind="InputLayer"),
        LayerNode(name="b", kind="Conv2D", inputs=("a",)),
        LayerNode(name="c", kind="MyOwnLayer", inputs=("b",), output_shape=((None, 3), (None, 4))),
    )
    assert "My own layer" in texts(draw_svg(ModelGraph(name="m", layers=layers, outputs=("c",))))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"theme": "ligth"}, "theme='ligth' is unknown. Did you mean light"),
        ({"columns": 0}, "columns=0: expected at least 1"),
        ({"drawing_id": "1 a"}, "drawing_id='1 a': expected letters"),
    ],
)
def test_bad_options_are_named(described, options, message) -> None:
    with pytest.raises(ArgumentError, match=message):
        draw_svg(described("LeNet5"), **options)


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="'empty' has no layers"):
        draw_svg(ModelGraph(name="empty", layers=(), outputs=()))
