"""How well probabilities put one class before the others: areas under curves."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


def rank_measures(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], counts: Counts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the area under the ROC curve and the average precision, for several weightings.

    Equal scores count as one threshold, as in scikit-learn's `roc_auc_score` and
    `average_precision_score`.

    Args:
        scores: (N,), higher where the class is likelier.
        positive: (N,), whether the photo is of the class; both kinds are there.
        counts: (B, N), how often each photo counts.

    Returns:
        (B,) each.

    Example:
        >>> area, precision = rank_measures(
        ...     np.array([0.9, 0.8, 0.3]), np.array([True, False, True]), np.ones((1, 3)))
        >>> float(area[0]), round(float(precision[0]), 4)
        (0.5, 0.8333)
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    weights = counts[:, order]
    hits = np.cumsum(weights * positive[order], axis=1)[:, ends]
    alarms = np.cumsum(weights * ~positive[order], axis=1)[:, ends]
    new_hits = np.diff(hits, axis=1, prepend=0.0)
    new_alarms = np.diff(alarms, axis=1, prepend=0.0)
    all_hits, all_alarms = hits[:, -1], alarms[:, -1]
    area = (new_alarms * (hits - new_hits / 2)).sum(axis=1) / (all_hits * all_alarms)
    precision = hits / np.maximum(hits + alarms, 1e-300)
    return area, (new_hits * precision).sum(axis=1) / all_hits


def mean_rank_measures(
    p: NDArray[np.float64], labels: NDArray[np.integer[Any]], counts: Counts
) -> dict[str, NDArray[np.float64]]:
    """Returns each class against all others, averaged over the classes that are present.

    Args:
        p: (N, K) probabilities; photos of at least two classes.
        labels: (N,).
        counts: (B, N).

    Returns:
        `roc_auc` and `average_precision`, (B,) each.
    """
    present = np.unique(labels)
    areas, precisions = np.zeros(len(counts)), np.zeros(len(counts))
    for label in present:
        area, precision = rank_measures(p[:, label], labels == label, counts)
        areas += area / len(present)
        precisions += precision / len(present)
    return {"roc_auc": areas, "average_precision": precisions}
