"""Removing transposes changes the speed of a graph, never its values."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.backbones.frozen import FrozenSpec
from headstart.process import KerasProcess

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")

from headstart.features.graph import BATCH_SIZE  # noqa: E402
from headstart.features.layout import remove_transposes  # noqa: E402

# The smallest network of every family that Keras' OpenVINO backend converts, and its smallest size.
FAMILIES = [
    ("Starter", 32), ("VGG16", 32), ("ResNet50", 32), ("ResNet50V2", 32), ("Xception", 71),
    ("InceptionV3", 75), ("InceptionResNetV2", 75), ("MobileNet-0.25", 32), ("MobileNetV2", 32),
    ("MobileNetV3Small", 32), ("DenseNet121", 32), ("NASNetMobile", 32), ("EfficientNetB0", 32),
    ("EfficientNetV2B0", 32), ("ConvNeXtTiny", 32),
]  # fmt: skip


def answer(file: Path, photos: np.ndarray, *, optimise: bool) -> tuple[np.ndarray, int]:
    core = openvino.Core()
    model = core.read_model(file)
    left = remove_transposes(model) if optimise else -1
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(photos)[0].copy(), left


@pytest.mark.parametrize(("backbone", "image_size"), FAMILIES)
def test_the_values_of_every_family_stay(
    backbone: str,
    image_size: int,
    openvino_keras: KerasProcess,
    frozen_spec: Callable[..., FrozenSpec],
    tmp_path: Path,
) -> None:
    spec = frozen_spec(backbone, image_size=image_size)
    openvino_keras.call(
        "headstart.features.graph:export_frozen", spec=spec.as_json(), file=str(tmp_path / "m.xml")
    ).result()
    photos = np.random.default_rng(0).integers(0, 255, (BATCH_SIZE, image_size, image_size, 3))
    plain, _ = answer(tmp_path / "m.xml", photos.astype(np.float32), optimise=False)
    faster, left = answer(tmp_path / "m.xml", photos.astype(np.float32), optimise=True)
    scale = np.abs(plain).max()
    np.testing.assert_allclose(faster / scale, plain / scale, atol=2e-5)
    # One at the input; around croppings, 1 x 1 maps and channels-last normalisation more must stay.
    most = {"NASNetMobile": 9, "EfficientNetB0": 17, "EfficientNetV2B0": 17, "ConvNeXtTiny": 37}
    assert left <= most.get(backbone, 1)
