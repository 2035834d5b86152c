"""The one building block of the later networks: convolution, normalisation, ReLU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import keras
from keras import layers


class Conv(NamedTuple):
    """A convolution in a table of a paper; rows before columns, as in "7x1"."""

    filters: int
    size: int | tuple[int, int]
    strides: int = 1
    padding: str = "same"


def valid(filters: int, size: int | tuple[int, int], strides: int = 1) -> Conv:
    """Returns a convolution without padding, marked "V" in the figures of Inception-v4.

    Example:
        >>> valid(32, 3, 2)
        Conv(filters=32, size=3, strides=2, padding='valid')
    """
    return Conv(filters, size, strides, "valid")


def conv_bn(
    x: keras.KerasTensor, conv: Conv, *, name: str, scale: bool = False
) -> keras.KerasTensor:
    """Adds a convolution without bias, a batch normalisation and a ReLU.

    Args:
        x: map (N, h, w, c).
        conv: the convolution.
        name: begins the names of the three layers.
        scale: whether the normalisation learns a scale; before a ReLU it is not needed, and the
            published weights of most networks have none.
    """
    x = layers.Conv2D(
        conv.filters,
        conv.size,
        strides=conv.strides,
        padding=conv.padding,
        use_bias=False,
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(scale=scale, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def chain(
    x: keras.KerasTensor, convs: Sequence[Conv], *, name: str, scale: bool = False
) -> keras.KerasTensor:
    """Adds several convolutions one after the other, numbered from 1."""
    for number, conv in enumerate(convs, start=1):
        x = conv_bn(x, conv, name=f"{name}_{number}", scale=scale)
    return x


def branches(
    x: keras.KerasTensor, tables: Sequence[Sequence[Conv]], *, name: str, scale: bool = False
) -> list[keras.KerasTensor]:
    """Adds several chains side by side, numbered from 1.

    Args:
        x: map (N, h, w, c) that all of them start from.
        tables: the convolutions of each chain.
        name: of the module.
        scale: as for `conv_bn`.

    Returns:
        The end of each.
    """
    return [
        chain(x, convs, name=f"{name}_branch{number}", scale=scale)
        for number, convs in enumerate(tables, start=1)
    ]


def pool_branch(
    x: keras.KerasTensor, filters: int, *, name: str, scale: bool = False
) -> keras.KerasTensor:
    """Adds an average over 3x3 and a 1x1 convolution, the last branch of an inception module."""
    x = layers.AveragePooling2D(3, strides=1, padding="same", name=f"{name}_pool")(x)
    return conv_bn(x, Conv(filters, 1), name=f"{name}_1", scale=scale)


def fork(
    x: keras.KerasTensor, convs: Sequence[Conv], *, name: str, scale: bool = False
) -> keras.KerasTensor:
    """Adds convolutions side by side on the same map and concatenates them, lettered from a."""
    ends = [
        conv_bn(x, conv, name=f"{name}_{letter}", scale=scale)
        for letter, conv in zip("ab", convs, strict=True)
    ]
    return layers.Concatenate(name=f"{name}_concat")(ends)
