"""What whoever runs an export has to know: class names, pixels in, answers out, licence."""

from importlib.metadata import version
from typing import Any

from headstart.artifact.manifest import Manifest
from headstart.artifact.run import Run
from headstart.artifact.trust import FILE as TRUST_FILE
from headstart.artifact.trust import read_trust

FORMAT = 1
FILE = "contract.json"
COVERAGES = (0.9, 0.95, 0.99)

RESIZE = (
    "EXIF orientation applied, transparency over white, converted to RGB; the whole picture "
    "resized to the square with Pillow's BILINEAR filter, reducing_gap=3; JPEGs of over 1280 "
    "pixels a side unpacked at 1/2, 1/4 or 1/8 before, by draft to 640. See preprocess.py."
)


def contract(run: Run, *, precision: str, batch: int | None) -> dict[str, Any]:
    """Describes an export in plain values.

    Args:
        run: whose classifier it is.
        precision: "float32", "float16" or "int8".
        batch: how many photos a call takes; None for any number.
    """
    manifest = run.manifest
    size, outputs = manifest.image_size, _outputs(manifest)
    backbone = manifest.backbone
    return {
        "format": FORMAT,
        "made_by": f"headstart {version('headstart')}",
        "class_names": list(manifest.class_names),
        "input": {
            "shape": [batch, size, size, 3],
            "axes": "photo, row, column, colour",
            "dtype": "float32",
            "colour_order": "RGB",
            "range": [0, 255],
            "resize": RESIZE,
            "normalisation": "none: it is inside the model",
        },
        "output": {
            "shape": [batch, outputs],
            "dtype": "float32",
            "meaning": "probabilities in the order of class_names"
            if outputs > 1
            else f"probability of {manifest.class_names[1]!r}; the other class has the rest",
        },
        "precision": precision,
        "backbone": {
            key: backbone.get(key)
            for key in ("name", "weights", "weights_sha256", "licence", "paper")
        },
        "calibration": _calibration(manifest),
        "not_sure": _not_sure(run),
        "model_sha256": manifest.digests["model.keras"],
    }


def _outputs(manifest: Manifest) -> int:
    return int(manifest.backbone.get("outputs") or len(manifest.class_names))


def _calibration(manifest: Manifest) -> dict[str, Any]:
    fitted = manifest.calibration or {}
    return {
        "temperature": manifest.temperature,
        "is_folded_in": True,
        "fitted_on": fitted.get("fitted_on", "nothing"),
        "expected_calibration_error": fitted.get("error_after"),
    }


def _not_sure(run: Run) -> dict[str, Any] | None:
    """The limits by which several classes may be meant; None where nothing was held out."""
    if TRUST_FILE not in run.manifest.digests:
        return None
    run.check(TRUST_FILE)
    learnt = read_trust(run.folder / TRUST_FILE).conformal
    if learnt is None:
        return None
    return {
        "rule": "Beside the likeliest class, every class is meant whose probability is at least "
        "1 - limit. With more than one class meant, the classifier is not sure.",
        "limit_by_coverage": {str(each): learnt.limit(each) for each in COVERAGES},
    }
