"""LeNet-5, the network that read the cheques (1998)."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from headstart.architectures.frame import Shape, finish, pooled, take_image


def LeNet5(
    include_top: bool = True,
    weights: str | Path | None = None,
    *,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: Shape | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "lenet5",
) -> keras.Model:
    """Builds LeNet-5.

    Paper: LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition,
    Proceedings of the IEEE 86(11), 1998, section II.B.

    Input 32x32 grey, 28x28 digits with a margin. Depth 7: C1, S2, C3, S4, C5, F6, output.
    Parameters 61,706, where the paper has 60,000:

        layer   here             paper
        C1         156             156
        S2           0              12   a scale and an offset a map
        C3       2,416           1,516   each map reads only some of S2
        S4           0              32   a scale and an offset a map
        C5      48,120          48,120
        F6      10,164          10,164
        output     850               0   distances from drawn characters, not learned

    Original: sizes, the tanh (unscaled here), averages as subsampling, C5 as a convolution.
    Modernised: C3 reads all of S2, S2 and S4 learn nothing, a dense layer with softmax at the end.

    Args:
        include_top: end with F6 and the classes; else with C5, or its pooling.
        weights: None for random ones, or a file.
        input_tensor: to build on.
        input_shape: (height, width, channels), at least 32 x 32; default 32 x 32 x 1.
        pooling: without a top: "avg" or "max" for (N, 120), None for the map.
        classes: how many, with a top.
        classifier_activation: of the last layer, with a top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: when an argument does not fit.
        WeightsError: when the file does not.

    Example:
        >>> LeNet5().count_params()
        61706
    """
    image = take_image("LeNet5", input_tensor, input_shape, include_top=include_top)
    x = layers.Conv2D(6, 5, activation="tanh", name="c1_conv")(image)  # 28
    x = layers.AveragePooling2D(2, name="s2_pool")(x)  # 14
    x = layers.Conv2D(16, 5, activation="tanh", name="c3_conv")(x)  # 10
    x = layers.AveragePooling2D(2, name="s4_pool")(x)  # 5
    x = layers.Conv2D(120, 5, activation="tanh", name="c5_conv")(x)  # 1
    if include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(84, activation="tanh", name="f6")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    else:
        x = pooled(x, pooling)
    return finish(image, x, name=name, weights=weights)
