"""The page of a run: one file, for any names, on any screen, without a script."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.artifact.manifest import Manifest
from headstart.evaluation.calibration import Calibration, describe_calibration
from headstart.evaluation.conformal import Conformal, check_sets
from headstart.evaluation.learning import LearningCurve, curve_point, extrapolate
from headstart.evaluation.metrics import evaluate
from headstart.evaluation.suspects import Suspect
from headstart.report.card import model_card
from headstart.report.content import Content, Explained, Group, Thumb
from headstart.report.page import write_report
from headstart.report.pictures import SHOWN, THUMB, data_uri

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "{{ 7 * 7 }} {% raw %} </title></style> javascript:alert(1)",
    "a" * 200,
)


def made(names, count: int = 120):
    """A manifest as `train` writes it, of answers drawn by chance."""
    random = np.random.default_rng(0)
    labels = random.integers(0, len(names), count)
    p = random.dirichlet(np.ones(len(names)), count) * 0.3
    p[np.arange(count), np.where(random.uniform(size=count) < 0.9, labels, 0)] += 0.7
    files = [f"{names[label]}/{number}.jpg" for number, label in enumerate(labels)]
    found = evaluate(p, labels, class_names=names, files=files)
    sets = Conformal.fit(p, labels).sets(p, 0.95)
    found = replace(found, answered=check_sets(sets, labels, coverage=0.95), unfamiliar=0.02)
    calibration = describe_calibration(p, labels, Calibration(1.3, "validation", 99))
    manifest = Manifest(
        format=1, class_names=tuple(names), image_size=64, head={"head": "softmax", "c": 0.01},
        backbone={"name": names[0], "weights": "none", "weights_sha256": "0" * 64, "outputs": 3,
                  "licence": names[1], "paper": "https://arxiv.org/abs/1", "pooling": "avg"},
        engine="openvino", precision="float32", seed=0, temperature=1.3,
        photos={"train": 9, "validation": 9, "test": count, "unused": 0, "set_aside": 0,
                "train_per_class": dict.fromkeys(names, 3)},
        metrics=json.loads(json.dumps(found.to_dict())), agreement=None,
        versions={"python": "3"}, digests={"model.keras": "0" * 64},
        calibration=calibration.to_dict(),
    )  # fmt: skip
    return manifest, files, labels, p.argmax(axis=1)


def filled(names, files, labels, predicted, **rest) -> Content:
    """Everything that a full report has, with noise for photos."""
    random = np.random.default_rng(1)

    def picture(side: int) -> str:
        return data_uri(random.integers(0, 256, (side, side, 3), np.uint8), side)

    cells: dict[tuple[str, str], list[Thumb]] = {}
    for file, true, guess in zip(files, labels, predicted, strict=True):
        cell = cells.setdefault((names[true], names[guess]), [])
        cell.append(Thumb(file, picture(THUMB), "90%"))
    photo = picture(SHOWN)
    shown = Explained(files[0], names[0], names[1], 0.93, photo, photo)
    points = tuple(curve_point(n, [1 - n**-0.5], 100) for n in (10, 20, 40, 80, 160))
    return Content(
        classes=tuple(Group(name, name, 3, (Thumb(name, photo),)) for name in names),
        cells=tuple(Group(*pair, len(shown), tuple(shown)) for pair, shown in cells.items()),
        worst=(shown,) * 4, sample=(replace(shown, predicted=names[0]),) * 4, method=names[0],
        suspects=(Suspect(files[0], names[0], names[1], "label", 0.9, f"like {names[1]}"),) * 5,
        suspect_count=7, thumbs={files[0]: photo},
        curve=LearningCurve(points, extrapolate(points, [320]), (), "test", 100),
        recipe=f"photos = '{names[0]}'", notes=(names[0],), is_full=True, **rest,
    )  # fmt: skip


@pytest.fixture
def page(tmp_path: Path):
    def write(names, content=None, **rest) -> Path:
        manifest, *answers = made(names)
        content = content or filled(names, *answers, **rest)
        write_report(tmp_path, manifest=manifest, content=content)
        return tmp_path / "report.html"

    return write


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.names.add(tag)
        self.attributes += attrs


def tags(page: Path) -> Tags:
    found = Tags()
    found.feed(page.read_text("utf-8"))
    return found


def test_no_name_ever_becomes_markup(page) -> None:
    hostile, plain = tags(page(HOSTILE)), tags(page(("cats", "dogs", "birds", "fish")))
    assert hostile.names == plain.names
    assert "script" not in hostile.names
    assert {name for name, _ in hostile.attributes} == {name for name, _ in plain.attributes}
    targets = {value for name, value in hostile.attributes if name in ("id", "href")}
    assert all(re.fullmatch(r"#?[a-z]+(-\d+-\d+)?", target) for target in targets)


def test_nothing_is_fetched_and_nothing_may_run(page) -> None:
    text = page(HOSTILE).read_text("utf-8")
    assert "default-src 'none'; img-src data:" in text
    addresses = [value or "" for name, value in tags(page(HOSTILE)).attributes if name == "src"]
    assert addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in addresses)


def test_names_in_the_model_card_are_text(page) -> None:
    card = model_card(made(HOSTILE)[0])
    assert "<script>" not in card
    assert "\\<script\\>" in card
    assert "right \\(top-1\\)" not in card
    assert "| right (top-1) |" in card


def test_the_page_says_what_it_is_worth(page) -> None:
    text = page(("cats", "dogs", "birds", "fish")).read_text("utf-8")
    for words in ("test photos right", "95 % confidence", "always saying", "calibration error"):
        assert words in text, words
    assert text.count("<svg") == 3  # two reliability diagrams, the learning curve


def test_without_photos_it_says_how_to_get_them(page) -> None:
    text = page(("cats", "dogs"), content=Content()).read_text("utf-8")
    assert "headstart report THIS_FOLDER" in text
    assert "<img" not in text


def test_hundreds_of_classes_have_a_list_of_confusions(page) -> None:
    names = [f"class {number}" for number in range(120)]
    text = page(names, content=Content()).read_text("utf-8")
    assert "Commonest confusions" in text
    assert 'class="matrix' not in text


def test_a_thousand_photos_take_less_than_10_megabytes(tmp_path: Path) -> None:
    names = ("cats", "dogs")
    manifest, *answers = made(names, 1000)
    write_report(tmp_path, manifest=manifest, content=filled(names, *answers))
    assert (tmp_path / "report.html").stat().st_size < 10e6  # noise is what JPEG is worst at


OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll('h1, h2, h3, p, table, pre, figure, svg, .tile, dl')]
    .filter(each => each.offsetParent !== null || each.tagName === 'svg')
    .map(each => [each, each.getBoundingClientRect()]).filter(([, box]) => box.width && box.height);
  const found = [];
  for (const [one, a] of boxes) for (const [other, b] of boxes) {
    if (one === other || one.contains(other) || other.contains(one)) continue;
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    const names = [one, other].map(each => each.outerHTML.slice(0, 80));
    if (wide > 2 && high > 2) found.push(names.join(' | '));
  }
  return found;
}"""


@pytest.mark.parametrize("names", [("cats", "dogs"), HOSTILE], ids=["plain", "hostile"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_in_a_browser_without_a_fault(browser, page, names, width, scheme) -> None:
    sheet = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    said: list[str] = []
    sheet.on("console", lambda message: said.append(message.text))
    sheet.on("pageerror", lambda error: said.append(str(error)))
    sheet.on("dialog", lambda dialog: said.append(dialog.message))
    sheet.goto(page(names).as_uri())
    assert said == []
    assert sheet.title() != "owned"
    broken = "[...document.images].filter(each => !each.complete || !each.naturalWidth).length"
    sheet.evaluate("document.querySelectorAll('img').forEach(each => each.loading = 'eager')")
    sheet.wait_for_function("[...document.images].every(each => each.complete)")
    assert sheet.evaluate(broken) == 0
    assert sheet.evaluate("document.documentElement.scrollWidth") <= width
    assert sheet.evaluate(OVERLAPS) == []
    sheet.close()


def test_a_number_of_the_matrix_opens_the_photos_behind_it(browser, page) -> None:
    sheet = browser.new_page(offline=True)
    sheet.goto(page(("cats", "dogs", "birds", "fish")).as_uri())
    link = sheet.locator("td.miss a").first
    cell = sheet.locator(link.get_attribute("href"))
    assert not cell.is_visible()
    count = int(link.inner_text())
    link.click()
    assert cell.is_visible()
    assert cell.locator("img").count() == count
    sheet.close()


def test_the_full_report_of_a_run(make_photos, tmp_path: Path) -> None:
    run = headstart.train(
        make_photos(count=30), backbone="Starter", test_fraction=0.3, image_size=64,
        out=tmp_path / "run",
    )  # fmt: skip
    before = (run.folder / "report.html").read_text("utf-8")
    assert "headstart report THIS_FOLDER" in before
    assert "<img" not in before
    assert headstart.make_report(run) == run.folder / "report.html"
    after = (run.folder / "report.html").read_text("utf-8")
    assert after.count("<img") > run.manifest.metrics["count"]
    expected = "A random sample", "Grad-CAM", "Would more photos help?", "layers are frozen"
    for words in (*expected, "photos = "):
        assert words in after, words
    assert run.manifest.class_names[0] in (run.folder / "model_card.md").read_text("utf-8")


def test_where_the_photos_are_gone_the_report_says_so(make_photos, tmp_path: Path) -> None:
    photos = make_photos(count=20)
    run = headstart.train(photos, backbone="Starter", out=tmp_path / "run")
    photos.rename(tmp_path / "elsewhere")
    headstart.make_report(run)
    text = (run.folder / "report.html").read_text("utf-8")
    assert "Without photos: The photos of this run are not where they were" in text
