"""A run in other formats: the same answers there, without this package."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import headstart
from headstart.artifact.export.formats import FORMATS, find_format
from headstart.artifact.export.parity import Parity
from headstart.artifact.export.standalone.preprocess import preprocess
from headstart.artifact.run import load_run
from headstart.cli.main import app
from headstart.data.decode import decode
from headstart.errors import ArgumentError, EngineError, PhotosError
from headstart.files import sha256
from headstart.progress import Silent
from headstart.workflow.export import Export, export_on
from headstart.workflow.export_bench import Bench, bench

from ..conftest import draw

for package in ("tensorflow", "onnx", "onnxruntime", "ai_edge_litert", "openvino", "nncf"):
    pytest.importorskip(package, reason="exports need: pip install 'headstart[cpu,export]'")

WANTED = [(name, "float32") for name in FORMATS]
WANTED += [("onnx", "float16"), ("litert", "int8"), ("openvino", "int8")]

APART = """
import importlib.util, json, pathlib, sys

class Blocked:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] == "headstart":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())

def module(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found

answers = {}
for folder in map(pathlib.Path, sys.argv[2:]):
    contract = json.loads((folder / "contract.json").read_text())
    photo = module(folder / "preprocess.py").preprocess(sys.argv[1], contract["input"]["shape"][1])
    row = module(folder / "run.py").load()(photo[None])[0].tolist()
    answers[str(folder)] = dict(zip(contract["class_names"], row, strict=True))
print("\\n" + json.dumps([answers, "headstart" in sys.modules]))
"""


@pytest.fixture(scope="module")
def own_cache(module_cache: Path) -> Path:
    """One cache for the module: everything here is about one run."""
    return module_cache


@pytest.fixture(scope="module")
def run(own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> headstart.Run:
    photos = tmp_path_factory.mktemp("photos")
    # Told apart by colour, so that rounding to int8 does not turn one of 14 test photos.
    for kind, tint in (("disc", (1, 0.6, 0.6)), ("square", (0.6, 0.6, 1))):
        (photos / kind).mkdir()
        for number in range(50):
            pixels = np.asarray(draw(kind, number)) * np.array(tint)
            Image.fromarray(pixels.astype(np.uint8)).save(photos / kind / f"{number}.png")
    return headstart.train(photos, backbone="Starter", out=photos.parent / "export-run")


@pytest.fixture(scope="module")
def given(run: headstart.Run) -> Iterator[Bench]:
    with bench(run, "tensorflow", photos=None, count=100, progress=Silent()) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def exports(given: Bench, run: headstart.Run) -> dict[tuple[str, str], Export]:
    places = {each: run.folder / "exports" / "-".join(each) for each in WANTED}
    return {
        (to, precision): export_on(
            given, FORMATS[to], precision, out=places[to, precision], progress=Silent()
        )
        for to, precision in WANTED
    }


def test_every_float32_export_answers_as_the_model_of_the_run(exports) -> None:
    for to in FORMATS:
        found = exports[to, "float32"].measured.parity
        assert found.max_difference <= 1e-4, to
        assert found.same_top_1 == 1, to
        assert found.top_1_interval.low <= found.top_1 <= found.top_1_interval.high, to


def test_int8_is_smaller_and_within_one_point(exports) -> None:
    for to in ("litert", "openvino"):
        small, plain = exports[to, "int8"], exports[to, "float32"]
        assert small.measured.parity.lost_top_1 <= 0.01
        assert small.measured.parity.max_difference > 0
        assert small.measured.size_bytes < 0.6 * plain.measured.size_bytes
        assert "within one point" in str(small)


def test_openvino_says_what_its_default_precision_would_change(exports) -> None:
    made = exports["openvino", "float32"]
    written = json.loads((made.folder / "parity.json").read_text())
    assert written["default_precision"] in ("float32", "bfloat16", "float16")
    assert written["by_default"]["parity"]["photos"] == made.measured.parity.photos
    assert exports["onnx", "float32"].by_default is None


def test_exports_are_loaded_by_their_runtimes_without_this_package(exports, run, tmp_path) -> None:
    photo = sorted(Path(run.folder.parent).glob("photos*/disc/7.png"))[0]
    folders = {str(made.folder): key for key, made in exports.items()}
    done = subprocess.run(
        [sys.executable, "-I", "-c", APART, str(photo), *folders],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answers, is_imported = json.loads(done.stdout.splitlines()[-1])
    assert not is_imported
    (expected,) = headstart.predict(run, photo, precision="float32")
    for folder, (to, precision) in folders.items():
        allowed = 1e-3 if precision == "float32" else 0.1
        for name, probability in expected.probabilities.items():
            assert answers[folder][name] == pytest.approx(probability, abs=allowed), to


def metadata_of(made: Export) -> str:
    if made.to == "onnx":
        import onnx

        return {each.key: each.value for each in onnx.load(made.model).metadata_props}["headstart"]
    if made.to == "litert":
        from ai_edge_litert.tools import flatbuffer_utils

        model = flatbuffer_utils.read_model(str(made.model))
        (place,) = [each.buffer for each in model.metadata if each.name == b"headstart.json"]
        return bytes(model.buffers[place].data).decode()
    if made.to == "openvino":
        import openvino

        model = openvino.Core().read_model(made.model)
        return model.get_rt_info(["headstart", "contract"]).astype(str)
    if made.to == "savedmodel":
        return (made.model / "assets.extra" / "headstart.json").read_text("utf-8")
    if made.to == "keras":
        with zipfile.ZipFile(made.model) as archive:
            return json.dumps(json.loads(archive.read("metadata.json"))["headstart"])
    import h5py

    with h5py.File(made.model) as file:
        return str(file.attrs["headstart"])


def test_the_contract_travels_inside_every_file(exports, run) -> None:
    for made in exports.values():
        inside = json.loads(metadata_of(made))
        assert inside == json.loads((made.folder / "contract.json").read_text("utf-8"))
        assert inside["class_names"] == ["disc", "square"]
        assert inside["input"]["colour_order"] == "RGB"
        assert inside["input"]["range"] == [0, 255]
        assert inside["backbone"]["licence"] == run.manifest.backbone["licence"]
        assert inside["calibration"]["temperature"] == run.manifest.temperature
        assert inside["precision"] == made.precision


def test_an_exported_keras_file_is_one_that_this_package_reads(exports) -> None:
    report = headstart.inspect_model(exports["keras", "float32"].model)
    assert not report.risks


def test_an_export_that_answers_otherwise_is_not_kept(given, tmp_path) -> None:
    other = replace(given, reference=given.reference[:, ::-1])
    with pytest.raises(EngineError, match=r"differ by up to .* It was not kept"):
        export_on(other, FORMATS["onnx"], "float32", out=tmp_path / "out", progress=Silent())
    assert list(tmp_path.iterdir()) == []


def test_a_run_with_exports_is_still_whole(exports, run) -> None:
    again = load_run(run.folder)
    again.check(*again.manifest.digests)


def test_without_tensorflow_openvino_takes_one_photo_a_call(given, tmp_path) -> None:
    elsewhere = replace(given, backend="jax")
    made = export_on(
        elsewhere, FORMATS["openvino"], "float32", out=tmp_path / "out", progress=Silent()
    )
    described = json.loads((made.folder / "contract.json").read_text())
    assert described["input"]["shape"][0] == 1
    assert made.measured.parity.max_difference <= 1e-4


def some_answers(*, wrong: int) -> np.ndarray[Any, Any]:
    rows = np.tile(np.array([[0.75, 0.25]], np.float32), (200, 1))
    rows[:wrong] = rows[:wrong, ::-1]
    return rows


def test_float32_may_differ_by_a_ten_thousandth() -> None:
    rows, labels = some_answers(wrong=0), np.zeros(200, int)
    Parity.between(rows + 0.9e-4, rows, labels).check("float32")
    with pytest.raises(EngineError, match=r"0\.00011 on 200 photos, where 0\.0001 is allowed"):
        Parity.between(rows + 1.1e-4, rows, labels).check("float32")
    with pytest.raises(EngineError, match="nan"):
        Parity.between(rows * np.nan, rows, labels).check("float32")


def test_lower_precisions_may_cost_one_point() -> None:
    rows, labels = some_answers(wrong=0), np.zeros(200, int)
    Parity.between(some_answers(wrong=2), rows, labels).check("int8")
    with pytest.raises(EngineError, match=r"right on 0\.9850 of 200 photos.*not kept"):
        Parity.between(some_answers(wrong=3), rows, labels).check("int8")


@pytest.mark.parametrize("kind", ["rgb", "large", "grey", "transparent", "palette", "turned"])
def test_the_ten_lines_prepare_a_photo_as_training_did(kind: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (90, 70, 4), np.uint8)
    image, file = Image.fromarray(pixels), tmp_path / f"{kind}.png"
    options: dict[str, Any] = {}
    if kind != "transparent":
        image = image.convert({"grey": "L", "palette": "P"}.get(kind, "RGB"))
    if kind in ("large", "turned"):
        file = tmp_path / f"{kind}.jpg"
        image = image.resize((1500, 1300) if kind == "large" else (70, 90))
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = 6 if kind == "turned" else 1
    image.save(file, **options)
    found = preprocess(file, 32)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, decode(file.read_bytes(), image_size=32))


def test_formats_and_precisions_that_do_not_fit_are_named() -> None:
    with pytest.raises(ArgumentError, match=r"to='onx' is unknown.*Did you mean onnx\?"):
        find_format("onx", "float32")
    with pytest.raises(ArgumentError, match="int8 can be had as litert or openvino"):
        find_format("onnx", "int8")
    with pytest.raises(ArgumentError, match=r"cannot be had as keras. Choose float32\.$"):
        find_format("keras", "float64")


def test_what_is_there_is_not_overwritten(run, tmp_path) -> None:
    call = ["export", str(run.folder), "--to", "onnx", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 2
    assert "exists already" in result.stderr


def test_a_run_without_test_photos_asks_for_some(given, tmp_path) -> None:
    lonely = load_run(given.run.folder)
    empty = replace(lonely, folder=tmp_path)
    for name in ("model.keras", "recipe.toml"):
        (tmp_path / name).write_bytes((lonely.folder / name).read_bytes())
    lines = (lonely.folder / "split.csv").read_text().replace(",test,", ",train,")
    (tmp_path / "split.csv").write_text(lines)
    digests = lonely.manifest.digests | {"split.csv": sha256(tmp_path / "split.csv")}
    empty = replace(empty, manifest=replace(lonely.manifest, digests=digests))
    with (
        pytest.raises(PhotosError, match="--photos FOLDER"),
        bench(empty, "tensorflow", photos=None, count=5, progress=Silent()),
    ):
        pass
