"""What tests share: real data where it is, a cache of their own, small photos made on the spot."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import find_weights
from headstart.process import KerasProcess

ROOT = Path(__file__).resolve().parent.parent
TEST_DATA = Path(os.environ.get("HEADSTART_TEST_DATA") or ROOT.parent / "shared" / "data")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _keep_to_own_cores() -> None:
    """Gives each process of pytest-xdist its share of the cores, and its children with it.

    Keras and OpenVINO start a thread for every core that they see: two processes that each see both
    of two cores take nearly as long as one.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker.startswith("gw") or not hasattr(os, "sched_setaffinity"):
        return
    cores, count = sorted(os.sched_getaffinity(0)), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    own = cores[int(worker[2:]) % count :: count]
    if own:
        os.sched_setaffinity(0, own)


_keep_to_own_cores()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test starts with an empty cache, far from the user's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("HEADSTART_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def module_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache for all tests of a module, which say so by an `own_cache` that returns it."""
    folder = tmp_path_factory.mktemp("module-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(folder))
        yield folder


@pytest.fixture
def test_data() -> Path:
    """The folder of real photos, weights and models; skips where it is not there."""
    if not TEST_DATA.is_dir():
        pytest.skip(f"no real data at {TEST_DATA}; set HEADSTART_TEST_DATA")
    return TEST_DATA


@pytest.fixture
def keras_home(test_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras finds real ImageNet weights in the test data."""
    monkeypatch.setenv("KERAS_HOME", str(test_data / "keras_home"))
    return test_data / "keras_home"


def draw(kind: str, number: int, size: int = 40) -> Image.Image:
    """Draws a bright disc ("disc") or square ("square") somewhere on a noisy ground."""
    random = np.random.default_rng([number, len(kind)])
    picture = random.integers(0, 90, (size, size, 3), np.uint8)
    y, x = np.mgrid[:size, :size]
    top, left = random.integers(10, size - 10, 2)
    radius = random.integers(5, 10)
    inside = (y - top) ** 2 + (x - left) ** 2 <= radius**2
    if kind == "square":
        inside = np.maximum(abs(y - top), abs(x - left)) <= radius
    picture[inside] = random.integers(160, 255, 3)
    return Image.fromarray(picture)


@pytest.fixture
def draw_photo() -> Callable[..., Image.Image]:
    """Returns a function that draws one photo."""
    return draw


@pytest.fixture
def make_photos(tmp_path: Path) -> Callable[..., Path]:
    """Returns a function that writes so many photos of discs and squares into class folders."""

    def make(name: str = "photos", *, count: int = 20, start: int = 0) -> Path:
        folder = tmp_path / name
        for kind in ("disc", "square"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            for number in range(start, start + count):
                draw(kind, number).save(folder / kind / f"{kind}_{number:04d}.png")
        return folder

    return make


@pytest.fixture(scope="session")
def openvino_keras() -> Iterator[KerasProcess]:
    """One child with Keras' OpenVINO backend for all tests: its import takes seconds."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install headstart[cpu]")
    child = KerasProcess("openvino")
    yield child
    child.close()


@pytest.fixture
def frozen_spec() -> Callable[..., FrozenSpec]:
    """Returns a function that describes a frozen network with random weights."""

    def describe(backbone: str, *, image_size: int, pooling: str = "avg") -> FrozenSpec:
        source = find_weights(find_backbone(backbone), "none")
        return FrozenSpec(backbone, image_size, pooling, "none", None, source.digest, 0)

    return describe


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, by Playwright; `browser.new_page(...)` opens a page."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    quiet = ("--disable-quic", "--no-first-run", "--disable-background-networking")
    quiet += ("--disable-component-update", "--disable-sync", "--disable-gpu")
    with sync_playwright() as playwright:
        # Chromium's sandbox does not start for root, as whom CI runs; the pages are our own.
        started = playwright.chromium.launch(
            executable_path=program, chromium_sandbox=False, args=list(quiet)
        )
        yield started
        started.close()
