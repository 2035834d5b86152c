"""How good probabilities are, against the truth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import ArgumentError
from headstart.evaluation.intervals import Interval, wilson

CALIBRATION_BINS = 15
WORST_COUNT = 10


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """One class against all others; fractions in [0, 1], 0 where there is nothing to count."""

    name: str
    count: int
    precision: float
    recall: float
    f1: float


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
        expected_calibration_error: mean gap between confidence and accuracy, over 15 equal bins.
        classes: one row a class.
        confusions: every pair of true and predicted class that occurred.
        worst: the ten mistakes made with most confidence.
    """

    count: int
    top_1: float
    top_1_interval: Interval
    top_5: float | None
    balanced_accuracy: float
    log_loss: float
    expected_calibration_error: float
    classes: tuple[ClassMetrics, ...]
    confusions: tuple[Confusion, ...]
    worst: tuple[Mistake, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as the manifest and `--json` have them."""
        return asdict(self)

    def __str__(self) -> str:
        interval = f"{self.top_1_interval.low:.4f} to {self.top_1_interval.high:.4f}"
        return f"top-1 {self.top_1:.4f} (95 %: {interval}) on {self.count} photos"


def evaluate(
    probabilities: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    *,
    class_names: Sequence[str],
    files: Sequence[str],
) -> Evaluation:
    """Measures probabilities against true labels.

    Args:
        probabilities: (N, K), rows that add up to 1.
        labels: (N,), positions in `class_names`.
        class_names: K of them.
        files: N names, for the list of mistakes.

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
    rows = np.arange(len(labels))
    p = np.asarray(probabilities, np.float64)
    predicted = p.argmax(axis=1)
    hits = predicted == labels
    true_probability = np.maximum(p[rows, labels], 1e-12)
    classes = _classes(labels, predicted, class_names)
    return Evaluation(
        count=len(labels),
        top_1=float(hits.mean()),
        top_1_interval=wilson(int(hits.sum()), len(labels)),
        top_5=_top_5(p, labels) if len(class_names) > 5 else None,
        balanced_accuracy=float(np.mean([row.recall for row in classes if row.count])),
        log_loss=float(-np.log(true_probability).mean()),
        expected_calibration_error=expected_calibration_error(p.max(axis=1), hits),
        classes=classes,
        confusions=_confusions(labels, predicted, class_names),
        worst=_worst(p, labels, class_names, files),
    )


def expected_calibration_error(confidences: NDArray[np.float64], hits: NDArray[np.bool_]) -> float:
    """Returns the mean gap between confidence and accuracy, weighted by photos a bin.

    Source: Naeini, Cooper and Hauskrecht, AAAI 2015; 15 bins of equal width.

    Args:
        confidences: (N,), the likeliest class' probability, in [0, 1].
        hits: (N,), whether that class was the true one.
    """
    bins = np.minimum((confidences * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=confidences - hits, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(confidences))


def _classes(
    labels: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    class_names: Sequence[str],
) -> tuple[ClassMetrics, ...]:
    size = len(class_names)
    right = np.bincount(labels[labels == predicted], minlength=size)
    present, claimed = np.bincount(labels, minlength=size), np.bincount(predicted, minlength=size)
    precision, recall = right / np.maximum(claimed, 1), right / np.maximum(present, 1)
    f1 = 2 * right / np.maximum(present + claimed, 1)
    return tuple(
        ClassMetrics(name, int(count), float(p), float(r), float(f))
        for name, count, p, r, f in zip(class_names, present, precision, recall, f1, strict=True)
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
