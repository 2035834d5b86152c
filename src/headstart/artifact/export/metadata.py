"""A contract inside a model file, in the place that its format has for such things."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headstart.files import atomic_file

KEY = "headstart"
MEMBER = "headstart.json"


def embed(to: str, file: Path, text: str) -> None:
    """Writes a contract into a model file that is there already.

    ONNX has `metadata_props`, LiteRT a metadata buffer, SavedModel the folder `assets.extra`, a
    `.keras` file its `metadata.json`, an HDF5 file attributes. OpenVINO's `rt_info` is set before
    its file is written.

    Args:
        to: name of the format.
        file: the model.
        text: the contract as JSON.
    """
    _PLACES[to](file, text)


def describe_openvino(model: Any, text: str) -> None:
    """Puts a contract into `rt_info` of an OpenVINO model in memory."""
    model.set_rt_info(text, [KEY, "contract"])


def _onnx(file: Path, text: str) -> None:
    import onnx

    model = onnx.load(file)
    onnx.helper.set_model_props(model, {KEY: text})
    onnx.save(model, file)


def _litert(file: Path, text: str) -> None:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(file))
    buffer = schema.BufferT()
    buffer.data = list(text.encode())
    entry = schema.MetadataT()
    entry.name, entry.buffer = MEMBER.encode(), len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or ()), entry]
    flatbuffer_utils.write_model(model, str(file))


def _savedmodel(folder: Path, text: str) -> None:
    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    (extra / MEMBER).write_text(text, "utf-8")


def _keras(file: Path, text: str) -> None:
    with (
        atomic_file(file) as written,
        zipfile.ZipFile(file) as old,
        zipfile.ZipFile(written, "w") as new,
    ):
        for member in old.infolist():
            content = old.read(member)
            if member.filename == "metadata.json":
                content = json.dumps(json.loads(content) | {KEY: json.loads(text)}).encode()
            new.writestr(member, content)


def _weights(file: Path, text: str) -> None:
    import h5py

    with h5py.File(file, "a") as opened:
        # An attribute has room for 64 kB, which thousands of class names may need more than.
        opened.attrs[KEY] = text if len(text.encode()) < 60_000 else "see contract.json"


_PLACES: dict[str, Callable[[Path, str], None]] = {
    "onnx": _onnx,
    "litert": _litert,
    "savedmodel": _savedmodel,
    "keras": _keras,
    "weights": _weights,
}
