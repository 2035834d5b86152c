"""A real cluster of two nodes: what it computes is what one machine computes, whatever happens."""

import os
import socket
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install headstart[ray]")

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.weights import find_weights
from headstart.data.listing import list_photos
from headstart.data.scan import scan
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError, EngineError, PhotosError
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import FrozenNetwork
from headstart.heads.closed_form import ridge, statistics_of
from headstart.heads.totals import total_of
from headstart.progress import Silent
from headstart.scale import cluster as joining
from headstart.scale.cluster import Workers, cluster, worker_count
from headstart.scale.extraction import Evaluated, OnRay, extract
from headstart.scale.source import source_of_listing

MEMORY = 100 * 2**20


@pytest.fixture(scope="module")
def two_nodes(tmp_path_factory):
    """A cluster with a core on each of two nodes, joined by this process."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install headstart[cpu]")
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    os.environ["HEADSTART_CACHE"] = str(tmp_path_factory.mktemp("nodes"))
    os.environ.update(joining._QUIET)
    node = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    # A node that is gone is noticed in a second, not in half a minute.
    watchful = {"health_check_period_ms": 300, "health_check_failure_threshold": 3,
                "health_check_initial_delay_ms": 300}  # fmt: skip
    started = Cluster(initialize_head=True, head_node_args={**node, "_system_config": watchful})
    second = started.add_node(num_cpus=1, object_store_memory=MEMORY)
    with cluster(started.address):
        yield started, second
    started.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def network(openvino_keras):
    source = find_weights(find_backbone("Starter"), "starter")
    spec = FrozenSpec("Starter", 40, "avg", source.kind, str(source.path), source.digest, 0)
    return FrozenNetwork(spec, openvino_keras)


def on_ray(tmp_path, **workers):
    return OnRay("auto", str(tmp_path / "shards"), Workers(**workers))


def kill_when(folder, started, node, killed):
    """Kills a node once the first shards are there."""
    while not (written := len(list(folder.rglob("*.parquet")))):
        time.sleep(0.02)
    started.remove_node(node, allow_graceful=False)
    killed.append(written)


def test_a_killed_node_a_lost_and_a_damaged_shard_change_nothing(
    two_nodes, make_photos, tmp_path, network
):
    started, second = two_nodes
    folder = make_photos(count=60)
    (folder / "disc" / "disc_0003.png").write_bytes(b"no photo")
    listing, place = list_photos(folder), CachePlace.default()
    source = source_of_listing(listing, part_size=4)
    asked, on = Evaluated(network, 40, precision="float32"), on_ray(tmp_path)
    killed = []
    thread = threading.Thread(
        target=kill_when, args=(tmp_path / "shards", started, second, killed), daemon=True
    )
    thread.start()
    found = extract(source, asked, on=on, place=place, progress=Silent())
    thread.join()
    assert 0 < killed[0] < len(source.parts) == 30

    # On one machine, with the plain engine.
    index = scan(listing, place=place, image_size=40)
    frozen = FrozenPass(network, engine="openvino", may_fall_back=False, precision="float32",
                        place=place, progress=Silent())  # fmt: skip
    expected, _ = frozen.rows(index, range(len(index)), image_size=40, station="features")
    rows, labels = map(np.concatenate, zip(*found.shards(), strict=True))
    assert np.allclose(rows, expected, atol=1e-5)
    assert np.array_equal(labels, index.labels)
    assert found.set_aside == index.set_aside
    assert [item.path for item in found.set_aside] == ["disc/disc_0003.png"]

    # Begun again, it makes what is missing and nothing else.
    lost, damaged = (Path(found.place.base, found.names[at]) for at in (2, 5))
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:200] + b"damage")
    again = extract(source, asked, on=on, place=place, progress=Silent())
    assert again.kept == len(source.parts) - 2
    assert np.allclose(np.concatenate([x for x, _ in again.shards()]), expected, atol=1e-5)

    # A head from sums that the cluster adds up is the one from this machine's.
    count = len(found.class_names)
    there = ridge(statistics_of(found.total(), class_count=count))
    here = ridge(statistics_of(total_of(found.shards), class_count=count))
    assert np.allclose(there.kernel, here.kernel, atol=1e-8)


def test_train_and_predict_on_a_cluster_are_what_they_are_here(two_nodes, make_photos, tmp_path):
    import headstart

    photos = make_photos(count=30)
    options = {"backbone": "Starter", "precision": "float32", "image_size": 40}
    here = headstart.train(photos, out=tmp_path / "here", **options)
    there = headstart.train(photos.as_uri(), out=tmp_path / "there", ray="auto", **options)
    read = [(each.folder / "split.csv").read_text() for each in (here, there)]
    assert read[0] == read[1]
    assert here.manifest.metrics["top_1"] == there.manifest.metrics["top_1"]
    with pytest.raises(PhotosError, match=r"learnt from file:.* only a cluster reads"):
        headstart.evaluate(there)
    (photos / "disc" / "disc_0001.png").write_bytes(b"")
    expected = headstart.predict(here, photos / "disc")
    found = headstart.predict(there, photos / "disc", ray="auto", shards=str(tmp_path / "answers"))
    assert [each.file for each in found] == [each.file for each in expected]
    assert np.allclose([each.probability for each in found],
                       [each.probability for each in expected], atol=1e-3)  # fmt: skip
    assert [item.reason for item in found.set_aside] == ["empty file"]


def test_choosing_tuning_and_tables_on_a_cluster_are_what_they_are_here(
    two_nodes, make_photos, tmp_path
):
    import headstart

    photos, names = make_photos(count=24), ["Starter", "Starter:none"]
    ways = ((photos, None), (photos, "auto"), (photos.as_uri(), "auto"))
    shares = []
    for where, ray in ways:
        found = headstart.choose(where, backbones=names, ray=ray, latency_limit=60_000)
        shares.append({each.candidate.name: each.last.top_1 for each in found})
    assert shares[0] == shares[1] == shares[2]
    searched = [
        headstart.tune(
            where, backbone="Starter", out=tmp_path / name, trials=4, end_to_end=0, ray=ray
        )
        for where, name, ray in ((photos, "tuned", None), (photos.as_uri(), "tuned-there", "auto"))
    ]
    scores = [found.plain.score.log_loss for found in searched]
    assert scores[0] == pytest.approx(scores[1], rel=0.02)
    # Photos that this machine cannot reach are not varied.
    varied = [any("views" in str(each.settings) for each in found.trials) for found in searched]
    assert varied == [True, False]
    run = headstart.train(photos, backbone="Starter", out=tmp_path / "run")
    for name, ray in (("here", None), ("there", "auto")):
        headstart.predict_to_csv(run, photos, csv=tmp_path / f"{name}.csv", ray=ray)
    rows = [
        [line.split(",")[:2] for line in (tmp_path / f"{name}.csv").read_text().splitlines()]
        for name in ("here", "there")
    ]
    assert rows[0] == rows[1]


def test_what_a_worker_raises_comes_through_as_one_error(two_nodes, make_photos, tmp_path, network):
    folder = make_photos(count=2)
    source = source_of_listing(list_photos(folder))
    for file in folder.rglob("*.png"):
        file.unlink()
    with pytest.raises(PhotosError, match=r"^\S+ sees none of the 4 photos"):
        extract(source, Evaluated(network, 40, precision="float32"), on=on_ray(tmp_path),
                place=CachePlace.default(), progress=Silent())  # fmt: skip


def test_workers_that_fit_nowhere_are_refused(two_nodes):
    with pytest.raises(EngineError, match=r"each wants 64 cores .*the largest has 1 cores"):
        worker_count(Workers(cores=64))


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:1"])
def test_an_address_that_does_not_answer_is_one_error(address, monkeypatch):
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    begin = time.monotonic()
    with pytest.raises(EngineError, match=rf"ray='{address}'.*(HOST:PORT)"), cluster(address):
        pass
    assert time.monotonic() - begin < joining.CONNECT_SECONDS + 5


def test_an_address_that_is_not_ray_is_one_error(monkeypatch):
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr(joining, "JOIN_SECONDS", 2.0)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(EngineError, match="did not answer as Ray in 2 s"), cluster(address):
            pass


def test_training_on_photos_that_only_the_cluster_reaches_is_refused(make_photos, tmp_path):
    import headstart

    uri = make_photos(count=4).as_uri()
    with pytest.raises(ArgumentError, match=r"end_to_end=5 trains .* Use --end-to-end 0"):
        headstart.tune(uri, backbone="Starter", out=tmp_path / "tuned", ray="auto")
    with pytest.raises(PhotosError, match="only a cluster reads: add --ray"):
        headstart.choose(uri, backbones=["Starter"])


def test_ray_alone_means_the_cluster_of_this_machine():
    from headstart.cli.options import with_ray_address as given

    assert given(["photos", "--ray"]) == ["photos", "--ray", "auto"]
    assert given(["--ray", "--json", "photos"]) == ["--ray", "auto", "--json", "photos"]
    assert given(["--ray", "local", "photos"]) == ["--ray", "local", "photos"]
    assert given(["photos", "--", "--ray"]) == ["photos", "--", "--ray"]


def test_shards_without_a_cluster_are_refused(make_photos, tmp_path):
    import headstart

    with pytest.raises(ArgumentError, match="none is named: add --ray"):
        headstart.train(make_photos(count=2), shards=str(tmp_path))
