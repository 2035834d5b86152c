"""A run's classifier in another format, kept when it gives the same answers there."""

import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headstart.artifact.export.contract import FILE as CONTRACT
from headstart.artifact.export.contract import contract
from headstart.artifact.export.formats import Format, find_format
from headstart.artifact.export.parity import Parity
from headstart.artifact.export.proof import copy_companions, run_apart
from headstart.artifact.run import Run, load_run
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError
from headstart.features.engine import backend_name, check_backend
from headstart.features.speed import machine_name
from headstart.files import atomic_folder
from headstart.heads.linear import both_classes
from headstart.process import keras_process
from headstart.progress import Progress, Silent
from headstart.workflow.export_bench import MODULE, Bench, Measured, bench, size_of
from headstart.workflow.golden import calibration_photos

PARITY = "parity.json"


@dataclass(frozen=True, slots=True)
class Export:
    """An exported classifier that was proven.

    Attributes:
        folder: holds the model, `contract.json`, `parity.json`, `preprocess.py` and `run.py`.
        model: the file in it; a folder for SavedModel.
        to: name of the format.
        precision: "float32", "float16" or "int8".
        measured: the export, as it was proven.
        reference: `model.keras` in float32, by Keras.
        by_default: OpenVINO once more, in the precision that it chooses here by itself.
        default_precision: which that is; None for other formats.
        machine: where the speeds were measured.
    """

    folder: Path
    model: Path
    to: str
    precision: str
    measured: Measured
    reference: Measured
    by_default: Measured | None
    default_precision: str | None
    machine: str

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them and `parity.json` keeps them."""
        return asdict(self) | {"folder": str(self.folder), "model": self.model.name}

    def __str__(self) -> str:
        found = self.measured.parity
        text = (
            f"{self.to} in {self.precision}: top-1 {found.top_1:.4f} on {found.photos} photos, "
            f"model.keras {found.reference_top_1:.4f}; probabilities differ by up to "
            f"{found.max_difference:.2g}"
        )
        return text if self.precision == "float32" else f"{text}. Kept: within one point of top-1"


def export(
    run: Run | str | Path,
    to: str,
    *,
    precision: str = "float32",
    out: str | Path | None = None,
    photos: str | Path | None = None,
    progress: Progress | None = None,
) -> Export:
    """Writes a run's classifier in another format and proves that it gives the same answers.

    The file is run by its own runtime, in a fresh process that cannot import this package, on
    photos of the test split. In float32 every probability must agree with `model.keras` to 1e-4;
    float16 and int8 may cost one point of top-1. What fails is not kept.

    Args:
        run: a run folder, or what `load_run` returned.
        to: "onnx", "litert", "openvino", "savedmodel", "keras" or "weights".
        precision: "float32"; "float16" (weights) for ONNX, LiteRT and OpenVINO; "int8" (weights and
            activations, calibrated on training photos) for LiteRT and OpenVINO.
        out: folder to write; must not exist. None takes `exports/TO-PRECISION` in the run folder.
        photos: labelled photos to prove it on; None takes the run's own test photos.
        progress: told how far it is.

    Raises:
        ArgumentError: when an argument does not fit.
        EngineError: when the export does not agree with `model.keras`.
        MissingPackageError: when a package is needed.
        PhotosError: when there is no photo to prove or calibrate it on.
        RunError: when the folder is no run or was damaged.

    Example:
        >>> import headstart
        >>> made = headstart.export(RUN, "onnx")  # doctest: +SKIP
        >>> made.model.name, made.measured.parity.max_difference < 1e-4  # doctest: +SKIP
        ('model.onnx', True)
    """
    opened = run if isinstance(run, Run) else load_run(run)
    wanted = find_format(to, precision)
    place = _place(opened, wanted, precision, out)
    backend, listener = _backend(wanted), progress or Silent()
    with bench(opened, backend, photos=photos, count=_count(precision), progress=listener) as given:
        return export_on(given, wanted, precision, out=place, progress=listener)


def export_on(
    given: Bench, wanted: Format, precision: str, *, out: Path, progress: Progress
) -> Export:
    """Converts, proves, and keeps the export when it is good."""
    with atomic_folder(out) as folder:
        _convert(given, wanted, precision, folder=folder, progress=progress)
        copy_companions(folder, wanted.loader)
        model = folder / wanted.file
        measured = _measure(given, folder, model, {})
        measured.parity.check(precision)
        by_default, default_precision = None, None
        if wanted.name == "openvino":
            by_default = _measure(given, folder, model, {"settings": {}})
            default_precision = _openvino_default(model)
        made = Export(
            folder=out,
            model=out / wanted.file,
            to=wanted.name,
            precision=precision,
            measured=measured,
            reference=given.measured,
            by_default=by_default,
            default_precision=default_precision,
            machine=machine_name(),
        )
        values = {key: value for key, value in made.to_dict().items() if key != "folder"}
        (folder / PARITY).write_text(json.dumps(values, indent=1) + "\n", "utf-8")
    return made


def _convert(
    given: Bench, wanted: Format, precision: str, *, folder: Path, progress: Progress
) -> None:
    calibration = None
    if precision == "int8":
        calibration = calibration_photos(
            given.run, folder=given.scratch, place=CachePlace.default(), progress=progress
        )
    progress.say(f"Writing {wanted.file} in {precision} and proving it...")
    apart = wanted.name == "openvino" and given.backend != "tensorflow"
    described = contract(given.run, precision=precision, batch=1 if apart else None)
    text = json.dumps(described, indent=1, ensure_ascii=False)
    (folder / CONTRACT).write_text(text + "\n", "utf-8")
    arguments = {
        "model_file": str(given.run.model_file),
        "folder": str(folder),
        "to": wanted.name,
        "precision": precision,
        "contract": text,
        "calibration": None if calibration is None else str(calibration),
    }
    if not apart:
        given.child.call(f"{MODULE}:convert", **arguments).result()
        return
    with keras_process("openvino") as child:
        child.call(f"{MODULE}:convert", **arguments).result()


def _measure(given: Bench, folder: Path, model: Path, arguments: dict[str, Any]) -> Measured:
    found = run_apart(folder, given.golden.file, backend=given.backend, **arguments)
    return Measured(
        found.runtime,
        size_of(model),
        found.photos_per_second,
        Parity.between(both_classes(found.answers), given.reference, given.golden.labels),
    )


def _place(run: Run, wanted: Format, precision: str, out: str | Path | None) -> Path:
    place = run.folder / "exports" / f"{wanted.name}-{precision}" if out is None else Path(out)
    if place.exists():
        raise ArgumentError(
            f"out={str(place)!r} exists already. Choose another name, or delete it to export again."
        )
    return place


def _backend(wanted: Format) -> str:
    """Chooses where Keras runs: TensorFlow, which writes all formats, where it is installed.

    Raises:
        ArgumentError: when Keras has OpenVINO alone, which cannot be its own reference.
    """
    if wanted.needs_tensorflow or find_spec("tensorflow") is not None:
        return "tensorflow"
    name = backend_name()
    if name == "openvino":
        raise ArgumentError(
            "An export is compared with Keras in float32 on TensorFlow, JAX or PyTorch, and only "
            "OpenVINO is here: pip install 'headstart[cpu]'."
        )
    check_backend()
    return name


def _count(precision: str) -> int:
    """One point of top-1 is two of 200 photos, which is too coarse to judge int8 by."""
    return 500 if precision == "int8" else 200


def _openvino_default(model: Path) -> str:
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU")
    short = str(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
    return {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}.get(short, short)
