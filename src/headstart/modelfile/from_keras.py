"""A Keras model that is in memory, as data: layers, edges, shapes; nested models opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headstart.errors import ArgumentError
from headstart.modelfile.graph import LayerNode, ModelGraph, Shape

if TYPE_CHECKING:
    import keras


def graph_of_model(model: keras.Model) -> ModelGraph:
    """Reads the graph of a functional or sequential Keras model; its weights are not looked at.

    Args:
        model: built; models nested in it are opened, and their layers named `outer/inner`.

    Returns:
        The network as data.

    Raises:
        ArgumentError: for a model whose graph only its own code knows.

    Example:
        >>> import keras
        >>> pixels = keras.Input((8, 8, 3))
        >>> model = keras.Model(pixels, keras.layers.Conv2D(4, 3, name="conv")(pixels), name="tiny")
        >>> graph = graph_of_model(model)
        >>> graph.layers[-1].output_shape, graph.parameters
        ((None, 6, 6, 4), 112)
    """
    reader = _Reader()
    function = _function(model)
    places = reader.read(function, prefix="", trainable=True, inputs=None)
    return ModelGraph(name=model.name, layers=tuple(reader.layers), outputs=tuple(places))


@dataclass
class _Reader:
    """Walks a model and those nested in it."""

    layers: list[LayerNode] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    calls: dict[int, list[str]] = field(default_factory=dict)
    """Names of the nodes of each layer, by its identity."""

    def read(
        self, function: Any, *, prefix: str, trainable: bool, inputs: list[str] | None
    ) -> list[str]:
        """Adds the nodes of one model.

        Args:
            function: functional model.
            prefix: of the names, `outer/` of a nested model.
            trainable: whether all models around it are.
            inputs: names of the nodes that go into a nested model; None for the outermost, whose
                inputs are nodes themselves.

        Returns:
            Names of the nodes that its outputs come from.
        """
        made: dict[int, str] = {}
        if inputs is not None:
            made = {id(t): name for t, name in zip(function.inputs, inputs, strict=True)}
        for node in _ordered_nodes(function):
            operation = node.operation
            if node.is_input and inputs is not None:
                continue
            sources = [made[id(tensor)] for tensor in node.input_tensors if id(tensor) in made]
            if hasattr(operation, "layers"):
                inner = f"{prefix}{operation.name}/"
                learns = trainable and operation.trainable
                ends = self.read(
                    _function(operation), prefix=inner, trainable=learns, inputs=sources
                )
            else:
                name = self._add(operation, node, sources, prefix=prefix, trainable=trainable)
                ends = [name] * len(node.outputs)
            made.update({id(tensor): end for tensor, end in zip(node.outputs, ends, strict=True)})
        return list(dict.fromkeys(made[id(tensor)] for tensor in function.outputs))

    def _add(
        self, operation: Any, node: Any, sources: list[str], *, prefix: str, trainable: bool
    ) -> str:
        calls = self.calls.setdefault(id(operation), [])
        first = calls[0] if calls else None
        plain = f"{prefix}{operation.name}"
        name = f"{first}:{len(calls) + 1}" if first else _free_name(plain, self.taken)
        calls.append(name)
        weights, fixed = _weights(operation)
        self.layers.append(
            LayerNode(
                name=name,
                kind=type(operation).__name__,
                settings=_settings(operation),
                inputs=tuple(sources),
                output_shape=_output_shape(node.outputs),
                weights=weights,
                trainable=trainable and bool(getattr(operation, "trainable", True)),
                non_trainable=fixed,
                shared_with=first,
            )
        )
        self.taken.add(name)
        return name


def _function(model: Any) -> Any:
    """The functional model behind a sequential one."""
    function = getattr(model, "_functional", None) or model
    if not hasattr(function, "_nodes_by_depth"):
        raise ArgumentError(
            f"model {getattr(model, 'name', '')!r} is a {type(model).__name__} whose graph only "
            "its own code knows. Expected a functional model, or a sequential one that is built: "
            "call it on a photo, or give its first layer a keras.Input."
        )
    return function


def _ordered_nodes(function: Any) -> list[Any]:
    """Calls of layers in the order in which the model was written, each after what it needs."""
    by_depth = function._nodes_by_depth
    rank = {id(operation): number for number, operation in enumerate(function.operations)}
    return [
        node
        for depth in sorted(by_depth, reverse=True)
        for node in sorted(by_depth[depth], key=lambda node: rank[id(node.operation)])
    ]


def _settings(operation: Any) -> dict[str, Any]:
    import keras

    try:
        config = keras.saving.serialize_keras_object(operation)["config"]
    except (TypeError, ValueError, NotImplementedError, KeyError):
        return {}  # an own layer without a config can be drawn, it only tells less
    return {key: value for key, value in config.items() if key not in ("name", "dtype")}


def _output_shape(tensors: list[Any]) -> Shape | tuple[Shape, ...]:
    shapes = tuple(tuple(tensor.shape) for tensor in tensors)
    return shapes[0] if len(shapes) == 1 else shapes


def _weights(operation: Any) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...]]:
    """Shapes by name, those of layers inside as `query/kernel`; and what no gradient moves."""
    shapes: dict[str, tuple[int, ...]] = {}
    fixed = []
    moving = {
        id(weight)
        for layer in (operation._flatten_layers() if hasattr(operation, "_flatten_layers") else ())
        for weight in layer._trainable_variables
    }
    for weight in getattr(operation, "weights", ()):
        _, _, inside = weight.path.rpartition(f"{operation.name}/")
        name = _free_name(inside or weight.name, set(shapes))
        shapes[name] = tuple(weight.shape)
        if id(weight) not in moving:
            fixed.append(name)
    return shapes, tuple(fixed)


def _free_name(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free
