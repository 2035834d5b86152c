"""What a classifier can be exported to, in which precisions, and what that takes."""

from dataclasses import dataclass
from importlib.util import find_spec

from headstart.errors import ArgumentError, MissingPackageError, near_matches

PRECISIONS = ("float32", "float16", "int8")


@dataclass(frozen=True, slots=True)
class Format:
    """A format of model files.

    Attributes:
        name: as `--to` has it.
        file: the model in an export's folder; a folder for SavedModel.
        loader: the file in `standalone` that loads it, and travels as `run.py`.
        precisions: that can be had, float32 first.
        packages: to import, with the `pip install` argument that brings each.
        needs_tensorflow: whether Keras writes it on TensorFlow alone.
    """

    name: str
    file: str
    loader: str
    precisions: tuple[str, ...]
    packages: tuple[tuple[str, str], ...] = ()
    needs_tensorflow: bool = False


_EXPORT, _CPU = "'headstart[export]'", "'headstart[cpu]'"

FORMATS = {
    each.name: each
    for each in (
        Format(
            "onnx", "model.onnx", "onnxruntime", ("float32", "float16"),
            (("onnx", _EXPORT), ("onnxruntime", _EXPORT), ("tf2onnx", _EXPORT)), True,
        ),
        Format(
            "litert", "model.tflite", "litert", PRECISIONS, (("ai_edge_litert", _EXPORT),), True
        ),
        Format("openvino", "model.xml", "openvino", PRECISIONS, (("openvino", _CPU),)),
        Format("savedmodel", "model", "tensorflow", ("float32",), (), True),
        Format("keras", "model.keras", "keras", ("float32",)),
        Format("weights", "model.weights.h5", "keras_weights", ("float32",)),
    )
}  # fmt: skip
"""By name, as `headstart export --to` takes them."""


def find_format(to: str, precision: str) -> Format:
    """Returns a format in which a precision can be had, when all that it takes is installed.

    Raises:
        ArgumentError: for an unknown format, or a precision that it does not have.
        MissingPackageError: with the pip command.

    Example:
        >>> find_format("litert", "int8").file
        'model.tflite'
    """
    if to not in FORMATS:
        raise ArgumentError(
            f"to={to!r} is unknown. Choose one of {', '.join(FORMATS)}." + near_matches(to, FORMATS)
        )
    found = FORMATS[to]
    if precision not in found.precisions:
        others = [each.name for each in FORMATS.values() if precision in each.precisions]
        there = f" {precision} can be had as {' or '.join(others)}." if others else ""
        raise ArgumentError(
            f"precision={precision!r} cannot be had as {to}. "
            f"Choose {' or '.join(found.precisions)}.{there}"
        )
    packages = found.packages
    if found.needs_tensorflow:
        packages += (("tensorflow", _CPU),)
    if (to, precision) == ("openvino", "int8"):
        packages += (("nncf", _EXPORT),)
    for package, source in packages:
        if find_spec(package) is None:
            raise MissingPackageError(
                f"to={to!r} in {precision} needs {package}: pip install {source}."
            )
    return found
