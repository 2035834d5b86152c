"""Softmax regression on features: the linear probe, fitted to its optimum in a second."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.progress import processors

Features = NDArray[np.float32]

STATED_C = 0.01
"""Inverse regularisation strength used where choosing one is impossible or would take too long."""

CANDIDATE_CS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
MAX_CLASSES_TO_CHOOSE = 200
MAX_BYTES_TO_CHOOSE = 512 * 2**20
FOLDS = 5
MAX_KEPT = 5 * 10**6
"""Photos x classes of which out-of-fold probabilities are kept."""

_WORTH_THREADS = 10**9  # multiplications of one matrix product; with fewer, threads cost time


@dataclass(frozen=True)
class LinearHead:
    """One dense layer on features, fitted.

    Attributes:
        kernel: float32 (D, K), or (D, 1) for a sigmoid.
        bias: float32 (K,), or (1,).
        activation: "softmax" or "sigmoid".
        c: inverse regularisation strength, of scikit-learn's `LogisticRegression`.
        log_losses: cross-validated mean log loss of every C tried; empty when C is the stated one.
        out_of_fold: float32 (N, K), what heads that had not seen a training photo said of it, with
            the chosen C; None when C is the stated one.
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    activation: str
    c: float
    log_losses: tuple[tuple[float, float], ...]
    out_of_fold: NDArray[np.float32] | None = None

    def cooled(self, temperature: float) -> "LinearHead":
        """Returns the head with its logits divided by a temperature; nothing else changes."""
        scale = np.float32(1 / temperature)
        return replace(self, kernel=self.kernel * scale, bias=self.bias * scale)

    def probabilities(self, features: Features) -> NDArray[np.float32]:
        """Applies the head: (N, D) to (N, K), or (N, 1) for a sigmoid."""
        logits = features.reshape(len(features), -1) @ self.kernel + self.bias
        if self.activation == "sigmoid":
            return np.asarray(1 / (1 + np.exp(-logits)), np.float32)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def both_classes(outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns a head's outputs into one column a class, also where one unit stands for two.

    Example:
        >>> both_classes(np.array([[0.25]], np.float32)).tolist()
        [[0.75, 0.25]]
    """
    if outputs.shape[1] > 1:
        return outputs
    return np.concatenate([1 - outputs, outputs], axis=1)


def class_weights(labels: NDArray[np.int32], class_count: int) -> NDArray[np.float64]:
    """Weighs each class by the inverse of its share: N / (K * count), as scikit-learn's "balanced".

    Example:
        >>> class_weights(np.array([0, 0, 0, 1], np.int32), 2).round(3).tolist()
        [0.667, 2.0]
    """
    counts = np.bincount(labels, minlength=class_count)
    return np.asarray(len(labels) / (class_count * np.maximum(counts, 1)), np.float64)


def import_solver() -> None:
    """Imports scikit-learn, which takes a second: for a thread that runs beside other work."""
    import sklearn.linear_model
    import sklearn.model_selection  # noqa: F401


def fit_linear(
    features: Features,
    labels: NDArray[np.int32],
    *,
    class_count: int,
    activation: str = "softmax",
    weights: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> LinearHead:
    """Fits softmax regression on standardised features, its regularisation chosen by log loss.

    Standardising is folded into the layer, which therefore takes the features as they are.

    Args:
        features: float32 (N, D).
        labels: int32 (N,), each class at least once.
        class_count: K.
        activation: "softmax", or "sigmoid" for two classes in one unit.
        weights: float64 (N,), how much each example counts; None for all alike.
        seed: of the folds.

    Returns:
        The fitted layer.
    """
    flat = features.reshape(len(features), -1)
    mean = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = _deviation(flat, mean)
    standard = (flat - mean) / deviation
    chosen = _choose_c(standard, labels, weights, class_count=class_count, seed=seed)
    with _blas_threads(1 if standard.size * class_count < _WORTH_THREADS else processors()):
        kernel, bias = _columns(_fit(standard, labels, chosen.c, weights), activation)
    kernel = kernel / deviation[:, None]
    return LinearHead(
        kernel=kernel.astype(np.float32),
        bias=(bias - mean @ kernel).astype(np.float32),
        activation=activation,
        c=chosen.c,
        log_losses=chosen.log_losses,
        out_of_fold=chosen.out_of_fold,
    )


@dataclass(frozen=True)
class _Choice:
    c: float
    log_losses: tuple[tuple[float, float], ...] = ()
    out_of_fold: NDArray[np.float32] | None = None


def _deviation(flat: Features, mean: NDArray[np.float32]) -> NDArray[np.float32]:
    squares = np.zeros(flat.shape[1], np.float64)
    for start in range(0, len(flat), 1024):
        squares += np.square(flat[start : start + 1024] - mean, dtype=np.float64).sum(axis=0)
    deviation = np.sqrt(squares / len(flat))
    # A feature that never changes says nothing; dividing by its rounding error would shout.
    deviation[deviation < 1e-6 * max(float(np.abs(mean).max(initial=0.0)), 1.0)] = 1.0
    return deviation.astype(np.float32)


def _choose_c(
    standard: Features,
    labels: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    *,
    class_count: int,
    seed: int,
) -> _Choice:
    from sklearn.model_selection import StratifiedKFold

    folds = min(FOLDS, int(np.bincount(labels, minlength=class_count).min()))
    if folds < 2 or class_count > MAX_CLASSES_TO_CHOOSE or standard.nbytes > MAX_BYTES_TO_CHOOSE:
        return _Choice(STATED_C)
    parts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(labels, labels))
    kept = None
    if len(labels) * class_count <= MAX_KEPT:
        kept = np.empty((len(CANDIDATE_CS), len(labels), class_count), np.float32)
    with _blas_threads(1), ThreadPoolExecutor(processors()) as threads:
        losses = np.sum(
            list(threads.map(lambda part: _path(standard, labels, weights, part, kept), parts)),
            axis=0,
        )
    table = tuple(zip(CANDIDATE_CS, (losses / len(labels)).tolist(), strict=True))
    best = min(range(len(table)), key=lambda at: table[at][1])
    return _Choice(table[best][0], table, None if kept is None else kept[best].copy())


def _path(
    standard: Features,
    labels: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    part: tuple[NDArray[np.int64], NDArray[np.int64]],
    kept: NDArray[np.float32] | None,
) -> list[float]:
    """Returns the held-out log loss for every C, each fit starting from the one before.

    What was said of the held-out photos goes into `kept` (C, N, K), where that is wanted.
    """
    train, held_out = part
    inside, outside = standard[train], standard[held_out]
    model, losses = None, []
    for number, c in enumerate(CANDIDATE_CS):
        model = _fit(inside, labels[train], c, None if weights is None else weights[train], model)
        probabilities = model.predict_proba(outside)
        if kept is not None:
            kept[number, held_out] = probabilities
        probability = probabilities[np.arange(len(held_out)), labels[held_out]]
        log_loss = -np.log(np.maximum(probability, 1e-12))
        losses.append(float((log_loss if weights is None else log_loss * weights[held_out]).sum()))
    return losses


def _fit(
    standard: Features,
    labels: NDArray[np.int32],
    c: float,
    weights: NDArray[np.float64] | None,
    start: Any = None,
) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = start or LogisticRegression(
        solver="lbfgs", fit_intercept=True, max_iter=200, tol=1e-4, warm_start=True
    )
    model.set_params(C=c)
    with warnings.catch_warnings():
        # With hardly any regularisation there may be no optimum to reach; such a C loses anyway.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(standard, labels, sample_weight=weights)


def _columns(model: Any, activation: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    kernel, bias = np.asarray(model.coef_.T, np.float64), np.asarray(model.intercept_, np.float64)
    if activation == "softmax" and kernel.shape[1] == 1:
        # Two classes come as one column z; softmax of (-z/2, z/2) is the same probability.
        return np.concatenate([-kernel, kernel], axis=1) / 2, np.concatenate([-bias, bias]) / 2
    return kernel, bias


def _blas_threads(count: int) -> Any:
    """Limits BLAS' threads: on matrices of a usual size they mostly wait for each other.

    Measured with 2000 x 1280 features on 2 cores, 25 fits: 0.3 s with one thread, 17 s with two.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(count)


def cross_validate(
    features: Features,
    labels: NDArray[np.int32],
    groups: NDArray[np.int32],
    *,
    class_count: int,
    c: float | None,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Returns what heads that have not seen a photo say of it: (N, K).

    Args:
        features: float32 (N, D).
        labels: int32 (N,).
        groups: int32 (N,); photos of one group, near-duplicates, are never on both sides.
        class_count: K.
        c: inverse regularisation strength; None to choose one for each fold by the log loss on the
            others, so that no photo has a say in how it is judged.
        seed: of the folds.

    Example:
        >>> random = np.random.default_rng(0)
        >>> labels = np.repeat([0, 1], 20).astype(np.int32)
        >>> features = random.normal(labels[:, None] * 9, 1, (40, 3)).astype(np.float32)
        >>> groups = np.arange(40, dtype=np.int32)
        >>> found = cross_validate(features, labels, groups, class_count=2, c=1.0)
        >>> bool((found.argmax(axis=1) == labels).all())
        True
    """
    from sklearn.model_selection import StratifiedGroupKFold

    flat = features.reshape(len(features), -1)
    mean = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
    standard = (flat - mean) / _deviation(flat, mean)
    counts = np.bincount(labels, minlength=class_count)
    folds = max(2, min(FOLDS, int(counts[counts > 0].min())))
    cs = (c,) if c is not None else CANDIDATE_CS
    if len(cs) * len(labels) * class_count > MAX_KEPT or standard.nbytes > MAX_BYTES_TO_CHOOSE:
        cs = (STATED_C if c is None else c,)
    answers = np.zeros((len(cs), len(labels), class_count), np.float32)

    def answer(part: tuple[NDArray[np.int64], NDArray[np.int64]]) -> None:
        model = None
        for number, each in enumerate(cs):
            model = _fit(standard[part[0]], labels[part[0]], each, None, model)
            said = model.predict_proba(standard[part[1]])
            answers[number][np.ix_(part[1], model.classes_)] = said

    with warnings.catch_warnings():
        # A class with fewer groups than folds is absent from some; that is known and harmless.
        warnings.simplefilter("ignore", UserWarning)
        parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        pairs = list(parts.split(standard, labels, groups))
    with _blas_threads(1), ThreadPoolExecutor(processors()) as threads:
        list(threads.map(answer, pairs))
    if len(cs) == 1:
        return np.asarray(answers[0], np.float32)
    losses = -np.log(np.maximum(answers[:, np.arange(len(labels)), labels], 1e-12))
    chosen = np.zeros((len(labels), class_count), np.float32)
    for _, held_out in pairs:
        best = int((losses.sum(axis=1) - losses[:, held_out].sum(axis=1)).argmin())
        chosen[held_out] = answers[best][held_out]
    return chosen


def fit_for_curve(
    features: Features, labels: NDArray[np.int32], *, class_count: int, c: float
) -> LinearHead:
    """Fits a softmax head with a given C, without choosing: many of them make a learning curve."""
    flat = features.reshape(len(features), -1)
    mean = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = _deviation(flat, mean)
    model = _fit((flat - mean) / deviation, labels, c, None)
    kernel, bias = _columns(model, "softmax")
    kernel = kernel / deviation[:, None]
    bias = bias - mean @ kernel
    if len(model.classes_) < class_count:
        # A class without a photo among those drawn is never named.
        all_kernel, all_bias = np.zeros((len(kernel), class_count)), np.full(class_count, -1e9)
        all_kernel[:, model.classes_], all_bias[model.classes_] = kernel, bias
        kernel, bias = all_kernel, all_bias
    return LinearHead(kernel.astype(np.float32), bias.astype(np.float32), "softmax", c, ())


def one_blas_thread() -> Any:
    """Limits BLAS to one thread while several heads are fitted side by side; use as a context."""
    return _blas_threads(1)
