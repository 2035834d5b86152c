"""A wide and deep network on scikit-learn's diabetes data: compile, fit, evaluate, predict.

Command:  python examples/wide_and_deep.py

Expected, seed 0, in about 10 seconds: a mean squared error on the test rows of about 0.5, in units
of the variance of the training targets (always saying their mean gives about 1).
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from headstart.architectures import wide_and_deep


def main(epochs: int = 20) -> dict[str, float]:
    """Trains on three quarters of the rows, a fifth of them for validation.

    Returns:
        The first and last validation loss, and the loss on the test rows.
    """
    keras.utils.set_random_seed(0)
    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    # Rows have mean 0 and length about 1 a column; gradient descent likes a deviation of 1.
    scale = X_train.std(axis=0)
    mean, deviation = y_train.mean(), y_train.std()
    y_train, y_test = (y_train - mean) / deviation, (y_test - mean) / deviation

    model = wide_and_deep(X.shape[1:])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=1e-2))
    history = model.fit(
        X_train / scale, y_train, epochs=epochs, validation_split=0.2, verbose=0
    ).history
    test_loss = float(model.evaluate(X_test / scale, y_test, verbose=0))
    predicted = model.predict(X_test[:3] / scale, verbose=0)[:, 0] * deviation + mean

    print(f"validation loss {history['val_loss'][0]:.3f} -> {history['val_loss'][-1]:.3f}")
    print(f"test loss {test_loss:.3f}")
    print(f"predicted {np.round(predicted)}, true {y_test[:3] * deviation + mean}")
    return {
        "first": history["val_loss"][0],
        "last": history["val_loss"][-1],
        "test": test_loss,
    }


if __name__ == "__main__":
    main()
