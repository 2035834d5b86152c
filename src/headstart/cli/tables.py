"""Results as tables on a terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from headstart.artifact.run import Run
    from headstart.data.checks import CheckReport
    from headstart.data.store import CachePlace, StoreUsage
    from headstart.evaluation.conformal import Answered
    from headstart.evaluation.metrics import Evaluation
    from headstart.prediction import Prediction
    from headstart.workflow.demo import Demo
    from headstart.workflow.predict_csv import PredictedCsv
    from headstart.workflow.use import Predictions

_SHOWN = 20
_CANDIDATES = 5


def print_run(run: "Run") -> None:
    """Prints what a training gave and where it is."""
    manifest, console = run.manifest, _console()
    photos = manifest.photos
    console.print(
        f"{photos['train']} train, {photos['validation']} validation, {photos['test']} test photos"
        + (f", {photos['set_aside']} files set aside" if photos["set_aside"] else "")
    )
    if manifest.metrics is None:
        console.print("no test photos: how good it is, nobody knows yet")
    else:
        metrics = manifest.metrics
        interval = metrics["top_1_interval"]
        console.print(
            f"top-1 {metrics['top_1']:.4f} on {metrics['count']} test photos "
            f"(95 %: {interval['low']:.4f} to {interval['high']:.4f}), "
            f"log loss {metrics['log_loss']:.4f}"
        )
    console.print(f"computed by {manifest.engine} in {manifest.precision}")
    console.print(f"run folder: {run.folder}", soft_wrap=True)


def print_evaluation(found: "Evaluation") -> None:
    """Prints metrics, classes and worst mistakes."""
    console = _console()
    console.print(str(found))
    console.print(
        f"log loss {found.log_loss:.4f}, balanced accuracy {found.balanced_accuracy:.4f}, "
        f"expected calibration error {found.expected_calibration_error:.4f}"
        + ("" if found.top_5 is None else f", top-5 {found.top_5:.4f}")
        + ("" if found.roc_auc is None else f", ROC AUC {found.roc_auc:.4f}")
    )
    if found.answered is not None:
        console.print(_answered(found.answered))
    if found.unfamiliar is not None:
        console.print(f"unlike the training photos: {found.unfamiliar:.1%}")
    rows = [
        (row.name, str(row.count), f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}")
        for row in found.classes[:_SHOWN]
    ]
    console.print(_table(("class", "photos", "precision", "recall", "F1"), rows))
    _more(console, len(found.classes))
    if found.worst:
        mistakes = [
            (row.file, row.true, row.predicted, f"{row.probability:.3f}") for row in found.worst
        ]
        console.print(_table(("worst mistakes", "true", "predicted", "probability"), mistakes))


def _answered(found: "Answered") -> str:
    """Says what became of the promise that a coverage is."""
    right = found.top_1_of_answered
    return (
        f"coverage {found.coverage:g}: the candidates held the truth in {found.covered:.4f}, "
        f"{found.answered:.4f} answered without 'not sure'"
        + ("" if right is None else f", of those {right:.4f} right")
    )


def print_predictions(found: "Predictions") -> None:
    """Prints a row a photo, and what could not be read."""
    notes = any(row.is_unfamiliar for row in found.predictions)
    rows = [
        (
            row.file,
            "not sure" if len(row.candidates) > 1 else row.class_name,
            f"{row.probability:.3f}",
            _candidates(row) if len(row.candidates) > 1 else _runner_up(row.probabilities),
            *(("unlike the training photos" if row.is_unfamiliar else "",) if notes else ()),
        )
        for row in found.predictions
    ]
    if rows:
        headings = ("file", "class", "probability", "next", *(("",) if notes else ()))
        _console().print(_table(headings, rows))
    print_set_aside(found.set_aside)


def predictions_to_dict(found: "Predictions") -> dict[str, Any]:
    """Returns plain values for `--json`."""
    return {
        "predictions": [row.to_dict() for row in found.predictions],
        "set_aside": [{"path": item.path, "reason": item.reason} for item in found.set_aside],
    }


def print_predicted_csv(found: "PredictedCsv") -> None:
    """Prints how many photos were taken for what, and where the rows are."""
    rows = sorted(found.class_counts.items(), key=lambda item: -item[1])
    console = _console()
    shown = [(name, f"{count:,}") for name, count in rows[:_SHOWN]]
    console.print(_table(("class", "photos"), shown))
    _more(console, len(rows))
    console.print(
        f"{found.photos:,} photos classified, {found.not_sure:,} not sure, "
        f"{found.unfamiliar:,} unlike the training photos"
    )
    if found.set_aside_csv is not None:
        console.print(
            f"{found.set_aside:,} files set aside: {found.set_aside_csv}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    console.print(f"rows: {found.csv}", markup=False, highlight=False, soft_wrap=True)


def print_check(report: "CheckReport") -> None:
    """Prints what is in a folder of photos and what is wrong with it."""
    console = _console()
    found = report.to_dict()
    rows = [(name, f"{count:,}") for name, count in list(found["class_counts"].items())[:_SHOWN]]
    console.print(_table(("class", "photos"), rows))
    _more(console, len(found["class_counts"]))
    for line in report.lines():
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not report.findings:
        console.print("nothing wrong found")
    for finding in report.findings:
        console.print(f"! {finding}", markup=False, highlight=False, soft_wrap=True)


def print_cache(place: "CachePlace", rows: "tuple[StoreUsage, ...]", freed: int | None) -> None:
    """Prints what the cache holds."""
    console = _console()
    if freed is not None:
        console.print(f"freed {_bytes(freed)}")
    shown = [(row.kind, str(row.entries), _bytes(row.size_bytes)) for row in rows]
    console.print(_table(("kept", "entries", "size"), shown))
    total = sum(row.size_bytes for row in rows)
    console.print(
        f"{_bytes(total)} of {_bytes(place.budget_bytes)} in {place.folder}",
        soft_wrap=True,
    )


def print_demo(found: "Demo") -> None:
    """Prints the comparison, one prediction, and where everything is."""
    console = _console()
    headings, *rows = found.table
    console.print(_table(headings, rows))
    console.print(
        f"{'/'.join(Path(found.prediction.file).parts[-3:])}: {found.prediction.class_name} "
        f"({found.prediction.probability:.3f})",
        soft_wrap=True,
    )
    console.print(f"report:     {found.run.folder / 'report.html'}", soft_wrap=True)
    console.print(f"run folder: {found.run.folder}", soft_wrap=True)


def print_set_aside(items: Any) -> None:
    """Prints what could not be read, and why."""
    if items:
        print_table(("set aside", "reason"), [(item.path, item.reason) for item in items])


def print_table(headings: tuple[str, ...], rows: Any, *, width: int = 0) -> None:
    """Prints a table.

    Args:
        headings: of the columns.
        rows: as many cells each.
        width: in characters that it may take even where the terminal says less.
    """
    console = _console()
    if console.width < width:
        console = Console(highlight=False, width=width)
    console.print(_table(headings, rows))


def _runner_up(probabilities: dict[str, float]) -> str:
    second = list(probabilities.items())[1:2]
    return "".join(f"{name} {probability:.3f}" for name, probability in second)


def _candidates(row: "Prediction") -> str:
    """Names what may be meant, the likeliest first."""
    shown = [f"{name} {row.probabilities[name]:.3f}" for name in row.candidates[:_CANDIDATES]]
    more = len(row.candidates) - _CANDIDATES
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _console() -> Console:
    return Console(highlight=False)


def _table(headings: tuple[str, ...], rows: Any) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def _more(console: Console, total: int) -> None:
    if total > _SHOWN:
        console.print(f"... and {total - _SHOWN} more classes")


def _bytes(size: int) -> str:
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
