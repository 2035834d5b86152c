"""The page in a browser: photos in by every way, answers and doubts shown, all from the server."""

import base64

import pytest

DROP = """([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "image/png" }));
  const event = { dataTransfer: data, bubbles: true, cancelable: true };
  document.getElementById("drop").dispatchEvent(new DragEvent("drop", event));
}"""


@pytest.fixture
def page(browser, process):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(process.address)
    page.wait_for_selector("#facts:not(:empty)")
    yield page
    assert page.said == []
    inside = (process.address, "blob:", "data:")
    assert [url for url in page.asked if not url.startswith(inside)] == []
    page.close()


def entries(page, count: int) -> None:
    page.wait_for_selector(f"#gallery li:nth-child({count})")


def test_a_photo_is_classified_by_file_chooser_and_by_drop(page, served) -> None:
    disc, square = served.photos[0], served.photos[-1]
    assert "Knows disc, square." in page.text_content("#facts")
    with page.expect_file_chooser() as chooser:
        page.click("#choose-label")
    chooser.value.set_files(str(disc))
    entries(page, 1)
    assert page.text_content("#bars .meant .class") == "disc"
    page.evaluate(DROP, [square.name, base64.b64encode(square.read_bytes()).decode()])
    entries(page, 2)
    assert page.text_content("#bars .meant .class") == "square"
    assert page.text_content("#file") == square.name
    page.keyboard.press("ArrowRight")
    assert page.text_content("#file") == disc.name
    page.click("#explain")
    page.wait_for_selector("#map:not([hidden])", timeout=60_000)
    photo, heat = (page.locator(name).bounding_box() for name in ("#photo", "#map"))
    assert heat["height"] == pytest.approx(photo["height"], abs=1)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_broken_file_is_told_in_words(page, tmp_path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture at all")
    page.set_input_files("#choose", str(broken))
    page.wait_for_selector("#message:not([hidden])")
    assert page.text_content("#message").startswith("broken.png: not a picture of a known format")
    assert page.locator("#answer").is_hidden()


def test_doubts_are_shown_as_such(page, served, draw_photo, tmp_path) -> None:
    # What no drawn photo raises for certain, in the server's own words.
    doubtful = {
        "file": "disc.png", "class_name": "disc", "probability": 0.55, "distance": 1.2,
        "probabilities": {"disc": 0.55, "square": 0.45}, "candidates": ["disc", "square"],
        "is_sure": False, "is_unfamiliar": True,
    }  # fmt: skip
    body = {"model": "shapes", "predictions": [doubtful], "set_aside": []}
    page.route("**/v1/predict*", lambda route: route.fulfill(json=body))
    page.set_input_files("#choose", str(served.photos[0]))
    entries(page, 1)
    assert page.text_content("#verdict") == "Not sure"
    assert page.text_content("#note").startswith("It may be disc or square. This is unlike")
    assert page.locator("#bars .meant").count() == 2


def test_the_api_is_explained_without_a_network(page, process) -> None:
    page.goto(f"{process.address}docs")
    page.wait_for_selector(".operation")
    assert page.locator(".operation h2", has_text="/v1/predict").count() == 1
