"""The classic convolutional networks, built anew in plain functional Keras.

One file a family, readable as the table in its paper, in the manner of `keras.applications`. Where
`keras.applications` has the network, its weights load into ours in the same order.

How layers are named: the name is the path to the layer, module first, its parts joined by `_`, as
`keras.applications` names its ResNets:

- every layer of a module begins with the module's name and `_`, and no other layer does:
  `conv2_block1_...`, `inception_3a_...`, `mixed4_...`, `block35_7_...`, `stem_...`, `aux1_...`;
- within an inception module follow branch and step: `mixed4_branch2_3_...`; within a residual block
  the step: `conv2_block1_2_...`, 0 or `shortcut` being the branch around it;
- the last part says what the layer does: `conv`, `bn`, `relu` (or `act`), `pool`, `concat`, `add`,
  `scale`. A module ends with `..._concat`, `..._add`, or `..._out` where a ReLU follows the sum;
- the top is `flatten`, `avg_pool`, `fc...`, `predictions`.

Nothing here is loaded with the package; a family is when one of its networks is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from headstart.errors import ArgumentError, near_matches

if TYPE_CHECKING:
    import keras

    from headstart.architectures.alexnet import AlexNet
    from headstart.architectures.inception_resnet import InceptionResNetV1, InceptionResNetV2
    from headstart.architectures.inception_v1 import InceptionV1
    from headstart.architectures.inception_v3 import InceptionV3
    from headstart.architectures.inception_v4 import InceptionV4
    from headstart.architectures.lenet import LeNet5
    from headstart.architectures.resnet import ResNet50
    from headstart.architectures.resnext import ResNeXt50
    from headstart.architectures.vgg import VGG16, VGG19
    from headstart.architectures.wide_and_deep import wide_and_deep
    from headstart.architectures.xception import Xception

__all__ = [
    "VGG16",
    "VGG19",
    "AlexNet",
    "Architecture",
    "InceptionResNetV1",
    "InceptionResNetV2",
    "InceptionV1",
    "InceptionV3",
    "InceptionV4",
    "LeNet5",
    "ResNeXt50",
    "ResNet50",
    "Xception",
    "architectures",
    "build",
    "find",
    "wide_and_deep",
]


@dataclass(frozen=True, slots=True)
class Architecture:
    """Where an architecture is, and what it takes.

    Attributes:
        name: of the function that builds it.
        module: of this package that holds the function.
        input_shape: of one input, as in the paper.
        minimum_size: smallest side in pixels that it can be built for.
    """

    name: str
    module: str
    input_shape: tuple[int, ...]
    minimum_size: int

    @property
    def builder(self) -> Callable[..., keras.Model]:
        """The function that builds it; looking at it loads Keras."""
        module = import_module(f"{__name__}.{self.module}")
        found: Callable[..., keras.Model] = getattr(module, self.name)
        return found


def architectures() -> tuple[Architecture, ...]:
    """Returns the convolutional networks by the year of their papers; loads no Keras.

    Example:
        >>> [each.name for each in architectures()][:4]
        ['LeNet5', 'AlexNet', 'VGG16', 'VGG19']
    """
    return _ALL


def find(name: str) -> Architecture:
    """Returns the architecture of a name; upper and lower case, "-" and "_" do not matter.

    Raises:
        ArgumentError: when there is none, with the nearest names.

    Example:
        >>> find("resnext-50").name
        'ResNeXt50'
    """
    by_name = {_plain(each.name): each for each in (*_ALL, _WIDE_AND_DEEP)}
    found = by_name.get(_plain(name))
    if found is None:
        known = [each.name for each in by_name.values()]
        raise ArgumentError(
            f"name={name!r} is no architecture.{near_matches(name, known)} "
            f"There are {', '.join(known)}."
        )
    return found


def build(name: str, **settings: Any) -> keras.Model:
    """Builds an architecture by its name.

    Args:
        name: of an architecture, as `find` takes it.
        **settings: arguments of its function, such as `input_shape` or `classes`.

    Raises:
        ArgumentError: for an unknown name, or settings that don't fit.

    Example:
        >>> build("lenet5").count_params()
        61706
    """
    return find(name).builder(**settings)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").strip()


_ALL = (
    Architecture("LeNet5", "lenet", (32, 32, 1), 32),
    Architecture("AlexNet", "alexnet", (227, 227, 3), 67),
    Architecture("VGG16", "vgg", (224, 224, 3), 32),
    Architecture("VGG19", "vgg", (224, 224, 3), 32),
    Architecture("InceptionV1", "inception_v1", (224, 224, 3), 32),
    Architecture("InceptionV3", "inception_v3", (299, 299, 3), 75),
    Architecture("ResNet50", "resnet", (224, 224, 3), 32),
    Architecture("InceptionV4", "inception_v4", (299, 299, 3), 75),
    Architecture("InceptionResNetV1", "inception_resnet", (299, 299, 3), 75),
    Architecture("InceptionResNetV2", "inception_resnet", (299, 299, 3), 75),
    Architecture("Xception", "xception", (299, 299, 3), 71),
    Architecture("ResNeXt50", "resnext", (224, 224, 3), 32),
)
_WIDE_AND_DEEP = Architecture("wide_and_deep", "wide_and_deep", (8,), 1)


def __getattr__(name: str) -> Any:
    for each in (*_ALL, _WIDE_AND_DEEP):
        if each.name == name:
            return each.builder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
