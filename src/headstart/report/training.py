"""What the report says of a training: what was kept, why a stage ended, how each was set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

from headstart.report.curves import Curve, Epochs, draw_curves

Rows = Sequence[Mapping[str, float]]

_HEADINGS = (
    "stage", "trainable", "cut after", "epochs", "best epoch", "learnt with", "precision",
    "weights moved",
)  # fmt: skip


@dataclass(frozen=True)
class Training:
    """A training as the page shows it.

    Attributes:
        kept: one sentence on what was kept.
        ended: a sentence for each stage that ended early.
        plots: two SVG pictures.
        headings: of the table of stages.
        stages: its rows.
    """

    kept: str
    ended: tuple[str, ...]
    plots: tuple[str, ...]
    headings: tuple[str, ...]
    stages: tuple[tuple[str, ...], ...]


def describe_training(head: Mapping[str, Any], history: Rows) -> Training | None:
    """Describes a training; None where nothing was trained with gradients.

    Args:
        head: of the manifest.
        history: rows of `history.csv`.
    """
    if not history or "epoch" not in history[0]:
        return None
    stages = head.get("stages") or [_of_head(head)]
    runs = [[row for row in history if row.get("stage", 1) == n + 1] for n in range(len(stages))]
    pairs = list(zip(stages, runs, strict=True))
    return Training(
        kept=_kept(head, history),
        ended=tuple(
            sentence
            for number, (stage, rows) in enumerate(pairs, 1)
            if (sentence := _ended(number, stage, rows, alone=len(stages) == 1))
        ),
        plots=_plots(head, history),
        headings=_HEADINGS,
        stages=tuple(_cells(number, stage, rows) for number, (stage, rows) in enumerate(pairs, 1)),
    )


def _of_head(head: Mapping[str, Any]) -> dict[str, Any]:
    """A head that was trained on kept features, as a stage."""
    own = {name: head[name] for name in ("best_epoch", "ended_early")}
    return {**head["training"], **own, "cut": ["features"]}


def _kept(head: Mapping[str, Any], history: Rows) -> str:
    if "stages" not in head:
        if isnan(history[-1]["validation_top_1"]):
            return "Kept: the head after its last epoch; there were no validation photos."
        return (
            f"Kept: the head after epoch {head['best_epoch']} of {len(history)}, the best on the "
            "validation photos."
        )
    if head["kept"] == "linear probe":
        return (
            "Kept: the linear probe, because no epoch of fine-tuning was better on the validation "
            "photos."
        )
    number = head["kept_stage"]
    stage, probe = head["stages"][number - 1], head["linear_probe"]
    after = f"epoch {stage['best_epoch']}"
    if len(head["stages"]) > 1:
        after += f" of stage {number}"
    if probe is None or stage["validation"] is None:
        return f"Kept: the fine-tuned network after {after}; there were no validation photos."
    return (
        f"Kept: the fine-tuned network after {after}, with {_score(stage['validation'])} on the "
        f"validation photos; the linear probe had {_score(probe)}."
    )


def _score(score: Mapping[str, float]) -> str:
    return f"{score['top_1'] * 100:.1f} % right and a log loss of {score['log_loss']:.4f}"


def _ended(number: int, stage: Mapping[str, Any], rows: Rows, *, alone: bool) -> str:
    name = "The training" if alone else f"Stage {number}"
    if stage["ended_early"]:
        return f"{name} ended early. {stage['ended_early']}"
    if len(rows) < stage["epochs"]:
        return (
            f"{name} ended after {len(rows)} of {stage['epochs']} epochs: "
            f"the last {stage['patience']} brought nothing better."
        )
    return ""


def _cells(number: int, stage: Mapping[str, Any], rows: Rows) -> tuple[str, ...]:
    moved = "-"
    if "moved" in stage:
        moved = f"{len(stage['moved'])} of {len(stage['moved']) + len(stage['unmoved'])}"
    return (
        str(number),
        stage["trainable"],
        ", ".join(stage["cut"]),
        f"{len(rows)} of {stage['epochs']}",
        str(stage["best_epoch"] or "none"),
        f"{stage['optimizer']}, {stage['learning_rate']:g}, {stage['schedule']}",
        # Keras' policy names the variables' precision too.
        stage["precision"].removeprefix("mixed_"),
        moved,
    )


def _plots(head: Mapping[str, Any], history: Rows) -> tuple[str, ...]:
    epochs = Epochs(
        stages=[int(row.get("stage", 1)) for row in history],
        numbers=[int(row["epoch"]) for row in history],
        best=_best(history),
    )
    probe = head.get("linear_probe") or {}

    def curve(name: str, column: str) -> Curve:
        return Curve(name, [row.get(column, nan) for row in history])

    losses = curve("training loss", "loss"), curve("validation log loss", "validation_log_loss")
    shares = curve("training accuracy", "accuracy"), curve("validation top-1", "validation_top_1")
    return (
        draw_curves("Loss", losses, epochs, level=probe.get("log_loss")),
        draw_curves("Photos named right", shares, epochs, level=probe.get("top_1"), is_share=True),
    )


def _best(history: Rows) -> int | None:
    """Position of the epoch that names most validation photos right, by log loss among equals."""
    measured = [at for at, row in enumerate(history) if not isnan(row["validation_top_1"])]
    if not measured:
        return None
    return max(
        measured,
        key=lambda at: (history[at]["validation_top_1"], -history[at]["validation_log_loss"]),
    )
