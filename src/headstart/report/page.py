"""The report of a run: one page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from headstart.artifact.manifest import Manifest
from headstart.report.training import describe_training

MATRIX_CLASSES = 20
"""Past so many classes the confusion matrix is a list of the commonest confusions."""


def write_report(
    file: Path,
    *,
    manifest: Manifest,
    history: Sequence[Mapping[str, float]] = (),
    figure: str | None = None,
) -> None:
    """Writes `report.html`.

    Args:
        file: where to write.
        manifest: of the run; its metrics are shown when it has some.
        history: rows of `history.csv`; the training is shown when they are epochs.
        figure: an SVG picture made by this package to put below the headline, or None.
    """
    from jinja2 import Environment

    source = resources.files("headstart.report").joinpath("page.html").read_text("utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    metrics = manifest.metrics
    page = environment.from_string(source).render(
        manifest=manifest,
        evaluation=metrics,
        matrix=None if metrics is None else _matrix(metrics),
        commonest=() if metrics is None else _commonest(metrics),
        training=describe_training(manifest.head, history),
        figure=figure,
    )
    file.write_text(page, "utf-8")


def _matrix(metrics: dict[str, Any]) -> list[tuple[str, list[int]]] | None:
    names = [row["name"] for row in metrics["classes"]]
    if len(names) > MATRIX_CLASSES:
        return None
    counts = {(cell["true"], cell["predicted"]): cell["count"] for cell in metrics["confusions"]}
    return [(true, [counts.get((true, predicted), 0) for predicted in names]) for true in names]


def _commonest(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    wrong = [cell for cell in metrics["confusions"] if cell["true"] != cell["predicted"]]
    return sorted(wrong, key=lambda cell: -cell["count"])[:20]
