"""Weights are found where they lie, and a wrong file is named before it touches a network."""

import dataclasses
import functools
import hashlib
import os
import subprocess
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from headstart.backbones.catalogue import find_backbone
from headstart.backbones.surgery import build_frozen
from headstart.backbones.weights import (
    WeightsSource,
    available_offline,
    find_weights,
    load_weights,
)
from headstart.errors import ArgumentError, WeightsError
from headstart.progress import Silent

DATA = Path(os.environ.get("HEADSTART_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
MODELS = DATA / "keras_home" / "models"
NARROW = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
WITH_TOP = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"

# Keras 3.15 on TensorFlow with NumPy 2: keras/src/backend/tensorflow/core.py, convert_to_numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

needs_weights = pytest.mark.skipif(
    not MODELS.is_dir(), reason=f"no ImageNet weights at {MODELS} (HEADSTART_TEST_DATA)"
)


def built(name):
    """A network of 32-pixel photos, without top and with Keras' own random weights."""
    backbone = find_backbone(name)
    return backbone, backbone.build(input_tensor=keras.Input((32, 32, 3)), pooling="avg")


def refusal(path, *, name="MobileNetV2-0.35"):
    """The message with which a file is refused; the network stays as it was."""
    backbone, model = built(name)
    before = model.get_weights()
    with pytest.raises(WeightsError) as error:
        load_weights(model, find_weights(backbone, str(path)), backbone=backbone)
    assert all(map(np.array_equal, before, model.get_weights()))
    return str(error.value)


def same_weights(one, other):
    return all(map(np.array_equal, one.get_weights(), other.get_weights()))


@needs_weights
def test_imagenet_weights_are_found_in_keras_home(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(DATA / "keras_home"))
    source = find_weights(find_backbone("MobileNetV2-0.35"), "imagenet")
    assert (source.kind, source.path) == ("imagenet", MODELS / NARROW)
    assert len(source.digest) == 64
    assert {"Starter", "MobileNetV2", "MobileNetV2-0.35"} <= set(available_offline())
    assert "VGG16" not in available_offline()


@needs_weights
def test_imagenet_weights_are_those_that_keras_loads(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(DATA / "keras_home"))
    backbone, model = built("MobileNetV2")
    source = find_weights(backbone, "imagenet")
    load_weights(model, source, backbone=backbone)
    reference = keras.applications.MobileNetV2(include_top=False, weights=str(source.path))
    assert same_weights(model, reference)


@needs_weights
def test_a_file_with_its_top_fits_a_network_without():
    backbone, model = built("MobileNetV2")
    load_weights(model, find_weights(backbone, str(MODELS / WITH_TOP)), backbone=backbone)
    whole = keras.applications.MobileNetV2(weights=str(MODELS / WITH_TOP))
    assert same_weights(model, keras.Model(whole.input, whole.get_layer("out_relu").output))


@needs_weights
def test_a_file_of_another_width_is_refused_by_layer_and_shape():
    message = refusal(MODELS / NARROW, name="MobileNetV2")
    assert "is not of MobileNetV2: layer 'Conv1' needs kernel of shape (3, 3, 3, 32)" in message
    assert "the file has (3, 3, 3, 16) (at Conv1/Conv1/kernel)" in message
    assert str(MODELS / NARROW) in message


def test_a_file_of_a_shorter_network_is_refused(tmp_path):
    model = built("MobileNetV2-0.35")[1]
    shorter = keras.Model(model.input, model.get_layer("block_5_add").output)
    path = tmp_path / "shorter.h5"
    save_legacy(shorter, path)
    assert "the first one missing is kernel of layer 'block_6_expand'" in refusal(path)


def save_legacy(model, path):
    """Writes the layout of Keras 2, as every file of keras.applications has it."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name] = value


@pytest.mark.parametrize("layout", ["legacy", "keras3", "whole model"])
def test_every_layout_that_keras_writes_is_read(tmp_path, layout):
    backbone, saved = built("MobileNetV3Small")
    path = tmp_path / ("saved.weights.h5" if layout == "keras3" else "saved.h5")
    write = {
        "legacy": lambda: save_legacy(saved, path),
        "keras3": lambda: saved.save_weights(path),
        "whole model": lambda: saved.save(path),
    }
    write[layout]()
    model = built("MobileNetV3Small")[1]
    assert not same_weights(model, saved)
    load_weights(model, find_weights(backbone, str(path)), backbone=backbone)
    assert same_weights(model, saved)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"version https://git-lfs", "is not HDF5"), (b"\x89HDF\r\n\x1a\n", "dam")],
)
def test_what_is_no_weights_file_is_refused(tmp_path, content, reason):
    path = tmp_path / "broken.h5"
    path.write_bytes(content)
    message = refusal(path)
    assert reason in message
    assert str(path) in message


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path, part):
    whole, path = tmp_path / "whole.h5", tmp_path / "part.h5"
    save_legacy(built("MobileNetV2-0.35")[1], whole)
    path.write_bytes(whole.read_bytes()[: int(part * whole.stat().st_size)])
    assert "is damaged or cut off" in refusal(path)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["temperature"] = [1.0]
    assert "holds no Keras weights" in refusal(tmp_path / "other.h5")


def test_a_broken_list_of_layers_is_refused(tmp_path):
    save_legacy(built("MobileNetV2-0.35")[1], tmp_path / "bad.h5")
    with h5py.File(tmp_path / "bad.h5", "a") as file:
        del file["Conv1"]
    assert "lacks /Conv1" in refusal(tmp_path / "bad.h5")


@pytest.mark.parametrize("kind", ["external", "soft"])
def test_links_in_a_file_are_not_followed(tmp_path, kind):
    save_legacy(built("MobileNetV2-0.35")[1], tmp_path / "target.h5")
    save_legacy(built("MobileNetV2-0.35")[1], tmp_path / "linked.h5")
    with h5py.File(tmp_path / "linked.h5", "a") as file:
        del file["Conv1"]
        links = {
            "external": h5py.ExternalLink(str(tmp_path / "target.h5"), "/Conv1"),
            "soft": h5py.SoftLink("/bn_Conv1"),
        }
        file["Conv1"] = links[kind]
    assert "holds a link at /Conv1, which is not followed" in refusal(tmp_path / "linked.h5")


def test_arrays_kept_in_another_file_are_not_read(tmp_path):
    save_legacy(built("MobileNetV2-0.35")[1], tmp_path / "outside.h5")
    (tmp_path / "secret").write_bytes(bytes(3 * 3 * 3 * 16 * 4))
    with h5py.File(tmp_path / "outside.h5", "a") as file:
        del file["Conv1/Conv1/kernel:0"]
        external = [(str(tmp_path / "secret"), 0, 3 * 3 * 3 * 16 * 4)]
        file["Conv1"].create_dataset("Conv1/kernel:0", (3, 3, 3, 16), np.float32, external=external)
    assert "holds no plain array of numbers" in refusal(tmp_path / "outside.h5")


def test_without_a_network_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing answers there
    started = time.monotonic()
    with pytest.raises(WeightsError) as error:
        find_weights(find_backbone("VGG16"), "imagenet")
    name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert f"keras-applications/vgg16/{name}" in str(error.value)
    assert f"put it at {tmp_path / 'models' / name}" in str(error.value)
    assert "you can use: Starter; or --weights none" in str(error.value)
    assert time.monotonic() - started < 15
    assert list((tmp_path / "models").iterdir()) == []


@pytest.fixture
def serve(tmp_path):
    """Serves a folder over HTTP on this machine, by a server of its own."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def send_header(self, name, value):
        if name == "Content-Length" and self.path.endswith("cut_off.h5"):
            value = "5000000"  # more than will come
        super().send_header(name, value)


class Steps(Silent):
    def __init__(self):
        self.steps = []

    def step(self, station, done, total):
        self.steps.append((station, done, total))


def test_a_download_arrives_whole_and_is_compared_with_its_hash(tmp_path, monkeypatch, serve):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folder, address = serve
    content = bytes(range(256)) * 12_000
    (folder / "weights.h5").write_bytes(content)
    backbone = dataclasses.replace(
        find_backbone("VGG16"),
        weights_url=f"{address}/weights.h5",
        weights_hash=hashlib.md5(content).hexdigest(),
    )
    progress = Steps()
    source = find_weights(backbone, "imagenet", progress=progress)
    assert source.path == tmp_path / "keras" / "models" / backbone.weights_file
    assert source.path.read_bytes() == content
    assert source.digest == hashlib.sha256(content).hexdigest()
    assert progress.steps[-1] == ("weights, MB", 3, 3)
    (folder / "weights.h5").unlink()
    assert find_weights(backbone, "imagenet") == source, "downloaded once"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("other.h5", "not the published file"),
        ("cut_off.h5", "ended after 3,000 of 5,000,000 bytes"),
        ("missing.h5", "404"),
    ],
)
def test_a_download_that_fails_leaves_nothing(tmp_path, monkeypatch, serve, name, reason):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folder, address = serve
    for served in ("other.h5", "cut_off.h5"):
        (folder / served).write_bytes(bytes(3000))
    backbone = dataclasses.replace(find_backbone("VGG16"), weights_url=f"{address}/{name}")
    with pytest.raises(WeightsError, match=reason):
        find_weights(backbone, "imagenet")
    assert list((tmp_path / "keras" / "models").iterdir()) == []


def test_unknown_weights_are_answered_with_what_there_is():
    with pytest.raises(ArgumentError) as error:
        find_weights(find_backbone("VGG16"), "imagnet")
    assert "weights='imagnet' is neither a file nor known for VGG16" in str(error.value)
    assert "Did you mean imagenet?" in str(error.value)
    with pytest.raises(ArgumentError, match="Expected 'starter', 'none' or the path"):
        find_weights(find_backbone("Starter"), "imagenet")


def test_random_weights_have_a_digest_of_their_seed():
    backbone = find_backbone("VGG16")
    one, same, other = (find_weights(backbone, "none", seed=seed) for seed in (1, 1, 2))
    assert one == same == WeightsSource(kind="none", path=None, digest=one.digest)
    assert one.digest != other.digest


def digest_of_random_weights():
    backbone = find_backbone("MobileNetV2-0.35")
    source = find_weights(backbone, "none", seed=5)
    model = build_frozen(backbone, image_size=32, pooling="avg", weights=source, seed=5)
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()


def test_one_seed_draws_the_same_weights_on_every_backend():
    done = subprocess.run(
        [sys.executable, __file__],
        env=os.environ | {"KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == digest_of_random_weights()


def test_the_starter_brings_its_own_weights():
    backbone = find_backbone("Starter")
    source = find_weights(backbone, backbone.default_weights)
    model = build_frozen(backbone, image_size=16, pooling="avg", weights=source)
    assert source.kind == "starter"
    with np.load(source.path, allow_pickle=False) as arrays:
        kernel = arrays["block1_conv1/kernel"]
    assert np.array_equal(model.get_layer("block1_conv1").get_weights()[0], kernel)


def test_efficientnet_is_scaled_as_keras_scales_its_imagenet_weights(tmp_path):
    deviation = np.float32([0.229, 0.224, 0.225])
    backbone, saved = built("EfficientNetB0")
    normalization = next(x for x in saved.layers if isinstance(x, keras.layers.Normalization))
    normalization.set_weights([np.zeros(3), deviation, np.array(0)])
    saved.save_weights(tmp_path / "efficientnet.weights.h5")
    source = find_weights(backbone, str(tmp_path / "efficientnet.weights.h5"))
    model = build_frozen(backbone, image_size=32, pooling="avg", weights=source)
    red = np.zeros((1, 32, 32, 3), np.float32)
    red[..., 0] = 255.0
    until = keras.Model(model.input, model.get_layer("normalization").output)
    assert until.predict(red, verbose=0)[0, 0, 0, 0] == pytest.approx(1 / 0.229, rel=1e-5)


if __name__ == "__main__":
    print(digest_of_random_weights())
