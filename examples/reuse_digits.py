"""Reuse the lower layers of a model that learnt something else.

Model A knows the digits 0 to 7, wherever they stand in the picture. Model B has to tell 8 from 9,
and there are 10 labelled pictures of each. B is trained twice: from scratch, and on A's lower
layers, which stay frozen for the first epochs. Ten draws of the 20 pictures say how sure the
difference is.

Command:   python examples/reuse_digits.py
Expected:  scratch 0.61, reuse 0.65, gain +0.040 +- 0.022 (paired); A stays exactly as it was.
Time:      about a minute on two cores.

Of pictures that are centred, as scikit-learn has them, 20 are enough for a start from scratch, and
A's layers gain nothing: reuse pays where a task is hard for its few pictures.
"""

import keras
import numpy as np
from sklearn.datasets import load_digits

import headstart
from headstart.backbones.reuse import weights_digest

LABELLED = 10
FROZEN_EPOCHS, EPOCHS = 5, 30
SIDE = 11
T_95 = {3: 4.303, 5: 2.776, 10: 2.262}
"""Two-sided 95 % points of Student's t by the number of seeds."""


def move(pictures, rng):
    """Puts each picture of 8 x 8 somewhere into a larger one."""
    moved = np.zeros((len(pictures), SIDE, SIDE), "float32")
    for number, picture in enumerate(pictures):
        top, left = rng.integers(0, SIDE - 7, 2)
        moved[number, top : top + 8, left : left + 8] = picture.reshape(8, 8)
    return moved.reshape(len(moved), -1)


def train_a(pictures, digits):
    """Returns a network that knows the digits 0 to 7."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((SIDE * SIDE,)),
            keras.layers.Rescaling(1 / 16),
            keras.layers.Dense(200, activation="relu"),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(8, activation="softmax"),
        ],
        name="model_A",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(pictures, digits, epochs=12, batch_size=128, verbose=0)
    return model


def with_new_head(lower):
    """Puts one unit on a network: the probability of a 9."""
    answer = keras.layers.Dense(1, activation="sigmoid", name="is_nine")(lower.output)
    return keras.Model(lower.input, answer)


def fit(model, pictures, labels, *, epochs, learning_rate=3e-3):
    """Trains what is not frozen; compiling anew settles what that is."""
    # Eagerly: 20 pictures are seen sooner than a graph of the network would be built.
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy", run_eagerly=True)
    model.fit(pictures, labels, epochs=epochs, batch_size=20, verbose=0)


def reuse(model_a, pictures, labels):
    """Returns B on A's lower layers: frozen first, then all of them learn."""
    lower = headstart.cut(model_a, "-1")  # a deep copy without the output layer
    model_b = with_new_head(lower)
    headstart.freeze(model_b, upto=lower.layers[-1].name)
    fit(model_b, pictures, labels, epochs=FROZEN_EPOCHS, learning_rate=1e-2)
    headstart.unfreeze(model_b)
    fit(model_b, pictures, labels, epochs=EPOCHS - FROZEN_EPOCHS)
    return model_b


def scratch(model_a, pictures, labels):
    """Returns B of the same layers with fresh weights."""
    fresh = keras.models.clone_model(model_a)
    model_b = with_new_head(headstart.cut(fresh, "-1"))
    fit(model_b, pictures, labels, epochs=EPOCHS)
    return model_b


def interval(values):
    """Mean and half of its 95 % interval over seeds."""
    values = np.asarray(values)
    half = T_95[len(values)] * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(half)


def main(seeds=10):
    """Runs the comparison and prints it."""
    pictures, digits = load_digits(return_X_y=True)
    is_known, rng = digits < 8, np.random.default_rng(0)
    known = move(np.repeat(pictures[is_known], 4, axis=0), rng)
    known_digits = np.repeat(digits[is_known], 4)
    model_a = train_a(known, known_digits)
    before = weights_digest(model_a), model_a.evaluate(known, known_digits, verbose=0)[1]

    new, is_nine = move(pictures[~is_known], rng), (digits[~is_known] == 9).astype("float32")
    found = {"scratch": [], "reuse": []}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        chosen = np.concatenate(
            [rng.choice(np.flatnonzero(is_nine == label), LABELLED, replace=False)
             for label in (0, 1)]
        )  # fmt: skip
        rest = np.setdiff1d(np.arange(len(new)), chosen)
        for name, make in (("scratch", scratch), ("reuse", reuse)):
            keras.utils.set_random_seed(seed)
            model_b = make(model_a, new[chosen], is_nine[chosen])
            answers = np.asarray(model_b(new[rest]))[:, 0] > 0.5
            found[name].append(float((answers == is_nine[rest]).mean()))
            keras.backend.clear_session(free_memory=False)

    for name, values in found.items():
        mean, half = interval(values)
        print(f"{name:8} top-1 {mean:.3f} +- {half:.3f}  ({seeds} seeds, {len(rest)} pictures)")
    gain, half = interval(np.subtract(found["reuse"], found["scratch"]))
    print(f"gain     {gain:+.3f} +- {half:.3f}  (paired, 95 %)")
    after = weights_digest(model_a), model_a.evaluate(known, known_digits, verbose=0)[1]
    print(f"model A  {before[1]:.4f} before, {after[1]:.4f} after; same weights: {before == after}")
    return {"scores": found, "gain": gain, "half": half, "before": before, "after": after}


if __name__ == "__main__":
    main()
