"""`model.keras` in another format, written where Keras is; called by name through `process`."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.export.formats import FORMATS
from headstart.artifact.export.metadata import describe_openvino, embed
from headstart.artifact.export.standalone.prove import evaluate


def answer(model_file: str, photos: str, answers: str) -> dict[str, Any]:
    """Evaluates golden photos by `model.keras` in float32, as `standalone.prove` does an export.

    Args:
        model_file: the classifier.
        photos: `.npy` file, uint8 (N, S, S, 3).
        answers: `.npy` file to write, float32 (N, K).

    Returns:
        `runtime` and `photos_per_second`.
    """
    import keras

    model = keras.models.load_model(model_file, compile=False)
    rows, speed = evaluate(model.predict_on_batch, photos)
    np.save(answers, rows, allow_pickle=False)
    runtime = f"keras {keras.__version__} on {keras.backend.backend()}"
    return {"runtime": runtime, "photos_per_second": speed}


def convert(
    model_file: str, folder: str, *, to: str, precision: str, contract: str, calibration: str | None
) -> None:
    """Writes a classifier in another format, with its contract inside.

    Args:
        model_file: `model.keras`.
        folder: where to write, under the name that the format has.
        to: name of the format.
        precision: that it has.
        contract: as JSON.
        calibration: `.npy` file of photos, uint8 (N, S, S, 3), for int8.
    """
    file = Path(folder, FORMATS[to].file)
    if to == "keras":
        shutil.copyfile(model_file, file)
        embed(to, file, contract)
        return
    import keras

    model = keras.models.load_model(model_file, compile=False)
    photos = None
    if calibration is not None:
        photos = np.load(calibration, mmap_mode="r", allow_pickle=False)
    if to == "openvino":
        _openvino(model, file, precision=precision, contract=contract, calibration=photos)
        return
    if to == "onnx":
        _onnx(model, file, precision)
    elif to == "litert":
        from headstart.artifact.export.tensorflow import write_litert

        write_litert(model, file, precision=precision, calibration=photos)
    elif to == "savedmodel":
        model.export(str(file), format="tf_saved_model", verbose=False)
    else:
        model.save_weights(file)
        file.with_name("architecture.json").write_text(model.to_json(indent=1), "utf-8")
    embed(to, file, contract)


def _signature(model: Any, *, batch: int | None) -> list[Any]:
    import keras

    (image,) = model.inputs
    return [keras.InputSpec(shape=(batch, *image.shape[1:]), dtype="float32", name="image")]


def _onnx(model: Any, file: Path, precision: str) -> None:
    import onnx

    signature = _signature(model, batch=None)
    model.export(str(file), format="onnx", verbose=False, input_signature=signature)
    written = onnx.load(file)
    for value in (*written.graph.input, *written.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    if precision == "float16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        written = convert_float_to_float16(written, keep_io_types=True)
    onnx.save(written, file)


def _openvino(
    model: Any, file: Path, *, precision: str, contract: str, calibration: NDArray[np.uint8] | None
) -> None:
    import keras
    import openvino

    # Keras' own OpenVINO backend writes the number of photos into some reshapes, so it has to be
    # fixed there; TensorFlow's graph leaves it open.
    batch = 1 if keras.backend.backend() == "openvino" else None
    signature = _signature(model, batch=batch)
    with tempfile.TemporaryDirectory() as folder:
        plain = str(Path(folder, "model.xml"))
        model.export(plain, format="openvino", verbose=False, input_signature=signature)
        graph = openvino.Core().read_model(plain)
        if calibration is not None:
            graph = _quantized(graph, calibration)
        graph.inputs[0].tensor.set_names({"image"})
        graph.outputs[0].tensor.set_names({"probabilities"})
        describe_openvino(graph, contract)
        openvino.save_model(graph, file, compress_to_fp16=precision == "float16")


def _quantized(graph: Any, photos: NDArray[np.uint8]) -> Any:
    # NNCF counts its users over the network unless it believes to be tested.
    os.environ.setdefault("NNCF_CI", "1")
    import nncf

    samples = nncf.Dataset(range(len(photos)), lambda at: photos[at][None].astype(np.float32))
    # "Mixed" lets activations be asymmetric, which those of swish and its like are.
    preset = nncf.QuantizationPreset.MIXED
    return nncf.quantize(graph, samples, preset=preset, subset_size=len(photos))
