"""Softmax regression on features larger than memory: exact full-batch steps, shard by shard."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from headstart.heads.linear import STATED_C, LinearHead
from headstart.heads.totals import Features, Labels, Shard, Total, blocks_of, total_of

MAX_STEPS = 200
PART_ROWS = 16_384
TOLERANCE = 1e-6
"""Largest entry of the gradient of the mean loss at which the optimum counts as reached."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What standardising needs: number of rows, their sum and sum of squares, float64 (D,)."""

    count: int
    sums: NDArray[np.float64]
    squares: NDArray[np.float64]

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.count + other.count, self.sums + other.sums, self.squares + other.squares
        )

    @staticmethod
    def of(features: Features, labels: Labels) -> "Moments":
        """Sums over one shard."""
        width = int(np.prod(features.shape[1:]))
        sums, squares = np.zeros(width), np.zeros(width)
        for rows, _ in blocks_of(features, labels):
            sums += rows.sum(axis=0)
            squares += np.square(rows).sum(axis=0)
        return Moments(len(labels), sums, squares)

    def scale(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns mean and standard deviation, 1 where a feature never changes."""
        mean = self.sums / self.count
        deviation = np.sqrt(np.maximum(self.squares / self.count - mean**2, 0.0))
        deviation[deviation < 1e-6 * max(float(np.abs(mean).max(initial=0.0)), 1.0)] = 1.0
        return mean, deviation


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """Log loss summed over photos, and its gradient by kernel and bias."""

    loss: float
    kernel: NDArray[np.float64]
    bias: NDArray[np.float64]

    def __add__(self, other: "Slope") -> "Slope":
        return Slope(self.loss + other.loss, self.kernel + other.kernel, self.bias + other.bias)


def slope(
    features: Features,
    labels: Labels,
    *,
    kernel: NDArray[np.float64],
    bias: NDArray[np.float64],
) -> Slope:
    """Sums log loss and gradient over one shard.

    Args:
        features: (N, D), as they are.
        labels: (N,).
        kernel: (D, K); (D, 1) where one column stands for two classes.
        bias: (K,) or (1,).
    """
    found = Slope(0.0, np.zeros_like(kernel), np.zeros_like(bias))
    for rows, classes in blocks_of(features, labels):
        logits = rows @ kernel + bias
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        each = np.arange(len(classes))
        powers = np.exp(logits)
        totals = powers.sum(axis=1)
        loss = float((np.log(totals) - logits[each, classes]).sum())
        error = powers / totals[:, None]
        error[each, classes] -= 1.0
        error = error[:, -kernel.shape[1] :]
        found += Slope(loss, rows.T @ error, error.sum(axis=0))
    return found


def fit_softmax(
    total: Total,
    *,
    class_count: int,
    activation: str = "softmax",
    c: float = STATED_C,
    max_steps: int = MAX_STEPS,
) -> LinearHead:
    """Fits the same head as `headstart.heads.linear.fit_linear` does with a stated C.

    Every step of L-BFGS reads all shards once; in memory are one of them and the weights.

    Args:
        total: adds up over the shards.
        class_count: K; two classes are fitted as one column, as scikit-learn does.
        activation: "softmax", or "sigmoid" for two classes in one unit.
        c: inverse regularisation strength.
        max_steps: at most.

    Returns:
        A layer that takes the features as they are.

    Example:
        >>> from headstart.heads.totals import total_of
        >>> shard = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array([0, 0, 1, 1])
        >>> head = fit_softmax(total_of(lambda: [shard] * 5), class_count=2, c=1.0)
        >>> head.probabilities(shard[0]).argmax(axis=1).tolist()
        [0, 0, 1, 1]
    """
    from scipy.optimize import minimize

    moments = total(Moments.of)
    mean, deviation = moments.scale()
    shape = len(mean), 1 if class_count == 2 else class_count
    penalty = 1 / (c * moments.count)

    def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        kernel, bias = _unpack(flat, shape)
        raw = kernel / deviation[:, None]
        found = total(partial(slope, kernel=raw, bias=bias - mean @ raw))
        by_kernel = (found.kernel - np.outer(mean, found.bias)) / deviation[:, None]
        gradient = np.concatenate([by_kernel.ravel(), found.bias]) / moments.count
        gradient[: kernel.size] += penalty * kernel.ravel()
        loss = found.loss / moments.count + penalty / 2 * float(np.square(kernel).sum())
        return loss, gradient

    start = np.zeros(shape[0] * shape[1] + shape[1])
    options = {"maxiter": max_steps, "gtol": TOLERANCE, "ftol": 64 * np.finfo(float).eps}
    kernel, bias = _unpack(
        minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x, shape
    )
    if shape[1] == 1 and activation == "softmax":
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.hstack([-bias, bias]) / 2
    raw = kernel / deviation[:, None]
    bias = bias - mean @ raw
    return LinearHead(raw.astype(np.float32), bias.astype(np.float32), activation, c, ())


def fit_in_parts(
    features: Features, labels: Labels, *, class_count: int, activation: str
) -> LinearHead:
    """Fits on features that lie in a file, without ever holding a second copy of them.

    Args:
        features: (N, ...), memory-mapped.
        labels: (N,).
        class_count: K.
        activation: "softmax" or "sigmoid".
    """

    def parts() -> Iterator[Shard]:
        for start in range(0, len(labels), PART_ROWS):
            rows = slice(start, start + PART_ROWS)
            yield np.asarray(features[rows]), labels[rows]

    return fit_softmax(total_of(parts), class_count=class_count, activation=activation)


def _unpack(
    flat: NDArray[np.float64], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return flat[: -shape[1]].reshape(shape), flat[-shape[1] :]
