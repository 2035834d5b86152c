"""Drawings as a browser shows them: no text leaves its box, none overlaps, no line crosses one."""

import pytest

from headstart.drawing.page import make_page
from headstart.drawing.svg import draw_svg
from headstart.modelfile.graph import LayerNode, ModelGraph

TEN = (
    "LeNet5", "AlexNet", "VGG16", "InceptionV1", "InceptionV3", "ResNet50", "Xception",
    "InceptionV4", "InceptionResNetV1", "ResNeXt50",
)  # fmt: skip
OTHERS = (
    "wide_and_deep", "Starter", "MobileNetV3Small", "DenseNet121", "ConvNeXtTiny", "NASNetLarge"
)  # fmt: skip

MEASURE = """() => {
  const wrong = [];
  const sheet = document.querySelector("svg").getBoundingClientRect();
  const texts = [...document.querySelectorAll("text")];
  const boxes = texts.map((text) => text.getBoundingClientRect());
  const told = (at) => `'${texts[at].textContent}'`;
  const inside = (a, b) => a.left >= b.left - 0.5 && a.right <= b.right + 0.5
    && a.top >= b.top - 0.5 && a.bottom <= b.bottom + 0.5;
  boxes.forEach((box, at) => {
    if (!inside(box, sheet)) wrong.push(`${told(at)} leaves the sheet`);
    const before = texts[at].previousElementSibling;
    const isMark = /hs-[cw]$/.test(texts[at].getAttribute("class"));
    if (isMark && !inside(box, before.getBoundingClientRect()))
      wrong.push(`${told(at)} leaves its mark`);
    const group = texts[at].closest(".hs-box, .hs-module");
    const frame = group && [...group.children].filter((each) => each.matches(".hs-f,.hs-g")).pop();
    const own = group && group.matches(".hs-box") ? group.querySelector("rect") : frame;
    if (own && !inside(box, own.getBoundingClientRect())) wrong.push(`${told(at)} leaves its box`);
    for (const part of [0.02, 0.25, 0.5, 0.75, 0.98]) {
      const found = document.elementsFromPoint(
        box.left + part * box.width, box.top + box.height / 2);
      if (found.some((each) => each.matches("path.hs-l, path.hs-k")))
        wrong.push(`a line runs through ${told(at)}`);
    }
  });
  const order = boxes.map((_, at) => at).sort((a, b) => boxes[a].top - boxes[b].top);
  order.forEach((a, at) => {
    for (const b of order.slice(at + 1)) {
      if (boxes[b].top > boxes[a].bottom - 1) break;
      if (boxes[a].left < boxes[b].right - 0.5 && boxes[b].left < boxes[a].right - 0.5)
        wrong.push(`${told(a)} overlaps ${told(b)}`);
    }
  });
  const rects = [...document.querySelectorAll(".hs-box")].map((each) => [
    each, each.querySelector("rect").getBoundingClientRect()]);
  rects.forEach(([one, a], at) => rects.slice(at + 1).forEach(([other, b]) => {
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      wrong.push(`box ${one.textContent} overlaps box ${other.textContent}`);
  }));
  return [texts.length, wrong];
}"""


@pytest.fixture
def faults(browser):
    """Returns a function that shows an SVG and returns how many texts it has and what is wrong."""

    def measure(svg: str) -> tuple[int, list[str]]:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_content(f"<!doctype html><body style='margin:0'>{svg}")
        size = page.evaluate("(({width, height}) => ({width, height}))"
                             "(document.querySelector('svg').getBoundingClientRect())")  # fmt: skip
        page.set_viewport_size({side: int(value) + 1 for side, value in size.items()})
        found = page.evaluate(MEASURE)
        page.close()
        return found

    return measure


@pytest.mark.parametrize("name", [*TEN, *OTHERS])
def test_every_text_stays_in_its_box_and_clear_of_others(described, faults, name) -> None:
    count, wrong = faults(draw_svg(described(name)))
    assert wrong == []
    assert count > 10


def test_networks_without_sense_are_drawn_clearly_too(any_network, faults) -> None:
    found = {seed: faults(draw_svg(any_network(seed)))[1] for seed in range(15)}
    assert {seed: wrong for seed, wrong in found.items() if wrong} == {}


def test_frozen_boxes_leave_room_for_their_sign(described, faults) -> None:
    graph = described("MobileNetV2")
    _, wrong = faults(draw_svg(graph, frozen=[layer.name for layer in graph.layers]))
    assert wrong == []


def test_long_and_foreign_names_are_cut_to_their_boxes(faults) -> None:
    kinds = ("A" * 90, "层" * 40, "🐈" * 30, "WWWWWWWW_" * 9, "MyVeryOwnAttentionPooling" * 3)
    layers = [LayerNode(name="in", kind="InputLayer", output_shape=(None, 10**9, 10**9, 10**9))]
    for kind in kinds:
        layers.append(
            LayerNode(
                name=kind, kind=kind, inputs=(layers[-1].name,), weights={"w": (10**6, 10**6)},
                output_shape=(None, *[10**8] * 6), settings={"activation": kind.lower()},
            )
        )  # fmt: skip
    graph = ModelGraph(name="W" * 300, layers=tuple(layers), outputs=(layers[-1].name,))
    _, wrong = faults(draw_svg(graph))
    assert wrong == []


def test_measuring_finds_a_text_that_is_too_long(described, faults) -> None:
    svg = draw_svg(described("LeNet5"))
    _, wrong = faults(svg.replace(">Conv 5×5<", f">{'Conv 5×5 ' * 9}<"))
    assert any("leaves its box" in each for each in wrong)


def test_the_page_zooms_tells_and_asks_for_nothing(described, browser, tmp_path) -> None:
    file = tmp_path / "lenet.html"
    file.write_text(make_page(draw_svg(described("LeNet5")), title="LeNet5"), "utf-8")
    page = browser.new_page(viewport={"width": 900, "height": 700})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    box = page.locator(".hs-box").nth(1)
    before = box.bounding_box()
    page.mouse.move(before["x"] + 40, before["y"] + 8)
    assert "c1_conv: Conv2D, output 28 × 28 × 6" in page.locator("#tip").text_content()
    assert page.locator("#tip").is_visible()
    page.mouse.wheel(0, -500)
    assert box.bounding_box()["width"] > 1.5 * before["width"]
    page.click("#fit")
    assert box.bounding_box()["width"] == pytest.approx(before["width"])
    page.click("#theme")
    page.keyboard.press("+")
    assert asked == [file.as_uri()]
    assert said == []
    page.close()
