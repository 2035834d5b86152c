"""Where a network is split: the frozen prefix below, the trainable suffix above.

What lies below the lowest trainable layer is a pure function of the photo. It is evaluated once,
and only what is above is trained. In a network with branches several tensors may cross the cut.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from headstart.errors import ArgumentError, near_matches

if TYPE_CHECKING:
    import keras

IMAGE = "image"
"""Name of a network's input."""

FEATURES = "features"
"""Name of its last layer, below the head."""

MULTIPLICATIONS_PER_VALUE = 50
"""Reading one kept value takes about as long as so many multiplications in a convolution."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A place to split a network.

    Attributes:
        crossing: names of the operations whose outputs cross, bottom to top; the photo itself when
            nothing with weights lies below.
        shapes: of those outputs, without the batch axis.
        trainable: names of the layers to train, bottom to top.
    """

    crossing: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    trainable: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Tells whether the whole network lies above."""
        return self.crossing == (IMAGE,)

    @property
    def value_count(self) -> int:
        """Numbers that cross for one photo."""
        return sum(math.prod(shape) for shape in self.shapes)

    def as_json(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> Cut:
        """Reads what `as_json` gave."""
        shapes = tuple(tuple(shape) for shape in values["shapes"])
        return Cut(tuple(values["crossing"]), shapes, tuple(values["trainable"]))


def check_trainable(trainable: str) -> None:
    """Refuses what no network could understand, before any is built.

    Args:
        trainable: `head`, `last:20`, `from:LAYER` or `all`.

    Raises:
        ArgumentError: naming what is possible.

    Example:
        >>> check_trainable("last:20")
    """
    if not re.fullmatch(r"head|all|last:[1-9]\d*|from:\S+", trainable):
        word = trainable.partition(":")[0]
        raise ArgumentError(
            f"trainable={trainable!r} is unknown.{near_matches(word, ('head', 'last', 'from'))} "
            "Expected head, last:N (the last N layers with weights, N >= 1), from:LAYER or all."
        )


def trainable_layers(
    frozen: keras.Model, trainable: str, *, blocks: Sequence[str] = ()
) -> tuple[str, ...]:
    """Says which layers of a backbone a stage trains.

    A batch normalisation counts with the convolution next to it, so `last:20` are the last 20
    others that own weights, and the normalisations among them.

    Args:
        frozen: from `surgery.build_frozen`.
        trainable: `head` (none of the backbone), `last:20`, `from:LAYER` or `all`. A layer may have
            no weights; the name of a block's end, out of `blocks`, means the whole block.
        blocks: cut points of the catalogue, bottom to top.

    Returns:
        Names of layers that own weights, bottom to top.

    Raises:
        ArgumentError: for an unknown layer, or when nothing would be trained.
    """
    check_trainable(trainable)
    layers = frozen.layers
    owners = [layer for layer in layers if layer.weights]
    if trainable == "head":
        return ()
    if trainable == "all":
        return tuple(layer.name for layer in owners)
    kind, _, rest = trainable.partition(":")
    if kind == "last":
        counted = [layer for layer in owners if not _is_batch_norm(layer)]
        low = layers.index(counted[-min(int(rest), len(counted))])
    else:
        low = _first_layer(frozen, rest, blocks)
    found = tuple(layer.name for layer in layers[low:] if layer.weights)
    if not found:
        raise ArgumentError(
            f"trainable={trainable!r} would train nothing: no layer from {rest!r} on owns weights. "
            f"The last one that does is {owners[-1].name!r}."
        )
    return found


def find_cut(frozen: keras.Model, layers: Sequence[str]) -> Cut:
    """Finds the cheapest place to cut below some layers.

    Either everything that does not depend on a trainable layer goes below, and all tensors that
    cross are kept; or the cut moves down, where fewer numbers cross, and the layers between are
    evaluated again in every step, frozen. The price of a place: what crosses, what is computed.

    Args:
        frozen: from `surgery.build_frozen`.
        layers: names of layers to train; none for the head alone.

    Returns:
        The cut.
    """
    graph = _Graph.of(frozen)
    if not layers:
        last = graph.names[-1]
        return Cut((last,), (graph.shapes[last],), ())
    trained = set(layers)
    lowest = min(number for number, name in enumerate(graph.names) if name in trained)
    partitions = [graph.descendants(trained)]
    partitions += [set(graph.names[number:]) for number in range(1, lowest + 1)]
    suffix = min(partitions, key=graph.price)
    crossing = graph.crossing(suffix)
    if not any(graph.owns_weights[name] for name in graph.names if name not in suffix):
        crossing = (graph.names[0],)
    return Cut(crossing, tuple(graph.shapes[name] for name in crossing), tuple(layers))


def _first_layer(frozen: keras.Model, name: str, blocks: Sequence[str]) -> int:
    names = [layer.name for layer in frozen.layers]
    if name in blocks:
        number = list(blocks).index(name)
        return names.index(blocks[number - 1]) + 1 if number else 0
    if name in names:
        return names.index(name)
    begun = [index for index, each in enumerate(names) if re.match(rf"{re.escape(name)}_", each)]
    if begun:
        return begun[0]
    raise ArgumentError(
        f"trainable='from:{name}': the backbone has no layer or block {name!r}."
        f"{near_matches(name, names)} `headstart models --json` lists the blocks of each backbone."
    )


def _is_batch_norm(layer: Any) -> bool:
    return type(layer).__name__ == "BatchNormalization"


@dataclass(frozen=True, slots=True)
class _Graph:
    """What a cut needs to know of a network; each operation by its name, bottom to top."""

    names: tuple[str, ...]
    parents: dict[str, tuple[str, ...]]
    shapes: dict[str, tuple[int, ...]]
    owns_weights: dict[str, bool]
    multiplications: dict[str, int]

    @staticmethod
    def of(model: keras.Model) -> _Graph:
        operations = list(model.operations)
        return _Graph(
            names=tuple(each.name for each in operations),
            parents=_parents(operations),
            shapes={each.name: tuple(each.output.shape[1:]) for each in operations},
            owns_weights={each.name: bool(getattr(each, "weights", ())) for each in operations},
            multiplications={each.name: _multiplications(each) for each in operations},
        )

    def descendants(self, names: set[str]) -> set[str]:
        found = set(names)
        for name in self.names:
            if not found.isdisjoint(self.parents[name]):
                found.add(name)
        return found

    def crossing(self, suffix: set[str]) -> tuple[str, ...]:
        read = {parent for name in suffix for parent in self.parents[name]} - suffix
        return tuple(name for name in self.names if name in read)

    def price(self, suffix: set[str]) -> float:
        values = sum(math.prod(self.shapes[name]) for name in self.crossing(suffix))
        computed = sum(self.multiplications[name] for name in suffix)
        return values + computed / MULTIPLICATIONS_PER_VALUE


def _parents(operations: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    """Finds what each operation reads, in the graph that the model was made of."""
    own = {id(each) for each in operations}
    found = {}
    for each in operations:
        tensors = [tensor for node in each._inbound_nodes for tensor in node.input_tensors]
        sources = [tensor._keras_history.operation for tensor in tensors]
        found[each.name] = tuple(source.name for source in sources if id(source) in own)
    return found


def _multiplications(operation: Any) -> int:
    """Estimates one evaluation: each weight of a kernel is used once at every output position."""
    kernels = [weight for weight in getattr(operation, "weights", ()) if len(weight.shape) > 1]
    positions = math.prod(operation.output.shape[1:-1])
    return int(positions * sum(math.prod(weight.shape) for weight in kernels))
