"""Names of layers in a model that is built flat, and what people may call them."""

from collections import Counter
from collections.abc import Collection

from headstart.errors import ArgumentError, near_matches
from headstart.modelfile.graph import ModelGraph


def flat_names(graph: ModelGraph, *, taken: Collection[str] = ()) -> dict[str, str]:
    """Returns a name for every node: its own where that is free, else with those around it.

    Keras allows no "/" in names.

    Args:
        graph: of a file.
        taken: names that are given away already.

    Example:
        >>> from headstart.modelfile.graph import LayerNode
        >>> names = ("a/dense", "b/dense", "b/relu")
        >>> layers = tuple(LayerNode(name=name, kind="Dense") for name in names)
        >>> flat_names(ModelGraph(name="m", layers=layers, outputs=())).values()
        dict_values(['a_dense', 'b_dense', 'relu'])
    """
    short = Counter(layer.name.rpartition("/")[2] for layer in graph.layers)
    used = set(taken)
    found = {}
    for layer in graph.layers:
        own = layer.name.rpartition("/")[2]
        name = own if short[own] == 1 else layer.name.replace("/", "_")
        name = name.replace(":", "_call_")
        while name in used:
            name = f"backbone_{name}"
        used.add(name)
        found[layer.name] = name
    return found


def find_node(graph: ModelGraph, name: str, *, argument: str) -> str:
    """Returns the node that a person means: its full name, or its last part where that is unique.

    Raises:
        ArgumentError: when there is none, or several.
    """
    nodes = [layer.name for layer in graph.layers]
    if name in nodes:
        return name
    names = flat_names(graph)
    found = [node for node in nodes if name in (names[node], node.rpartition("/")[2])]
    if len(found) == 1:
        return found[0]
    if found:
        raise ArgumentError(
            f"{argument}={name!r} is the name of several layers: {', '.join(found[:5])}."
        )
    raise ArgumentError(
        f"{argument}={name!r} is no layer of this model.{near_matches(name, names.values())} "
        "'headstart inspect FILE' lists them."
    )
