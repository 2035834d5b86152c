"""Loads this export with ONNX Runtime: pip install onnxruntime."""

from pathlib import Path
from typing import Any

import onnxruntime

RUNTIME = f"onnxruntime {onnxruntime.__version__}"


def load(folder: Path = Path(__file__).parent) -> Any:
    """Returns a function: photos float32 (N, S, S, 3) in, answers (N, K) out."""
    file = str(folder / "model.onnx")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda photos: session.run(None, {name: photos})[0]
