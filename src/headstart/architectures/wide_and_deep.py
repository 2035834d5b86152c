"""A wide and deep network: the standard example of what the functional API is for (2016)."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

from headstart.errors import ArgumentError


def wide_and_deep(
    input_shape: Sequence[int] = (8,),
    hidden: Sequence[int] = (30, 30),
    *,
    name: str = "wide_and_deep",
) -> keras.Model:
    """Builds a regression network in which the input also reaches the output directly.

    The deep path learns patterns, the wide path passes simple rules on undistorted.

    Paper: Cheng and others, Wide & Deep Learning for Recommender Systems, DLRS 2016,
    arXiv:1606.07792. Like the book examples after it, this is a small one: the input is
    concatenated with the last hidden layer, and one number comes out.

    Args:
        input_shape: (D,) of one row of numbers.
        hidden: width of each hidden layer, one or more.
        name: of the model.

    Returns:
        A model of (N, D) to (N, 1), without activation at the end.

    Raises:
        ArgumentError: when an argument does not fit.

    Example:
        >>> wide_and_deep((10,)).count_params()
        1301
    """
    if len(input_shape) != 1 or input_shape[0] < 1:
        raise ArgumentError(
            f"input_shape={tuple(input_shape)!r}: expected (D,), the length of one row of numbers."
        )
    if not hidden or min(hidden) < 1:
        raise ArgumentError(
            f"hidden={tuple(hidden)!r}: expected the width of each hidden layer, such as (30, 30)."
        )
    wide = keras.Input(tuple(input_shape), name="row")
    deep = wide
    for number, width in enumerate(hidden, start=1):
        deep = layers.Dense(width, activation="relu", name=f"hidden{number}")(deep)
    both = layers.Concatenate(name="concat")([wide, deep])
    output = layers.Dense(1, name="output")(both)
    return keras.Model(wide, output, name=name)
