"""What a classifier's outputs mean: probabilities, one probability, or logits."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.errors import ArgumentError
from headstart.modelfile.compiled import Compiled
from headstart.modelfile.graph import LayerNode, ModelGraph

_PASSING = frozenset({"ActivityRegularization", "Dropout", "Flatten", "Identity", "Reshape"})


@dataclass(frozen=True, slots=True)
class Answers:
    """How a classifier answers.

    Attributes:
        class_count: of classes; 2 where one unit answers.
        activation: "softmax" or "sigmoid".
        is_missing: whether that has to be put behind the model, which gives logits.
    """

    class_count: int
    activation: str
    is_missing: bool


def answers_of(graph: ModelGraph, compiled: Compiled) -> Answers:
    """Says how a model answers, from its last layers and the loss it was trained with.

    Raises:
        ArgumentError: when it is no classifier of one photo into one class.

    Example:
        >>> layers = (
        ...     LayerNode(name="photo", kind="InputLayer", output_shape=(None, 8)),
        ...     LayerNode(name="cat", kind="Dense", inputs=("photo",), output_shape=(None, 1),
        ...               settings={"activation": "sigmoid"}),
        ... )
        >>> answers_of(ModelGraph(name="m", layers=layers, outputs=("cat",)), Compiled())
        Answers(class_count=2, activation='sigmoid', is_missing=False)
    """
    nodes = {layer.name: layer for layer in graph.layers}
    shape = nodes[graph.outputs[0]].output_shape
    if len(graph.outputs) != 1 or len(shape) != 2 or not isinstance(shape[1], int):
        raise ArgumentError(
            f"file: this model gives {[nodes[name].output_shape for name in graph.outputs]}; a "
            "classifier gives one row of numbers a photo."
        )
    units = shape[1]
    activation = _last_activation(graph, nodes)
    if activation == "softmax" and units > 1:
        return Answers(units, "softmax", is_missing=False)
    if activation == "sigmoid" and units == 1:
        return Answers(2, "sigmoid", is_missing=False)
    if activation == "sigmoid":
        raise ArgumentError(
            f"file: this model answers {units} questions with yes or no, each by a sigmoid of its "
            "own; a classifier chooses one of several classes."
        )
    if activation == "linear" and (units > 1 or compiled.from_logits):
        return Answers(max(units, 2), "softmax" if units > 1 else "sigmoid", is_missing=True)
    raise ArgumentError(
        f"file: this model ends with {activation} and {units} output{'s'[: units > 1]}, which are "
        "no probabilities. It is probably no classifier."
    )


def _last_activation(graph: ModelGraph, nodes: dict[str, LayerNode]) -> str:
    node = nodes[graph.outputs[0]]
    while node.kind in _PASSING and len(node.inputs) == 1:
        node = nodes[node.inputs[0]]
    if node.kind in ("Softmax", "Sigmoid"):
        return node.kind.lower()
    return str(node.settings.get("activation", "linear"))
