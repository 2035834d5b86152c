"""How good probabilities are, against the truth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import ArgumentError
from headstart.evaluation.bootstrap import Counts, bootstrap
from headstart.evaluation.calibration import expected_calibration_error
from headstart.evaluation.conformal import Answered
from headstart.evaluation.intervals import Interval, wilson
from headstart.evaluation.ranking import mean_rank_measures
from headstart.evaluation.resampled import Resampled

WORST_COUNT = 10


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """One class against all others; fractions in [0, 1], 0 where there is nothing to count.

    The intervals of precision and recall are Wilson's, that of F1 is a stratified bootstrap; each
    is None where there is nothing to count.
    """

    name: str
    count: int
    precision: float
    recall: float
    f1: float
    precision_interval: Interval | None = None
    recall_interval: Interval | None = None
    f1_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Baselines:
    """What needs no network at all; whoever is not above these has learnt nothing.

    Attributes:
        majority_class: the commonest class of the test photos.
        majority_top_1: right with always naming that one.
        chance_top_1: right with rolling a die for each photo.
        share_log_loss: log loss of always giving each class its share of the test photos.
    """

    majority_class: str
    majority_top_1: float
    chance_top_1: float
    share_log_loss: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """So many photos of one class were taken for another (or the same) one."""

    true: str
    predicted: str
    count: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """A photo that was taken for another class; `probability` is what the wrong class was given."""

    file: str
    true: str
    predicted: str
    probability: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A classifier on labelled photos that it has never seen.

    Attributes:
        count: photos.
        top_1: share whose likeliest class is the true one, in [0, 1].
        top_1_interval: its 95 % Wilson interval.
        top_5: share with the true class among the five likeliest; None with five classes or fewer.
        balanced_accuracy: mean recall of the classes that are present.
        log_loss: mean negative natural logarithm of the true class' probability.
        brier: mean squared distance of the probabilities from the truth, 0 to 2.
        roc_auc: area under the ROC curve, each class against all others, averaged over those that
            are present; None when only one is.
        average_precision: likewise, the area under precision against recall.
        expected_calibration_error: mean gap between confidence and accuracy, over 15 equal bins.
        intervals: 95 % intervals by name: Wilson's for `top_1` and `top_5`, a stratified bootstrap
            for the others.
        baselines: what needs no network.
        classes: one row a class.
        confusions: every pair of true and predicted class that occurred.
        worst: the ten mistakes made with most confidence.
        answered: of a run that may say "not sure"; None otherwise.
        unfamiliar: share of the photos unlike those it learnt from; None where nobody measured.
    """

    count: int
    top_1: float
    top_1_interval: Interval
    top_5: float | None
    balanced_accuracy: float
    log_loss: float
    brier: float
    roc_auc: float | None
    average_precision: float | None
    expected_calibration_error: float
    intervals: dict[str, Interval]
    baselines: Baselines
    classes: tuple[ClassMetrics, ...]
    confusions: tuple[Confusion, ...]
    worst: tuple[Mistake, ...]
    answered: Answered | None = None
    unfamiliar: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as the manifest and `--json` have them."""
        return asdict(self)

    def __str__(self) -> str:
        interval = f"{self.top_1_interval.low:.4f} to {self.top_1_interval.high:.4f}"
        return (
            f"top-1 {self.top_1:.4f} (95 %: {interval}) on {self.count} photos; "
            f"always {self.baselines.majority_class!r}: {self.baselines.majority_top_1:.4f}"
        )


def evaluate(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    *,
    class_names: Sequence[str],
    files: Sequence[str],
    seed: int = 0,
) -> Evaluation:
    """Measures probabilities against true labels.

    Args:
        probabilities: (N, K), rows that add up to 1.
        labels: (N,), positions in `class_names`.
        class_names: K of them.
        files: N names, for the list of mistakes.
        seed: of the bootstrap.

    Raises:
        ArgumentError: when there is nothing to evaluate.

    Example:
        >>> found = evaluate(
        ...     np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]),
        ...     class_names=["cat", "dog"], files=["a.jpg", "b.jpg"])
        >>> found.top_1, found.worst[0].file
        (0.5, 'b.jpg')
    """
    if not len(labels):
        raise ArgumentError(
            "photos: none to evaluate. Give labelled photos held out from training."
        )
    p = np.asarray(probabilities, np.float64)
    predicted = p.argmax(axis=1)
    hits = predicted == labels
    drawn = Resampled.of(p, labels)
    once = {name: float(values[0]) for name, values in drawn.sums(_once(labels)).items()}
    intervals = bootstrap(labels, drawn.measures, seed=seed)
    top_1_interval = wilson(int(hits.sum()), len(labels))
    intervals |= {"top_1": top_1_interval}
    top_5 = _top_5(p, labels) if len(class_names) > 5 else None
    if top_5 is not None:
        intervals["top_5"] = wilson(round(top_5 * len(labels)), len(labels))
    ranked = mean_rank_measures(p, labels, _once(labels)) if drawn.classes_present > 1 else {}
    return Evaluation(
        count=len(labels),
        top_1=float(hits.mean()),
        top_1_interval=top_1_interval,
        top_5=top_5,
        balanced_accuracy=once["balanced_accuracy"],
        log_loss=once["log_loss"],
        brier=once["brier"],
        roc_auc=_first(ranked, "roc_auc"),
        average_precision=_first(ranked, "average_precision"),
        expected_calibration_error=expected_calibration_error(p.max(axis=1), hits),
        intervals={name: found for name, found in intervals.items() if name[:3] != "f1 "},
        baselines=_baselines(labels, class_names),
        classes=_classes(labels, predicted, class_names, intervals),
        confusions=_confusions(labels, predicted, class_names),
        worst=_worst(p, labels, class_names, files),
    )


def _once(labels: NDArray[np.integer[Any]]) -> Counts:
    return np.ones((1, len(labels)))


def _first(found: dict[str, NDArray[np.float64]], name: str) -> float | None:
    return float(found[name][0]) if name in found else None


def _baselines(labels: NDArray[np.integer[Any]], class_names: Sequence[str]) -> Baselines:
    counts = np.bincount(labels, minlength=len(class_names))
    shares = counts[counts > 0] / len(labels)
    return Baselines(
        majority_class=class_names[int(counts.argmax())],
        majority_top_1=float(shares.max()),
        chance_top_1=1 / len(class_names),
        share_log_loss=float(-(shares * np.log(shares)).sum()),
    )


def _classes(
    labels: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    class_names: Sequence[str],
    intervals: dict[str, Interval],
) -> tuple[ClassMetrics, ...]:
    size = len(class_names)
    right = np.bincount(labels[labels == predicted], minlength=size)
    present, claimed = np.bincount(labels, minlength=size), np.bincount(predicted, minlength=size)
    precision, recall = right / np.maximum(claimed, 1), right / np.maximum(present, 1)
    f1 = 2 * right / np.maximum(present + claimed, 1)
    return tuple(
        ClassMetrics(
            name,
            int(present[n]),
            float(precision[n]),
            float(recall[n]),
            float(f1[n]),
            wilson(int(right[n]), int(claimed[n])) if claimed[n] else None,
            wilson(int(right[n]), int(present[n])) if present[n] else None,
            intervals.get(f"f1 {n}"),
        )
        for n, name in enumerate(class_names)
    )


def _confusions(
    labels: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    class_names: Sequence[str],
) -> tuple[Confusion, ...]:
    # Pairs that occur, not a table of all: 10,000 classes would make it a hundred million cells.
    size = len(class_names)
    pairs, counts = np.unique(labels.astype(np.int64) * size + predicted, return_counts=True)
    return tuple(
        Confusion(class_names[pair // size], class_names[pair % size], int(count))
        for pair, count in zip(pairs, counts, strict=True)
    )


def _top_5(p: NDArray[np.float64], labels: NDArray[np.integer[Any]]) -> float:
    five = np.argpartition(-p, 5, axis=1)[:, :5]
    return float((five == np.asarray(labels)[:, None]).any(axis=1).mean())


def _worst(
    p: NDArray[np.float64],
    labels: NDArray[np.integer[Any]],
    class_names: Sequence[str],
    files: Sequence[str],
) -> tuple[Mistake, ...]:
    predicted, confidence = p.argmax(axis=1), p.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    ordered = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST_COUNT]
    return tuple(
        Mistake(files[i], class_names[labels[i]], class_names[predicted[i]], float(confidence[i]))
        for i in ordered
    )
