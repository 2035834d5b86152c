"""Losses: every one of Keras that fits probabilities, by its name, or the user's own."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from headstart.errors import ArgumentError
from headstart.imports import is_own_code, load_function
from headstart.training.options import check_call, check_options, find_name, options_of

if TYPE_CHECKING:
    import keras

Targets = Literal["one_hot", "index", "binary"]

SHORT = {
    "bce": "binary_crossentropy", "kld": "kl_divergence", "mae": "mean_absolute_error",
    "mse": "mean_squared_error", "msle": "mean_squared_logarithmic_error",
    "mape": "mean_absolute_percentage_error",
}  # fmt: skip
CHOSEN_BY_HEAD = {  # for one unit, for several
    "auto": ("binary_crossentropy", "categorical_crossentropy"),
    "focal": ("binary_focal_crossentropy", "categorical_focal_crossentropy"),
}
INDEX = ("sparse_categorical_crossentropy", "categorical_generalized_cross_entropy")
UNFIT = {
    "circle": "it compares embeddings, not probabilities",
    "ctc": "it aligns sequences, and a photo has one class",
    "mean_absolute_percentage_error": "it divides by the target, which is 0 for every wrong class",
}
# A single number always points the same way and is always the whole of its distribution.
SEVERAL_UNITS = ("cosine_similarity", "kl_divergence")


@dataclass(frozen=True, slots=True)
class Loss:
    """What a training makes small.

    Attributes:
        function: for `compile`.
        targets: what it is told about the truth; see `targets`.
        name: as Keras writes it, or as the user gave their own.
        source: the whole text of the module or file of the user's own, else empty.
        per_photo: whether it has one value a photo; where it has one value for the whole batch
            (`dice`, `tversky`), weights of photos and classes cannot act.
    """

    function: "keras.losses.Loss"
    targets: Targets
    name: str
    source: str
    per_photo: bool


def targets(labels: NDArray[np.int32], kind: Targets, class_count: int) -> NDArray[Any]:
    """Returns labels in the form that a loss takes.

    Args:
        labels: int32 (N,), 0..K-1.
        kind: "one_hot", "index", or "binary" for one unit that says how likely class 1 is.
        class_count: K.

    Returns:
        float32 (N, K) of 0 and 1, int32 (N,), or float32 (N, 1) of 0 and 1.

    Example:
        >>> targets(np.array([1, 0], np.int32), "one_hot", 2).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    if kind == "index":
        return labels.astype(np.int32)
    if kind == "binary":
        return labels.astype(np.float32)[:, None]
    one_hot: NDArray[np.float32] = labels[:, None] == np.arange(class_count)
    return one_hot.astype(np.float32)


def loss_names() -> tuple[str, ...]:
    """Returns the losses that can be named and fit some head; imports Keras.

    Example:
        >>> "dice" in loss_names(), "ctc" in loss_names()
        (True, False)
    """
    return tuple(sorted((_kinds().keys() - UNFIT.keys()) | CHOSEN_BY_HEAD.keys()))


def check_loss(name: str, options: Mapping[str, Any], *, units: int | None) -> None:
    """Checks a loss, its options and whether it fits a head, without a photo; imports Keras.

    A file of the user's own is run to find the function in it; the function is not called.

    Args:
        name: as in `make_loss`.
        options: likewise.
        units: of the head; None for several of which it is not known yet how many.

    Raises:
        ArgumentError: naming the loss, the head and what fits, or the option and what is possible.

    Example:
        >>> check_loss("categorical_crossentropy", {}, units=1)
        Traceback (most recent call last):
        headstart.errors.ArgumentError: loss='categorical_crossentropy' does not fit a ...
    """
    subject = f"loss={name!r}"
    if is_own_code(name):
        function, _source = load_function("loss", name)
        check_call(subject, function, positional=("y_true", "y_pred"), named=options)
        return
    found = _find(name, units)
    _check_head(subject, found, units)
    _check_options(subject, found, options, units)


def make_loss(name: str, *, options: Mapping[str, Any], units: int) -> Loss:
    """Builds a loss for a head that gives probabilities, and tries it on a batch of two.

    Args:
        name: of a loss of Keras in any case, with or without underscores; `auto` for the cross-
            entropy of the head (binary for one unit, else categorical); `focal` for its focal form
            (Lin et al. 2017, arXiv:1708.02002); or `module:function` or `file.py:function`, which
            is called as `function(y_true, y_pred, **options)` for every batch, with y_true float32
            one-hot (B, K), or (B, 1) for one unit, and y_pred probabilities of that shape, and
            returns one value a photo, (B,), or one for the batch.
        options: its other arguments, by the names that Keras (or the user's function) has for them:
            `label_smoothing`, `gamma`, `alpha`, ...
        units: of the head; 1 for a sigmoid, else K >= 2.

    Returns:
        The loss, and what it is told about the truth.

    Raises:
        ArgumentError: naming the loss, the head and what fits, or the option and what is possible.

    Example:
        >>> loss = make_loss("auto", options={"label_smoothing": 0.1}, units=3)
        >>> loss.name, loss.targets
        ('categorical_crossentropy', 'one_hot')
    """
    check_loss(name, options, units=units)
    if is_own_code(name):
        own, source = load_function("loss", name)
        found, function = name, _wrap(name, own, options)
    else:
        found, source = _find(name, units), ""
        function = _build(name, found, options)
    kind = _targets_of(found, units)
    shape = _try(name, function, targets(np.array([0, 1], np.int32), kind, units), units)
    return Loss(function, kind, found, source, per_photo=shape != ())


def _build(name: str, found: str, options: Mapping[str, Any]) -> Any:
    try:
        return _kinds()[found](**options)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"loss={name!r} cannot be made from its options: {error}") from error


def _targets_of(found: str, units: int) -> Targets:
    if found in INDEX:
        return "index"
    return "binary" if units == 1 else "one_hot"


def _find(name: str, units: int | None) -> str:
    name = SHORT.get(name.lower(), name)
    known = find_name("loss", name, [*CHOSEN_BY_HEAD, *_kinds()], own_code=True)
    if known in CHOSEN_BY_HEAD:
        return CHOSEN_BY_HEAD[known][0 if units == 1 else 1]
    return known


def _check_options(subject: str, found: str, options: Mapping[str, Any], units: int | None) -> None:
    if "from_logits" in options:
        raise ArgumentError(
            f"{subject}: from_logits has no meaning here, because the model gives probabilities; "
            "leave it out."
        )
    known = options_of(_kinds()[found], without=["from_logits", "name", "dtype"])
    lists = ["alpha"] if found == "categorical_focal_crossentropy" else []
    check_options(subject, options, defaults=known, lists=lists)
    if options.get("reduction", "sum") in (None, "none"):
        raise ArgumentError(
            f"{subject}: reduction={options['reduction']!r} leaves no single number to make small; "
            "expected sum_over_batch_size, sum, mean or mean_with_sample_weight."
        )
    alpha = options.get("alpha")
    if units is not None and isinstance(alpha, (list, tuple)) and len(alpha) != units:
        raise ArgumentError(
            f"{subject}: alpha={alpha!r} has {len(alpha)} numbers; expected one, or one for each "
            f"of {units} classes."
        )
    if not 0 <= options.get("label_smoothing", 0) < 1:
        raise ArgumentError(
            f"{subject}: label_smoothing={options['label_smoothing']!r} does not fit; expected a "
            "fraction in [0, 1)."
        )


def _check_head(subject: str, found: str, units: int | None) -> None:
    if found in UNFIT:
        raise ArgumentError(f"{subject} does not fit a classifier: {UNFIT[found]}. Use auto.")
    several = "categorical" in found or found in SEVERAL_UNITS
    if units == 1 and several:
        raise ArgumentError(
            f"{subject} does not fit a head of one sigmoid unit: it needs a probability for every "
            "class. Use auto, binary_crossentropy or binary_focal_crossentropy, or a head of "
            "several units."
        )
    if units is not None and units > 2 and found.startswith("binary"):
        raise ArgumentError(
            f"{subject} does not fit a head of {units} softmax units: it judges every unit as if "
            "there were no others. Use auto, categorical_crossentropy or "
            "categorical_focal_crossentropy."
        )


def _kinds() -> dict[str, Any]:
    """Returns the losses of Keras: classes by the names of the functions that they wrap."""
    import keras

    functions = inspect.getmembers(keras.losses, inspect.isfunction)
    named = {name.replace("_", ""): name for name, _function in functions}
    return {
        named.get(name.lower(), name): kind
        for name, kind in inspect.getmembers(keras.losses, inspect.isclass)
        if issubclass(kind, keras.losses.Loss) and kind is not keras.losses.Loss
    }


def _wrap(name: str, function: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    import keras

    class Own(keras.losses.Loss):  # type: ignore[misc]
        """A function of the user's own; the base class weighs and averages what it returns."""

        def call(self, y_true: Any, y_pred: Any) -> Any:
            """Calls it for one batch."""
            return function(y_true, y_pred, **options)

    return Own(name=name.rpartition(":")[2])


def _try(name: str, function: Any, truth: NDArray[Any], units: int) -> tuple[int, ...]:
    """Returns the shape of what a loss says about two photos and undecided probabilities."""
    from keras import ops

    undecided = np.full((2, units), 1 / max(units, 2), np.float32)
    try:
        values = function.call(ops.convert_to_tensor(truth), ops.convert_to_tensor(undecided))
        shape = tuple(ops.shape(ops.convert_to_tensor(values)))
    except Exception as error:
        raise ArgumentError(
            f"loss={name!r} fails on a batch of two photos: {type(error).__name__}: {error}"
        ) from error
    if shape not in [(), (2,), (2, 1)]:
        raise ArgumentError(
            f"loss={name!r} has shape {shape} for a batch of two photos; expected one value a "
            "photo, (2,), or one for the batch, ()."
        )
    return shape
