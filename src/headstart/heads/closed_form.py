"""Heads in closed form from sums that merge: exact whatever the shards and their order."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from headstart.errors import PhotosError
from headstart.heads.linear import LinearHead
from headstart.heads.totals import Features, Labels, Total, blocks_of

RIDGE = 1.0
"""Penalty on squared weights where none is named; scikit-learn's default as well."""

SHRINKAGE = 0.01
"""Stated share of a round covariance: enough that features which copy each other don't matter."""


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """All that ridge regression and the linear discriminant need to know of labelled features.

    Attributes:
        counts: float64 (K,), photos of each class.
        sums: float64 (K, D), their features added up: X^T Y, turned, for one-hot Y.
        products: float64 (D, D), X^T X.
    """

    counts: NDArray[np.float64]
    sums: NDArray[np.float64]
    products: NDArray[np.float64]

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(
            self.counts + other.counts, self.sums + other.sums, self.products + other.products
        )

    @staticmethod
    def of(features: Features, labels: Labels, *, class_count: int) -> "Statistics":
        """Sums over one shard.

        Args:
            features: (N, D).
            labels: (N,), each in [0, class_count).
            class_count: K.
        """
        width = int(np.prod(features.shape[1:]))
        sums, products = np.zeros((class_count, width)), np.zeros((width, width))
        for rows, classes in blocks_of(features, labels):
            sums += np.eye(class_count)[classes].T @ rows
            products += rows.T @ rows
        counts = np.bincount(labels, minlength=class_count).astype(np.float64)
        return Statistics(counts, sums, products)

    @property
    def count(self) -> float:
        """N."""
        return float(self.counts.sum())

    @property
    def mean(self) -> NDArray[np.float64]:
        """Of all features, (D,)."""
        return np.asarray(self.sums.sum(axis=0) / self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """Scores that are linear in the features: `features @ kernel + bias`.

    Attributes:
        kernel: float64 (D, K).
        bias: float64 (K,).
    """

    kernel: NDArray[np.float64]
    bias: NDArray[np.float64]

    def as_head(self) -> LinearHead:
        """Returns it as a softmax head.

        The discriminant's probabilities are its own; those of ridge have the right order and need
        a temperature.
        """
        kernel, bias = self.kernel.astype(np.float32), self.bias.astype(np.float32)
        return LinearHead(kernel, bias, "softmax", 0.0, ())


def statistics_of(total: Total, *, class_count: int) -> Statistics:
    """Reads all shards once.

    Raises:
        PhotosError: when a class has no photo.
    """
    found = total(partial(Statistics.of, class_count=class_count))
    empty = np.flatnonzero(found.counts == 0)
    if len(empty):
        raise PhotosError(
            f"class {int(empty[0])} of {class_count} has no photo in the shards: nothing can be "
            "learnt of it. Leave it out, or add photos."
        )
    return found


def ridge(statistics: Statistics, penalty: float = RIDGE) -> Affine:
    """Least squares on one-hot classes with a penalty on squared weights, intercept free.

    The same as scikit-learn's `Ridge(alpha=penalty)` on one-hot targets.

    Args:
        statistics: of the features.
        penalty: above 0.

    Example:
        >>> labels = np.array([0, 0, 1, 1])
        >>> features = np.array([[0.0], [1.0], [4.0], [5.0]])
        >>> found = ridge(Statistics.of(features, labels, class_count=2))
        >>> (features @ found.kernel + found.bias).argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """
    mean, share = statistics.mean, statistics.counts / statistics.count
    scatter = statistics.products - statistics.count * np.outer(mean, mean)
    towards = statistics.sums.T - np.outer(mean, statistics.counts)
    kernel = _solve(scatter + penalty * np.eye(len(mean)), towards)
    return Affine(kernel, share - mean @ kernel)


def discriminant(statistics: Statistics, shrinkage: float = SHRINKAGE) -> Affine:
    """Fisher's linear discriminant: classes as Gaussians that share a covariance.

    The same as scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage=...)`.

    Args:
        statistics: of the features.
        shrinkage: share of a round covariance that is mixed in, in [0, 1].

    Example:
        >>> labels = np.array([0, 0, 1, 1])
        >>> features = np.array([[0.0], [1.0], [4.0], [5.0]])
        >>> found = discriminant(Statistics.of(features, labels, class_count=2))
        >>> (features @ found.kernel + found.bias).argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """
    means = statistics.sums / statistics.counts[:, None]
    inside = (statistics.products - statistics.sums.T @ means) / statistics.count
    width = len(inside)
    round_ = np.eye(width) * np.trace(inside) / width
    kernel = _solve((1 - shrinkage) * inside + shrinkage * round_, means.T)
    bias = np.log(statistics.counts / statistics.count) - np.einsum("kd,dk->k", means, kernel) / 2
    return Affine(kernel, bias)


def _solve(matrix: NDArray[np.float64], towards: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.linalg import LinAlgError, solve

    symmetric = (matrix + matrix.T) / 2
    try:
        return np.asarray(solve(symmetric, towards, assume_a="pos"))
    except LinAlgError:
        # Features that copy each other and no penalty: any of the many solutions is as good.
        return np.asarray(np.linalg.lstsq(symmetric, towards, rcond=None)[0])
