"""Reuse the lower layers of a model that learnt something else.

Model A knows the digits 0 to 7. Model B has to tell 8 from 9, and there are 10 labelled pictures of
each. B is trained twice: from scratch, and on A's lower layers, which stay frozen for the first
epochs. Ten draws of the 20 pictures say how sure the difference is.

Command:   python examples/reuse_digits.py
Expected:  scratch about 0.93, reuse about 0.96, each to within 2 points; A stays exactly as it was.
Time:      about half a minute on two cores.
"""

import keras
import numpy as np
from sklearn.datasets import load_digits

import headstart
from headstart.backbones.reuse import weights_digest

LABELLED = 10
FROZEN_EPOCHS, EPOCHS = 5, 15
T_95 = {3: 4.303, 5: 2.776, 10: 2.262}
"""Two-sided 95 % points of Student's t by the number of seeds."""


def train_a(pictures, digits):
    """Returns a network that knows the digits 0 to 7, and what it answers."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 16),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(8, activation="softmax"),
        ],
        name="model_A",
    )
    model.compile(
        keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    model.fit(pictures, digits, epochs=10, batch_size=32, verbose=0)
    return model


def with_new_head(lower):
    """Puts one unit on a network: the probability of a 9."""
    answer = keras.layers.Dense(1, activation="sigmoid", name="is_nine")(lower.output)
    return keras.Model(lower.input, answer)


def fit(model, pictures, labels, epochs):
    """Trains what is not frozen; compiling anew settles what that is."""
    # Eagerly: 20 pictures are seen sooner than a graph of the network would be built.
    model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy", run_eagerly=True)
    model.fit(pictures, labels, epochs=epochs, batch_size=20, verbose=0)


def reuse(model_a, pictures, labels):
    """Returns B on A's lower layers: frozen first, then all of them learn."""
    lower = headstart.cut(model_a, "-1")  # a deep copy without the output layer
    model_b = with_new_head(lower)
    headstart.freeze(model_b, upto=lower.layers[-1].name)
    fit(model_b, pictures, labels, FROZEN_EPOCHS)
    headstart.unfreeze(model_b)
    fit(model_b, pictures, labels, EPOCHS - FROZEN_EPOCHS)
    return model_b


def scratch(model_a, pictures, labels):
    """Returns B of the same layers with fresh weights."""
    fresh = keras.models.clone_model(model_a)
    model_b = with_new_head(headstart.cut(fresh, "-1"))
    fit(model_b, pictures, labels, EPOCHS)
    return model_b


def interval(values):
    """Mean and half of its 95 % interval over seeds."""
    values = np.asarray(values)
    half = T_95[len(values)] * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(half)


def main(seeds=10):
    """Runs the comparison and prints it."""
    pictures, digits = load_digits(return_X_y=True)
    pictures = pictures.reshape(-1, 8, 8, 1).astype("float32")
    known = digits < 8
    model_a = train_a(pictures[known], digits[known])
    before = weights_digest(model_a), model_a.evaluate(pictures[known], digits[known], verbose=0)[1]

    new, is_nine = pictures[~known], (digits[~known] == 9).astype("float32")
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
    after = weights_digest(model_a), model_a.evaluate(pictures[known], digits[known], verbose=0)[1]
    print(f"model A  {before[1]:.4f} before, {after[1]:.4f} after; same weights: {before == after}")
    return {"scores": found, "gain": gain, "half": half, "before": before, "after": after}


if __name__ == "__main__":
    main()
