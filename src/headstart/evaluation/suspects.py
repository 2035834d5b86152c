"""Faults of the data: labels that are likely wrong, found by a classifier that never saw them."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FAR_SHARE = 0.01
"""Of each class' photos, the share farthest from its own class that may be listed."""

MAX_COMPARED = 5000
"""Photos of a class that each of its photos is compared with."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A photo worth a look.

    Attributes:
        file: its name.
        label: the class it has.
        suggested: the class it probably is; its own where nobody knows better.
        kind: "label", "copies" or "far".
        score: 0 to 1 and sorted by it, the worst first within a kind.
        reason: in words.
    """

    file: str
    label: str
    suggested: str
    kind: str
    score: float
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self)


def label_errors(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """Ranks photos whose label is likely wrong, by confident learning.

    A photo belongs to the class in which it is surer than that class' own photos are on average. If
    that is not the class it is labelled with, it is listed; first those where the given class got
    least and another one most.
    Source: Northcutt, Jiang and Chuang, Confident Learning, JAIR 70 (2021).

    Args:
        probabilities: (N, K), cross-validated: each photo's by a classifier that did not see it.
        labels: (N,), positions in the columns.

    Returns:
        Positions of suspects, the likeliest errors first.

    Example:
        >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95]])
        >>> label_errors(p, np.array([0, 0, 1, 1, 0])).tolist()
        [4]
    """
    p = np.asarray(probabilities, np.float64)
    rows = np.arange(len(labels))
    given = p[rows, labels]
    present, sums = (
        np.bincount(labels, minlength=p.shape[1]),
        np.bincount(labels, weights=given, minlength=p.shape[1]),
    )
    bar = np.where(present > 0, sums / np.maximum(present, 1), np.inf)
    confident = np.where(p >= bar, p, -1.0)
    others = p.copy()
    others[rows, labels] = -1.0
    found = (confident.max(axis=1) >= 0) & (confident.argmax(axis=1) != labels)
    found |= others.max(axis=1) > np.maximum(given, 0.5)
    margin = given - others.max(axis=1)
    listed = np.flatnonzero(found)
    return listed[np.argsort(margin[listed], kind="stable")].astype(np.int64)


def far_from_class(
    features: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Finds photos that are like no other photo of their class.

    Args:
        features: (N, D).
        labels: (N,).

    Returns:
        Positions, the farthest first, and the cosine distance to the nearest photo of the class.
        Listed is what lies farther than all but `FAR_SHARE` of its class and three times the spread
        above its median.
    """
    values = np.asarray(features, np.float32)
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    listed, distances = [np.zeros(0, np.int64)], [np.zeros(0)]
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 10:
            continue
        nearest = _nearest_other(unit[members])
        median = np.median(nearest)
        spread = 1.4826 * np.median(np.abs(nearest - median))  # of a normal distribution
        limit = max(float(np.quantile(nearest, 1 - FAR_SHARE)), float(median + 3 * spread))
        far = nearest > limit
        listed.append(members[far])
        distances.append(nearest[far])
    positions, found = np.concatenate(listed), np.concatenate(distances)
    order = np.argsort(-found, kind="stable")
    return positions[order], found[order]


def contradicting(
    groups: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]]
) -> list[NDArray[np.int64]]:
    """Returns the groups of near-duplicates whose photos have different labels.

    Example:
        >>> [found.tolist() for found in contradicting(np.array([0, 1, 0]), np.array([0, 0, 1]))]
        [[0, 2]]
    """
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return [part for part in parts if len(np.unique(labels[part])) > 1]


def _nearest_other(unit: NDArray[np.float32]) -> NDArray[np.float64]:
    # Of very many photos some thousand say as much, and time stays in proportion to their number.
    step = max(1, len(unit) // MAX_COMPARED)
    known, found = unit[::step], np.empty(len(unit))
    for start in range(0, len(unit), 2048):
        part = unit[start : start + 2048]
        likeness = part @ known.T
        own = np.arange(start, start + len(part))
        among = own % step == 0
        likeness[np.flatnonzero(among), own[among] // step] = -1
        found[start : start + 2048] = 1 - likeness.max(axis=1)
    return found
