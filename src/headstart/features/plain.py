"""A saved model on plain Keras, beside what the engine makes of it.

Engines are compared with float32 on OpenVINO, and the networks of the catalogue were compared with
Keras when this package was made. A model of a stranger's may hold a layer that Keras on OpenVINO
computes otherwise (it resizes without `antialias`, for one), so it is compared on this machine.
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headstart.data.store import CachePlace
from headstart.features.engine import backend_name
from headstart.features.graph import BATCH_SIZE, graph_of
from headstart.features.networks import SavedClassifier, split_answer
from headstart.process import keras_process

TOLERANCE = {"float32": 2e-3, "float16": 0.05, "bfloat16": 0.1}
"""Of probabilities, by the precision of the engine."""


def largest_difference(
    network: SavedClassifier, photos: NDArray[np.uint8], *, place: CachePlace, precision: str
) -> float | None:
    """Compares OpenVINO with Keras' own backend on some photos.

    Args:
        network: a saved classifier.
        photos: uint8 (N, S, S, 3); a few are enough.
        place: where graphs are kept.
        precision: of the engine.

    Returns:
        The largest difference of any answer; None where Keras has no backend of its own here.
    """
    from headstart.features.openvino import trusted_engine

    backend = backend_name()
    if backend == "openvino" or find_spec(backend) is None:
        return None
    graph = graph_of(place, network.digest)
    if not graph.is_ready:
        network.convert(graph).result()
    engine = trusted_engine(graph, precision)
    parts = (photos[i : i + BATCH_SIZE] for i in range(0, len(photos), BATCH_SIZE))
    ours = np.concatenate(list(engine.run(parts)))
    theirs = _plain_answers(network.file, photos, backend)
    _, answered = split_answer(ours, theirs.shape[1])
    return float(np.abs(answered - theirs).max())


def answer(model_file: str, photos: str, answers: str) -> None:
    """Evaluates photos in a file and writes the answers; runs in a process of its own."""
    import keras

    model = keras.models.load_model(model_file, compile=False)
    pixels = np.load(photos, allow_pickle=False).astype(np.float32)
    np.save(answers, np.asarray(model(pixels, training=False), np.float32), allow_pickle=False)


def _plain_answers(
    model_file: Path, photos: NDArray[np.uint8], backend: str
) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory() as folder, keras_process(backend) as child:
        given, answers = Path(folder, "photos.npy"), Path(folder, "answers.npy")
        np.save(given, photos, allow_pickle=False)
        child.call(
            "headstart.features.plain:answer",
            model_file=str(model_file), photos=str(given), answers=str(answers),
        ).result()  # fmt: skip
        return np.asarray(np.load(answers, allow_pickle=False), np.float32)
