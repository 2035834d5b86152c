"""Networks for drawings: described once a session, and little ones written by hand."""

import random
from collections.abc import Callable
from functools import cache

import pytest

from headstart.backbones.description import describe_network
from headstart.modelfile.graph import LayerNode, ModelGraph

KINDS = {
    "conv": ("Conv2D", {"filters": 8, "kernel_size": [3, 3], "strides": [1, 1]}),
    "point": ("Conv2D", {"filters": 8, "kernel_size": [1, 1], "strides": [1, 1]}),
    "half": ("Conv2D", {"filters": 8, "kernel_size": [3, 3], "strides": [2, 2]}),
    "deep": ("DepthwiseConv2D", {"kernel_size": [3, 3], "strides": [1, 1]}),
    "pool": ("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2]}),
    "mean": ("GlobalAveragePooling2D", {}),
    "bn": ("BatchNormalization", {}),
    "relu": ("ReLU", {}),
    "pad": ("ZeroPadding2D", {}),
    "add": ("Add", {}),
    "mul": ("Multiply", {}),
    "cat": ("Concatenate", {}),
    "dense": ("Dense", {"units": 8}),
    "in": ("InputLayer", {}),
}


@pytest.fixture(scope="session")
def described() -> Callable[[str], ModelGraph]:
    """Returns a function that describes a network by its name, each only once."""
    return cache(describe_network)


@pytest.fixture
def network() -> Callable[..., ModelGraph]:
    """Returns a function that makes a network of lines such as "add1: conv1 in1".

    The kind of a layer is its name without the number. Outputs are what nothing else takes.
    """

    def make(*lines: str, name: str = "tiny") -> ModelGraph:
        layers = []
        for line in lines:
            layer, _, inputs = line.partition(":")
            kind, settings = KINDS[layer.rstrip("0123456789")]
            weights = {"kernel": (3, 3, 8, 8)} if "Conv" in kind else {}
            shape = (None, 8, 8, 8)
            layers.append(
                LayerNode(
                    name=layer, kind=kind, settings=settings, inputs=tuple(inputs.split()),
                    output_shape=shape, weights=weights,
                )
            )  # fmt: skip
        taken = {each for layer in layers for each in layer.inputs}
        ends = tuple(layer.name for layer in layers if layer.name not in taken)
        return ModelGraph(name=name, layers=tuple(layers), outputs=ends)

    return make


@pytest.fixture
def any_network(network) -> Callable[[int], ModelGraph]:
    """Returns a function that makes a network without sense, another one for each number."""

    def make(seed: int) -> ModelGraph:
        draw = random.Random(seed)
        lines, names = ["in0:"], ["in0"]
        for number in range(1, draw.randint(5, 30)):
            kind = draw.choice([*KINDS, "add", "cat", "mul"])
            count = draw.randint(1, 4) if kind in ("add", "cat", "mul") else int(kind != "in")
            near = names[-4:] if seed % 2 else names
            lines.append(f"{kind}{number}: {' '.join(draw.choice(near) for _ in range(count))}")
            names.append(f"{kind}{number}")
        return network(*lines)

    return make
