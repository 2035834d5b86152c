import importlib.util
import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from headstart.backbones.starter import (
    STARTER_CUT_POINTS,
    STARTER_FEATURE_WIDTH,
    STARTER_IMAGE_SIZE,
    STARTER_WEIGHTS_FILE,
    starter,
    starter_metadata,
    starter_weights_digest,
)
from headstart.errors import ArgumentError

GLYPHS_OF_PRETRAINING = Path(__file__).parents[2] / "tools" / "starter_glyphs.py"
SHAPE = (STARTER_IMAGE_SIZE, STARTER_IMAGE_SIZE, 3)


def pretraining_tool():
    spec = importlib.util.spec_from_file_location("starter_glyphs", GLYPHS_OF_PRETRAINING)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def some_photos(count=3):
    return np.random.default_rng(0).uniform(-1, 1, (count, *SHAPE)).astype("float32")


def test_no_digit_was_among_the_pretraining_glyphs():
    glyphs = pretraining_tool().GLYPHS
    assert len(glyphs) > 250
    for glyph in glyphs:
        assert unicodedata.numeric(glyph, None) is None, glyph
        assert not any(sign.isdigit() for sign in unicodedata.normalize("NFKD", glyph)), glyph


def test_the_weights_were_made_from_those_glyphs():
    tool, metadata = pretraining_tool(), starter_metadata()
    assert metadata["classes"] == list(tool.CLASSES)
    assert metadata["fonts"] == list(tool.FONTS)
    assert metadata["pretraining_top_1"] > 0.65


def test_the_weights_file_is_small_and_needs_no_pickle():
    assert STARTER_WEIGHTS_FILE.stat().st_size < 2_000_000
    with np.load(STARTER_WEIGHTS_FILE, allow_pickle=False) as arrays:
        assert json.loads(str(arrays["metadata"]))["seed"] == 0
        assert all(np.isfinite(arrays[name]).all() for name in arrays.files if name != "metadata")


def test_digest_and_metadata_load_no_keras():
    code = (
        "import sys; from headstart.backbones.starter import *; starter_weights_digest(); "
        "starter_metadata(); sys.exit('keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert len(starter_weights_digest()) == 64


@pytest.mark.neutral
def test_pooling_gives_the_mean_of_the_map():
    photos = some_photos()
    feature_map = starter().predict(photos, verbose=0)
    features = starter(pooling="avg").predict(photos, verbose=0)
    assert features.shape == (3, STARTER_FEATURE_WIDTH)
    np.testing.assert_allclose(feature_map.mean(axis=(1, 2)), features, rtol=1e-4, atol=1e-5)


@pytest.mark.neutral
def test_an_input_tensor_makes_one_flat_model():
    import keras

    photo = keras.Input(SHAPE)
    prepared = keras.layers.Rescaling(1 / 127.5, offset=-1)(photo)
    joined = starter(input_tensor=prepared, pooling="avg")
    assert not any(isinstance(layer, keras.Model) for layer in joined.layers)
    photos = some_photos()
    np.testing.assert_allclose(
        joined.predict((photos + 1) * 127.5, verbose=0),
        starter(pooling="avg").predict(photos, verbose=0),
        atol=1e-4,
    )


def test_random_weights_differ_and_the_top_names_letters():
    photos = some_photos()
    random = starter(weights=None, pooling="max").predict(photos, verbose=0)
    assert not np.allclose(random, starter(pooling="max").predict(photos, verbose=0))
    letters = starter(include_top=True).predict(photos, verbose=0)
    assert letters.shape == (3, len(starter_metadata()["classes"]))
    np.testing.assert_allclose(letters.sum(axis=1), 1, atol=1e-4)


def test_cut_points_are_layers():
    model = starter()
    assert [model.get_layer(name).name for name in STARTER_CUT_POINTS] == list(STARTER_CUT_POINTS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "imagenet"}, "weights='imagenet'"),
        ({"pooling": "mean"}, "pooling='mean'"),
        ({"input_shape": (16, 16, 1)}, r"input_shape=\(16, 16, 1\)"),
        ({"input_shape": (4, 4, 3)}, "at least 8"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        starter(**arguments)
