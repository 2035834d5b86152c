"""Photos in tars, Parquet files and folders elsewhere, without a cluster."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import find_weights
from headstart.data.decode import decode
from headstart.data.listing import list_photos
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError, EngineError, PhotosError
from headstart.features.networks import FrozenNetwork
from headstart.process import KerasHere
from headstart.scale.contents import contents
from headstart.scale.extraction import Evaluated, job_of
from headstart.scale.index import source_of_index
from headstart.scale.place import Place
from headstart.scale.shard import Rows, check_shard, features_of, read_shard, write_shard
from headstart.scale.source import Part, is_sharded, source_of, source_of_listing
from headstart.scale.worker import Job, Worker, own_version

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
pa = pytest.importorskip("pyarrow", reason="PyArrow is not installed: pip install headstart[ray]")


def jpeg(picture):
    file = io.BytesIO()
    picture.save(file, "JPEG")
    return file.getvalue()


def write_tar(file, members):
    with tarfile.open(file, "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


@pytest.fixture
def sharded(tmp_path, draw_photo):
    """The same two photos in a tar and in a Parquet file."""
    import pyarrow.parquet as pq

    photos = [jpeg(draw_photo(kind, 1)) for kind in ("disc", "square")]
    folder = tmp_path / "shards"
    folder.mkdir()
    write_tar(
        folder / "a.tar",
        [("1.jpg", photos[0]), ("1.cls", b"disc"),
         ("2.jpg", photos[1]), ("2.json", json.dumps({"label": "square"}).encode())],
    )  # fmt: skip
    columns = {"image": [{"bytes": each, "path": None} for each in photos]}
    pq.write_table(pa.table({**columns, "label": ["disc", "square"]}), folder / "b.parquet")
    return folder, photos


def test_tars_and_parquet_files_hold_the_same_photos(sharded):
    folder, photos = sharded
    source = source_of(str(folder))
    assert [part.kind for part in source.parts] == ["tar", "parquet"]
    for part, names in zip(
        source.parts, (["1.jpg", "2.jpg"], ["00000000", "00000001"]), strict=True
    ):
        found = list(contents(part))
        assert [each.path.partition("/")[2] for each in found] == names
        assert [each.label for each in found] == ["disc", "square"]
        assert [each.read() for each in found] == photos


def test_a_folder_of_shards_is_told_from_one_of_classes(sharded, make_photos):
    assert is_sharded(str(sharded[0]))
    assert is_sharded("s3://bucket/photos")
    assert not is_sharded(str(make_photos(count=1)))


def test_class_folders_are_listed_by_uri(make_photos):
    folder = make_photos(count=3)
    (folder / "disc" / "notes.txt").write_text("x")
    source = source_of(folder.as_uri(), part_size=4)
    assert source.class_names == ("disc", "square")
    assert [len(part.photos) for part in source.parts] == [4, 2]
    assert source.parts[0].photos[0].label == "disc"
    assert [item.path for item in source.set_aside] == ["disc/notes.txt"]
    assert next(iter(contents(source.parts[0]))).read()[:4] == b"\x89PNG"


def test_a_part_is_named_by_what_is_in_it(make_photos):
    folder = make_photos(count=2)
    (before,) = source_of(str(folder)).parts
    assert Part.from_json(before.as_json()) == before
    (folder / "disc" / "disc_0000.png").write_bytes(b"another")
    (after,) = source_of(str(folder)).parts
    assert after.key != before.key


def test_a_damaged_tar_or_table_is_named(sharded):
    folder, _ = sharded
    (folder / "a.tar").write_bytes((folder / "a.tar").read_bytes()[:700])
    (folder / "b.parquet").write_bytes(b"PAR1 no")
    tar, table = source_of(str(folder)).parts
    with pytest.raises(PhotosError, match=r"a\.tar is a damaged tar"):
        list(contents(tar))
    with pytest.raises(PhotosError, match=r"b\.parquet is a damaged Parquet file"):
        list(contents(table))


def test_a_table_without_photos_says_what_it_has(tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "c.parquet")
    (part,) = source_of(str(tmp_path / "c.parquet")).parts
    with pytest.raises(
        PhotosError, match=r"no column of photos: found text; expected one of image"
    ):
        list(contents(part))


def test_a_source_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(PhotosError, match="does not exist"):
        source_of(str(tmp_path / "gone"))
    with pytest.raises(ArgumentError, match=r"'nothing://x' cannot be opened"):
        source_of("nothing://x")


def test_a_shard_is_checked_when_it_is_read(tmp_path):
    place = Place(str(tmp_path))
    rows = Rows(unreadable=[("bad.jpg", "empty file")])
    for name in ("path", "label", "split", "format", "mode"):
        rows.columns[name] = ["x"] * 300
    for name, size in (("digest", 32), ("fingerprint", 16), ("thumbnail", 256)):
        rows.columns[name] = [bytes(size)] * 300
    for name in ("width", "height", "orientation"):
        rows.columns[name] = [1] * 300
    features = np.random.default_rng(0).normal(size=(300, 2, 4)).astype(np.float32)
    rows.features.append(features)
    summary = write_shard(place, "a.parquet", rows)
    assert check_shard(place, "a.parquet") == summary | {"unreadable": [["bad.jpg", "empty file"]]}
    assert np.array_equal(features_of(read_shard(place, "a.parquet", ("features",))).ravel(),
                          features.ravel())  # fmt: skip
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[len(content) // 3] ^= 1
    (tmp_path / "a.parquet").write_bytes(content)
    assert check_shard(place, "a.parquet") is None
    assert check_shard(place, "b.parquet") is None


def test_photos_inside_a_tar_are_asked_for_in_their_file(sharded):
    folder, _ = sharded
    worker = Worker(job(folder / "out", engine="keras"))
    part = source_of(str(folder)).parts[0]
    readings = list(worker._readings(part))
    paths = tuple(each.found.path for each in readings)
    from headstart.data.index import ImageIndex

    index = ImageIndex(folder, paths, *[None] * 3, ("0" * 64,) * 2, *[None] * 8)
    (chosen,) = source_of_index(index, [1]).parts
    assert [each.path for each in contents(chosen)] == ["a.tar/2.jpg"]


def test_another_version_is_refused(tmp_path):
    with pytest.raises(EngineError, match=r"has headstart .* with Pillow .*, and 0\.0 asks"):
        Worker(job(tmp_path, version="0.0")).make(Part("", "files", ()))


def test_a_machine_that_sees_no_photo_says_so(make_photos, tmp_path):
    folder = make_photos(count=2)
    (part,) = source_of(str(folder)).parts
    for file in folder.rglob("*.png"):
        file.unlink()
    with pytest.raises(PhotosError, match=r"sees none of the 4 photos in .* share the folder"):
        Worker(job(tmp_path / "out")).make(part)


def test_the_keras_engine_makes_the_rows_of_the_network(make_photos, tmp_path):
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    source = find_weights(find_backbone("Starter"), "starter")
    spec = FrozenSpec("Starter", 40, "avg", source.kind, str(source.path), source.digest, 0)
    network, place = FrozenNetwork(spec, KerasHere()), Place(str(tmp_path / "shards"))
    asked = Evaluated(network, 40, engine="keras", precision="float32")
    worker = Worker(job_of(asked, place, 1, CachePlace(tmp_path)))
    listing = list_photos(make_photos(count=3))
    (part,) = source_of_listing(listing).parts
    summary = worker.make(part)
    assert (summary["rows"], summary["is_kept"]) == (6, False)
    assert worker.make(part)["is_kept"]
    photos = [decode((listing.root / path).read_bytes(), image_size=40) for path in listing.paths]
    expected = network.build().predict(np.stack(photos).astype(np.float32), verbose=0)
    rows = features_of(read_shard(place, summary["name"], ("features",)))
    assert np.allclose(rows, expected, atol=1e-4)


def test_buckets_are_written_and_read_as_streams(tmp_path, monkeypatch):
    monkeypatch.setattr(Place, "is_local", False)
    place = Place((tmp_path / "bucket").as_uri())
    place.write("a", b"whole")
    assert place.read("a") == b"whole"
    place.remove("a")
    place.remove("a")
    with pytest.raises(FileNotFoundError):
        place.read("a")


@pytest.mark.parametrize("base", ["s3://bucket/photos", "file:///photos", "/photos"])
def test_an_index_gives_its_base_back(base):
    from headstart.data.index import ImageIndex

    index = ImageIndex(Path(base), ("a/1.jpg",), *[None] * 3, ("0" * 64,), *[None] * 8)
    assert source_of_index(index, [0]).parts[0].base == base


def test_a_part_that_ends_worker_after_worker_is_named(make_photos, tmp_path):
    (part,) = source_of(str(make_photos(count=2))).parts
    (tmp_path / f"{part.key}.attempts").write_bytes(b".....")
    with pytest.raises(EngineError, match=r"5 workers ended over the same 4 files, disc/disc_0000"):
        Worker(job(tmp_path)).make(part)


def job(shards, *, engine="openvino", version=None):
    return Job("d" * 64, engine, "float32", False, 40, str(shards), 1, version or own_version(), {})
