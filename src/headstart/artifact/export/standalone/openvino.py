"""Loads this export with OpenVINO: pip install openvino."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openvino

RUNTIME = f"openvino {openvino.__version__.partition('-')[0]}"
PROVEN = {"INFERENCE_PRECISION_HINT": "f32"}
"""What the export was proven with. Without it, OpenVINO computes in bfloat16 on processors that
can; parity.json says by how much that differed."""


def load(folder: Path = Path(__file__).parent, settings: Mapping[str, Any] = PROVEN) -> Any:
    """Returns a function: photos float32 (N, S, S, 3) in, answers (N, K) out."""
    compiled = openvino.Core().compile_model(folder / "model.xml", "CPU", dict(settings))
    if compiled.input(0).partial_shape.is_dynamic:
        return lambda photos: compiled(photos)[0].copy()
    return lambda photos: np.concatenate([compiled(photo[None])[0] for photo in photos])
