"""A model card: what a classifier is for and how good it is, in Markdown."""

import re
from typing import Any

from headstart.artifact.manifest import Manifest

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~&$])")


def plain(text: object) -> str:
    r"""Returns text that Markdown shows as it is: one line, nothing in it is markup or HTML.

    Example:
        >>> plain("<b>*cat*</b>")
        '\\<b\\>\\*cat\\*\\</b\\>'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def model_card(manifest: Manifest) -> str:
    """Writes the card of a run.

    Source of the form: Mitchell et al., Model Cards for Model Reporting, FAT* 2019.
    """
    names = manifest.class_names
    lines = [
        f"# Classifier: {_few(names, 6)}",
        "",
        f"An image classifier of {len(names)} classes, made with Headstart: "
        f"{plain(manifest.backbone['name'])}, "
        + (
            "fine-tuned."
            if manifest.head.get("kept") == "fine-tuned"
            else "frozen, with a new head."
        ),
        "",
        "## Use",
        "",
        f"- Input: RGB photos, 0..255, {manifest.image_size} x {manifest.image_size} pixels; "
        "preprocessing is inside.",
        "- Output: one probability a class, in this order: " + _few(names, 50) + ".",
        "- Meant for photos like those it was trained on. It calls every photo one of its classes;",
        "  `headstart predict` says where a photo is unlike them, or where it is not sure.",
        "",
        "## How good it is",
        "",
        *_quality(manifest.metrics),
        *_calibration(manifest),
        "",
        "## Data",
        "",
        *_data(manifest.photos),
        "",
        "## Made from",
        "",
        f"- Backbone: {plain(manifest.backbone['name'])}, weights "
        f"{plain(manifest.backbone['weights'])}, licence {plain(manifest.backbone['licence'])}.",
        f"- Paper: {manifest.backbone['paper']}",
        f"- Seed {manifest.seed}; "
        + ", ".join(f"{plain(name)} {plain(number)}" for name, number in manifest.versions.items())
        + ".",
        "- Repeat it: `headstart train --recipe recipe.toml`",
        "",
    ]
    return "\n".join(lines)


def _few(names: tuple[str, ...], count: int) -> str:
    more = len(names) - count
    return ", ".join(map(plain, names[:count])) + (f" and {more} more" if more > 0 else "")


def _percent(value: float) -> str:
    return f"{value * 100:.1f} %"


def _quality(metrics: dict[str, Any] | None) -> list[str]:
    if metrics is None:
        return ["Nobody knows yet: there were no test photos."]
    interval, base = metrics["top_1_interval"], metrics["baselines"]
    lines = [
        f"On {metrics['count']} test photos that it neither learnt from nor was chosen by:",
        "",
        "| measure | value | 95 % interval |",
        "| --- | --- | --- |",
        f"| right (top-1) | {_percent(metrics['top_1'])} | {_percent(interval['low'])} to "
        f"{_percent(interval['high'])} |",
    ]
    for name in ("balanced_accuracy", "log_loss", "brier", "roc_auc"):
        found = metrics["intervals"].get(name)
        if metrics[name] is not None and found is not None:
            lines.append(
                f"| {name.replace('_', ' ')} | {metrics[name]:.4f} | {found['low']:.4f} to "
                f"{found['high']:.4f} |"
            )
    return [
        *lines,
        "",
        f"Always naming {plain(base['majority_class'])} would be right in "
        f"{_percent(base['majority_top_1'])}.",
    ]


def _calibration(manifest: Manifest) -> list[str]:
    found = manifest.calibration
    if not found or found["error_after"] is None:
        return []
    return [
        "",
        f"Probabilities are calibrated (temperature {found['temperature']:.3f}, fitted on "
        f"{found['photos']} held-out photos): expected calibration error "
        f"{found['error_before']:.4f} before, {found['error_after']:.4f} after.",
    ]


def _data(photos: dict[str, Any]) -> list[str]:
    counts = list(photos.get("train_per_class", {}).items())
    lines = [
        f"{photos['train']} photos to learn from, {photos['validation']} for validation, "
        f"{photos['test']} for the test; {photos['set_aside']} files set aside.",
        "",
        *(f"- {plain(name)}: {count} training photos" for name, count in counts[:50]),
    ]
    return lines if len(counts) <= 50 else [*lines, f"- and {len(counts) - 50} more classes"]
