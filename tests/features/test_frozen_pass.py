"""Each photo goes through a network once; what was computed is kept, checked and shared."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.backbones.frozen import FrozenSpec, build
from headstart.data.decode import decode
from headstart.data.listing import list_photos
from headstart.data.scan import scan
from headstart.data.store import CachePlace
from headstart.errors import EngineError
from headstart.features.engine import KerasEngine
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.process import KerasHere, KerasProcess

SIZE = 32


class Listener:
    """Remembers what a run told."""

    def __init__(self) -> None:
        self.steps: dict[str, int] = {}
        self.sentences: list[str] = []

    def step(self, station: str, done: int, total: int) -> None:
        self.steps[station] = max(done, self.steps.get(station, 0))

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def make_pass(
    openvino_keras: KerasProcess, frozen_spec: Callable[..., FrozenSpec]
) -> Callable[..., FrozenPass]:
    def make(
        listener: Listener, *, precision: str = "auto", engine: str = "openvino", fall: bool = False
    ) -> FrozenPass:
        caller = openvino_keras if engine == "openvino" else KerasHere()
        return FrozenPass(
            FrozenNetwork(frozen_spec("Starter", image_size=SIZE), caller),
            engine=engine,
            may_fall_back=fall,
            precision=precision,
            place=CachePlace.default(),
            progress=listener,
        )

    return make


def read(folder: Path):
    return scan(list_photos(folder), place=CachePlace.default(), image_size=SIZE)


def rows_of(frozen: FrozenPass, folder: Path) -> np.ndarray:
    index = read(folder)
    return frozen.rows(index, range(len(index)), image_size=SIZE, station="features")[0]


def test_features_are_those_of_the_keras_model(
    make_pass, make_photos, frozen_spec: Callable[..., FrozenSpec]
) -> None:
    photos = make_photos(count=5)
    found = rows_of(make_pass(Listener(), precision="float32"), photos)
    index = read(photos)
    pixels = np.stack(
        [decode(file.read_bytes(), image_size=SIZE) for file in index.files(range(10))]
    )
    model = build(frozen_spec("Starter", image_size=SIZE))
    expected = model.predict(pixels.astype(np.float32), verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_ten_more_photos_compute_ten(make_pass, make_photos) -> None:
    rows_of(make_pass(Listener()), make_photos(count=10))
    listener = Listener()
    photos = make_photos(count=5, start=100)
    first = rows_of(make_pass(listener), photos)
    assert listener.steps["features"] == 10
    again = Listener()
    np.testing.assert_array_equal(rows_of(make_pass(again), photos), first)
    assert "features" not in again.steps


def test_a_damaged_row_is_computed_again(make_pass, make_photos, own_cache: Path) -> None:
    photos = make_photos(count=5)
    first = rows_of(make_pass(Listener()), photos)
    (shard,) = (own_cache / "features").rglob("*.npy")
    content = bytearray(shard.read_bytes())
    content[-1] ^= 255
    shard.write_bytes(content)
    listener = Listener()
    np.testing.assert_array_equal(rows_of(make_pass(listener), photos), first)
    assert listener.steps["features"] == 1


def test_a_damaged_graph_is_noticed(make_pass, make_photos, own_cache: Path) -> None:
    photos = make_photos(count=3)
    rows_of(make_pass(Listener()), photos)
    (graph,) = (own_cache / "graphs").rglob("model.xml")
    graph.write_text("<net>")
    listener = Listener()
    rows_of(make_pass(listener, precision="float32", fall=True), photos)
    assert "Falling back to Keras" in listener.sentences[0]
    assert not graph.exists()


def test_lower_precision_is_used_only_where_it_agrees_with_float32(make_pass, make_photos) -> None:
    frozen = make_pass(Listener())
    rows_of(frozen, make_photos(count=10))
    note = next(iter(frozen._graph.folder.glob("precision-*.json")))
    measured = frozen._graph.note(note.stem)
    assert measured["float32"]["agreement"]["minimum"] >= 0.99999
    for name in set(measured) - {"float32"}:
        assert measured[name]["agreement"]["median"] >= 0.99


def test_an_engine_that_fails_without_a_fall_back_says_so(make_pass, make_photos) -> None:
    frozen = make_pass(Listener())
    frozen._graph.folder.mkdir(parents=True)
    for suffix in (".xml", ".bin"):
        frozen._graph.file.with_suffix(suffix).write_text("broken")
    with pytest.raises(EngineError, match="was damaged"):
        rows_of(frozen, make_photos(count=2))


def test_a_large_result_lives_in_a_file_not_in_memory(
    make_pass, make_photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.features.frozen_pass.IN_MEMORY_BYTES", 1000)
    found = rows_of(make_pass(Listener()), make_photos(count=5))
    assert isinstance(found, np.memmap)


@pytest.mark.neutral
def test_the_keras_engine_gives_the_same_features_on_every_backend(
    make_pass, make_photos, frozen_spec: Callable[..., FrozenSpec]
) -> None:
    photos = make_photos(count=5)
    found = rows_of(make_pass(Listener(), engine="keras"), photos)
    reference = rows_of(make_pass(Listener(), precision="float32"), photos)
    error = np.abs(found - reference).max() / np.abs(reference).max()
    assert error <= 1e-4


@pytest.mark.neutral
def test_a_short_last_batch_is_padded_and_cut(frozen_spec: Callable[..., FrozenSpec]) -> None:
    engine = KerasEngine(build(frozen_spec("Starter", image_size=SIZE)))
    photos = np.random.default_rng(0).integers(0, 255, (3, SIZE, SIZE, 3), np.uint8)
    parts = list(engine.run([photos, photos[:1]]))
    assert [part.shape[0] for part in parts] == [3, 1]
    np.testing.assert_allclose(parts[1][0], parts[0][0], rtol=1e-5)
