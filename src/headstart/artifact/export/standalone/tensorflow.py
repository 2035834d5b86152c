"""Loads this export with TensorFlow: pip install tensorflow."""

from pathlib import Path
from typing import Any

import tensorflow

RUNTIME = f"tensorflow {tensorflow.__version__}"


def load(folder: Path = Path(__file__).parent) -> Any:
    """Returns a function: photos float32 (N, S, S, 3) in, answers (N, K) out."""
    model = tensorflow.saved_model.load(str(folder / "model"))
    return lambda photos: model.serve(tensorflow.constant(photos)).numpy()
