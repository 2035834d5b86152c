"""The report of a run: one page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from headstart.artifact.manifest import Manifest
from headstart.files import atomic_file
from headstart.report.card import model_card
from headstart.report.charts import draw_learning, draw_reliability
from headstart.report.content import Content, Group
from headstart.report.training import describe_training

MATRIX_CLASSES = 20
"""Past so many classes the confusion matrix is a list of the commonest confusions."""

REPORT, CARD = "report.html", "model_card.md"

_MEASURES = {
    "top_1": "top-1", "top_5": "top-5", "balanced_accuracy": "balanced accuracy",
    "roc_auc": "ROC AUC", "average_precision": "average precision", "log_loss": "log loss",
    "brier": "Brier score", "expected_calibration_error": "expected calibration error",
}  # fmt: skip


def write_report(
    folder: Path,
    *,
    manifest: Manifest,
    history: Sequence[Mapping[str, float]] = (),
    content: Content | None = None,
) -> None:
    """Writes `report.html` and `model_card.md` into a run folder.

    Args:
        folder: of the run.
        manifest: of the run; its metrics are shown when it has some.
        history: rows of `history.csv`; the training is shown when they are epochs.
        content: whatever else there is to show.
    """
    from jinja2 import Environment

    source = resources.files("headstart.report").joinpath("page.html").read_text("utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    metrics, shown = manifest.metrics, content or Content()
    matrix = None if metrics is None else _matrix(metrics)
    page = environment.from_string(source).render(
        manifest=manifest,
        evaluation=metrics,
        calibration=manifest.calibration,
        content=shown,
        matrix=matrix,
        commonest=() if metrics is None else _commonest(metrics),
        cells=_cells(shown.cells, manifest.class_names, has_matrix=matrix is not None),
        training=describe_training(manifest.head, history),
        meaning="" if metrics is None else _meaning(metrics),
        measures=[] if metrics is None else _measures(metrics),
        reliability=_reliability(manifest.calibration),
        learning="" if shown.curve is None else draw_learning(shown.curve),
    )
    for name, text in ((REPORT, page.lstrip()), (CARD, model_card(manifest))):
        with atomic_file(folder / name) as temporary:
            temporary.write_text(text, "utf-8")


def _matrix(metrics: dict[str, Any]) -> list[tuple[str, list[int]]] | None:
    names = [row["name"] for row in metrics["classes"]]
    if len(names) > MATRIX_CLASSES:
        return None
    counts = {(cell["true"], cell["predicted"]): cell["count"] for cell in metrics["confusions"]}
    return [(true, [counts.get((true, predicted), 0) for predicted in names]) for true in names]


def _commonest(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    wrong = [cell for cell in metrics["confusions"] if cell["true"] != cell["predicted"]]
    return sorted(wrong, key=lambda cell: -cell["count"])[:20]


def _cells(
    groups: Sequence[Group], class_names: Sequence[str], *, has_matrix: bool
) -> dict[Any, dict[str, Any]]:
    """Gives each group a name made of numbers only: class names never become part of markup."""
    numbers = {name: at for at, name in enumerate(class_names)}
    found: dict[Any, dict[str, Any]] = {}
    for group in groups:
        place = (numbers[group.true], numbers[group.predicted])
        key = place if has_matrix else (group.true, group.predicted)
        found[key] = {"id": f"{place[0]}-{place[1]}", "group": group}
    return found


def _meaning(metrics: dict[str, Any]) -> str:
    """Says in a sentence what the headline is worth."""
    top_1, interval = metrics["top_1"], metrics["top_1_interval"]
    base, wrong = metrics["baselines"], 1 - metrics["top_1"]
    if interval["low"] <= base["majority_top_1"]:
        return (
            f"That is no better than always saying {base['majority_class']}, as far as "
            f"{metrics['count']} photos can tell."
        )
    often = "It was never wrong" if wrong == 0 else f"It was wrong about once in {1 / wrong:.0f}"
    if 0 < wrong < 1 and 1 / wrong < 2.5:
        often = f"It was wrong in {wrong * 100:.0f} of 100"
    width = (interval["high"] - interval["low"]) * 100
    loose = (
        ""
        if width < 5
        else f" With so few test photos that is known to {width / 2:.0f} points only."
    )
    fewer = (1 - base["majority_top_1"]) / wrong if wrong else 0
    gain = f", {fewer:.0f} times less often than by always naming one class" if fewer >= 2 else ""
    return f"{often}{gain}.{loose}" if top_1 else often


def _measures(metrics: dict[str, Any]) -> list[tuple[str, float, dict[str, float] | None]]:
    return [
        (shown, metrics[name], metrics["intervals"].get(name))
        for name, shown in _MEASURES.items()
        if metrics[name] is not None
    ]


def _reliability(calibration: dict[str, Any] | None) -> list[str]:
    if not calibration or not calibration["bins_after"]:
        return []
    if calibration["temperature"] == 1:
        return [draw_reliability("As it is", calibration["bins_after"])]
    return [
        draw_reliability("Before calibration", calibration["bins_before"]),
        draw_reliability("As it is now", calibration["bins_after"]),
    ]
