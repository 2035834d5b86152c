"""What transfer learning is for: few labelled digits, three ways to learn from them.

The same handful of labelled digits goes to (a) the starter's own network from random weights,
(b) softmax regression on raw pixels, (c) the starter's frozen features and a softmax regression on
them. Every digit that was not drawn for training is a test digit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.backbones.starter import STARTER_IMAGE_SIZE, starter
from headstart.data.decode import decode
from headstart.data.digits import DIGIT_CLASS_NAMES, digit_photos
from headstart.errors import ArgumentError
from headstart.evaluation.intervals import wilson
from headstart.heads.linear import LinearHead, fit_linear

if TYPE_CHECKING:
    import keras

FROM_SCRATCH = "same network from scratch"
RAW_PIXELS = "raw pixels"
STARTER_FEATURES = "frozen starter + head"
METHODS = (FROM_SCRATCH, RAW_PIXELS, STARTER_FEATURES)

_FEWEST_PER_CLASS = 174  # digits of the rarest class (8); one must be left for the test


_BATCH = 256


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One method trained on one draw of labelled digits.

    Attributes:
        method: one of `METHODS`.
        photos_per_class: labelled digits of each class that it learned from.
        seed: of the draw, and of the training from scratch.
        top_1: share of the test digits named right, 0..1.
        low: lower end of the 95 % Wilson interval over the test digits.
        high: upper end of it.
        seconds: from decoded photos to a trained classifier.
    """

    method: str
    photos_per_class: int
    seed: int
    top_1: float
    low: float
    high: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ScratchRecipe:
    """How the network is trained from random weights.

    Attributes:
        learning_rate: peak of AdamW's warm-up and cosine schedule.
        steps: batches in all.
        batch_size: examples a step.
        augment: shift, turn, slant and scale every example a little, differently each time.
        dropout: share of features dropped before the head.
    """

    learning_rate: float = 1e-2
    steps: int = 500
    batch_size: int = 16
    augment: bool = True
    dropout: float = 0.0


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits as the methods receive them.

    Attributes:
        images: uint8 (N, 16, 16, 3), 0..255, for a backbone.
        pixels: float32 (N, 64), 0..1, what the photos hold before they are enlarged.
        labels: int64 (N,), 0..9.
    """

    images: NDArray[np.uint8]
    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Digits:
        """Returns some of them."""
        return Digits(self.images[rows], self.pixels[rows], self.labels[rows])


Classify = Callable[[Digits], NDArray[np.int64]]


def study(
    photos_per_class: Sequence[int] = (5, 10),
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
    methods: Sequence[str] = METHODS,
) -> tuple[StudyRow, ...]:
    """Trains every method on the same few digits and tests it on all the others.

    Args:
        photos_per_class: sizes of the training set, 1..173 each.
        seed: of the draw and of all that is random.
        progress: is told one sentence before each training.
        methods: which of `METHODS`; all by default.

    Returns:
        One row a size and method, in that order.

    Raises:
        ArgumentError: when a size or method does not fit.

    Example:
        >>> rows = study((5,), methods=[STARTER_FEATURES])
        >>> rows[0].top_1 > 0.9
        True
    """
    for size in photos_per_class:
        if not 1 <= size < _FEWEST_PER_CLASS:
            raise ArgumentError(
                f"photos_per_class={size}: expected 1 to {_FEWEST_PER_CLASS - 1}, so that every "
                "class has digits left for the test."
            )
    for method in methods:
        if method not in METHODS:
            raise ArgumentError(f"methods: {method!r} is none of {', '.join(METHODS)}.")
    import keras  # noqa: F401 - loaded here, so that no method's time contains it

    digits = load_digits_decoded()
    rows = []
    for size in photos_per_class:
        train, test = draw(digits.labels, size, seed)
        for method in methods:
            if progress is not None:
                progress(f"{size} digits a class: {method}")
            rows.append(_row(method, digits.take(train), digits.take(test), size=size, seed=seed))
    return tuple(rows)


def load_digits_decoded() -> Digits:
    """Returns all digits through the one decode function, at the starter's size."""
    photos, labels = digit_photos()
    images = np.stack([decode(photo, image_size=STARTER_IMAGE_SIZE) for photo in photos])
    small = np.stack([decode(photo, image_size=8)[..., 0] for photo in photos])
    pixels = small.reshape(len(small), -1).astype(np.float32) / np.float32(255)
    return Digits(images, pixels, labels)


def draw(
    labels: NDArray[np.int64], photos_per_class: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draws `photos_per_class` examples of each class; the rest is for the test.

    With one seed, a smaller draw is part of a larger one.

    Example:
        >>> train, test = draw(np.array([0, 0, 0, 1, 1, 1]), 2, seed=0)
        >>> len(train), len(test)
        (4, 2)
    """
    random = np.random.default_rng(seed)
    orders = [random.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    train = np.concatenate([order[:photos_per_class] for order in orders])
    return train, np.setdiff1d(np.arange(len(labels)), train)


def study_table(rows: Sequence[StudyRow]) -> tuple[tuple[str, ...], ...]:
    """Returns the rows as text, header first: digits a class, method, top-1, interval, time.

    Example:
        >>> study_table([StudyRow(RAW_PIXELS, 5, 0, 0.86, 0.84, 0.88, 0.31)])[1]
        ('5', 'raw pixels', '86.0 %', '84.0 - 88.0 %', '0.3 s')
    """
    header = ("digits a class", "method", "top-1", "95 % interval", "time")
    body = (
        (
            str(row.photos_per_class),
            row.method,
            f"{row.top_1:.1%}".replace("%", " %"),
            f"{row.low * 100:.1f} - {row.high * 100:.1f} %",
            f"{row.seconds:.1f} s",
        )
        for row in rows
    )
    return (header, *body)


def _row(method: str, train: Digits, test: Digits, *, size: int, seed: int) -> StudyRow:
    learn = {
        FROM_SCRATCH: learn_from_scratch,
        RAW_PIXELS: learn_raw_pixels,
        STARTER_FEATURES: learn_starter_features,
    }[method]
    begun = time.perf_counter()
    classify = learn(train, seed)
    seconds = time.perf_counter() - begun
    right = int((classify(test) == test.labels).sum())
    total = len(test.labels)
    interval = wilson(right, total)
    return StudyRow(method, size, seed, right / total, interval.low, interval.high, seconds)


def learn_raw_pixels(train: Digits, seed: int) -> Classify:
    """Fits softmax regression on the 64 grey values, its C chosen by cross-validation.

    Not standardised: that would blow up the corners, where hardly any digit has ink, and cost raw
    pixels 1 to 3 points (measured: 0.826 against 0.859 with 5 digits a class, 10 seeds).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    folds = min(5, int(np.bincount(train.labels).min()))
    model = LogisticRegression(C=1.0, max_iter=500)
    if folds > 1:
        parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
        candidates = {"C": [0.1, 1.0, 10.0]}
        model = GridSearchCV(model, candidates, scoring="neg_log_loss", cv=parts)
    model.fit(train.pixels, train.labels)
    return lambda test: np.asarray(model.predict(test.pixels))


def learn_starter_features(train: Digits, seed: int) -> Classify:
    """Evaluates the frozen starter and fits softmax regression on its features."""
    backbone = starter(pooling="avg")

    def features(digits: Digits) -> NDArray[np.float32]:
        return _outputs(backbone, digits.images)

    head = _fit_head(features(train), train.labels, seed)
    return lambda test: head.probabilities(features(test)).argmax(axis=1)


def _fit_head(features: NDArray[np.float32], labels: NDArray[np.int64], seed: int) -> LinearHead:
    """Standardised softmax regression, its C chosen by cross-validation on the training digits."""
    return fit_linear(
        features, labels.astype(np.int32), class_count=len(DIGIT_CLASS_NAMES), seed=seed
    )


def learn_from_scratch(
    train: Digits, seed: int, recipe: ScratchRecipe = ScratchRecipe()
) -> Classify:
    """Trains the starter's network from random weights, as well as a sweep could find.

    The defaults of `ScratchRecipe` won the sweep in `benchmarks/starter.py`, judged by test
    accuracy itself on other seeds; augmentation is worth 1.5 points here with 5 digits a class,
    while for frozen features it is worth nothing (measured), so only this method gets it.
    """
    import keras

    keras.utils.set_random_seed(seed)
    network = starter(weights=None, pooling="avg")
    features = keras.layers.Dropout(recipe.dropout)(network.output)
    outputs = keras.layers.Dense(len(DIGIT_CLASS_NAMES), name="head")(features)
    model = keras.Model(network.input, outputs)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, recipe.steps, warmup_target=recipe.learning_rate, warmup_steps=recipe.steps // 10
    )
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        # For so short a training TensorFlow's XLA compiles longer than it saves; without jit, JAX
        # would run every operation by itself.
        jit_compile=keras.backend.backend() == "jax",
    )
    # Batch by batch: `fit` leaves the batch's size open, which takes twice as long here.
    for images, labels in _batches(train, seed, recipe):
        model.train_on_batch(images, labels)
    return lambda test: np.asarray(_outputs(model, test.images)).argmax(axis=1)


def _batches(
    train: Digits, seed: int, recipe: ScratchRecipe
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    random = np.random.default_rng(seed)
    needed = recipe.steps * recipe.batch_size
    size = len(train.labels)
    epochs = -(-needed // size)
    order = np.concatenate([random.permutation(size) for _ in range(epochs)])[:needed]
    for step, rows in enumerate(np.split(order, recipe.steps)):
        part = train.images[rows]
        if recipe.augment:
            one = np.random.default_rng((seed, step))
            part = np.stack([_moved(image, one) for image in part])
        yield _prepared(part), train.labels[rows]


def _moved(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Shifts by up to about a pixel of the 8 x 8 photo, turns, slants and scales a little."""
    turn, slant = random.normal(0, 0.08), random.normal(0, 0.08)
    tall, wide = np.exp(random.normal(0, 0.06, 2))
    middle = (image.shape[0] - 1) / 2
    a, b = wide * np.cos(turn), slant - np.sin(turn)
    d, e = np.sin(turn), tall * np.cos(turn)
    shift_x, shift_y = random.normal(0, 0.8, 2)
    c = middle - a * middle - b * middle + shift_x
    f = middle - d * middle - e * middle + shift_y
    moved = Image.fromarray(image).transform(
        (image.shape[1], image.shape[0]),
        Image.Transform.AFFINE,
        (a, b, c, d, e, f),
        Image.Resampling.BILINEAR,
    )
    return np.asarray(moved)


def _outputs(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Evaluates whole batches only: a short last one would be compiled anew, in every model."""
    fill = -len(images) % _BATCH
    whole = np.pad(images, ((0, fill), (0, 0), (0, 0), (0, 0)))
    found = model.predict(_prepared(whole), batch_size=_BATCH, verbose=0)
    return np.asarray(found[: len(images)], np.float32)


def _prepared(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)
