"""Which array of a file belongs to which weight of a layer: by name, checked by shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headstart.errors import ModelFileError
from headstart.modelfile.contents import Contents, SavedArray

Needed = Mapping[str, tuple[int, ...]]
"""Shape of each weight of a layer by its name, in Keras' order."""

_KERAS_1 = {
    "W": "kernel",
    "b": "bias",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
}


@dataclass(frozen=True, slots=True)
class Matched:
    """What was found.

    Attributes:
        arrays: of each node, in the order of its weights.
        notes: what had to be matched otherwise than by name, and what is left over.
    """

    arrays: Mapping[str, tuple[SavedArray, ...]]
    notes: tuple[str, ...]


def match(
    contents: Contents,
    needed: Mapping[str, Needed],
    paths: Mapping[str, tuple[str, ...]],
    *,
    non_trainable: Mapping[str, Sequence[str]],
) -> Matched:
    """Finds the arrays of all layers.

    Args:
        contents: of a file.
        needed: what each node needs; those without weights may be missing.
        paths: of each node, its name and those of the models around it, as the file writes them.
        non_trainable: names of weights that no gradient moves, for each node.

    Raises:
        ModelFileError: naming the first array that is missing or has another shape.
    """
    needed = {node: weights for node, weights in needed.items() if weights}
    if contents.layout == "legacy":
        found, notes = _legacy(contents, needed, paths, non_trainable)
    else:
        found, notes = _tree(contents, needed, paths)
    for node, weights in needed.items():
        for (name, shape), array in zip(weights.items(), found[node], strict=True):
            if array.shape != tuple(shape):
                raise ModelFileError(
                    f"file={str(contents.file)!r} does not fit together: layer {node!r} needs its "
                    f"{name} of shape {tuple(shape)}, the file has {array.shape} at {array.place}."
                )
    used = {array.place for arrays in found.values() for array in arrays}
    left = [array for array in contents.arrays if array.place not in used and _counts(array)]
    if left:
        notes.append(f"{len(left)} arrays belong to no layer, the first is {left[0].place}")
    return Matched(found, tuple(notes))


Found = tuple[dict[str, tuple[SavedArray, ...]], list[str]]


def _tree(
    contents: Contents, needed: Mapping[str, Needed], paths: Mapping[str, tuple[str, ...]]
) -> Found:
    """Keras 3: a group a layer, which says the layer's name; arrays are numbered."""
    by_owner: dict[tuple[str, ...], dict[int, SavedArray]] = {}
    for array in contents.arrays:
        by_owner.setdefault(array.owner, {})[array.number] = array
    groups = _counted_groups(needed, paths)
    found, notes = {}, []
    for node, weights in needed.items():
        arrays = by_owner.get(paths[node])
        if arrays is None and groups[node] in by_owner:
            arrays = by_owner[groups[node]]
            notes.append("weights found by the layers' order: the file does not name them")
        if arrays is None or any(number not in arrays for number in range(len(weights))):
            raise _missing(contents, node)
        found[node] = tuple(arrays[number] for number in range(len(weights)))
    return found, list(dict.fromkeys(notes))


def _counted_groups(
    needed: Mapping[str, Needed], paths: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Groups as the first versions of Keras 3 named them: by class and number alone."""
    counts: dict[str, int] = {}
    found: dict[str, tuple[str, ...]] = {}
    for node in needed:
        base = re.sub(r"_\d+$", "", paths[node][-1])
        number = counts[base] = counts.get(base, -1) + 1
        found[node] = (f"<{base}_{number}>" if number else f"<{base}>",)
    return found


def _legacy(
    contents: Contents,
    needed: Mapping[str, Needed],
    paths: Mapping[str, tuple[str, ...]],
    non_trainable: Mapping[str, Sequence[str]],
) -> Found:
    """Keras 1, 2 and tf.keras: a group a layer of the outermost model, with names in it."""
    groups: dict[str, list[SavedArray]] = {}
    for array in contents.arrays:
        groups.setdefault(array.owner[0] if array.owner else "", []).append(array)
    members: dict[str, list[str]] = {}
    for node in needed:
        members.setdefault(paths[node][0], []).append(node)
    found: dict[str, tuple[SavedArray, ...]] = {}
    notes = []
    for group, nodes in members.items():
        arrays = groups.get(group, [])
        own = _by_name(arrays, nodes, needed, paths)
        if own is None:
            own = _by_order(arrays, nodes, needed, non_trainable)
            notes.append(f"weights of {group!r} found by their order: names in the file differ")
        if own is None:
            raise _missing(contents, nodes[0])
        found |= own
    return found, notes


def _by_name(
    arrays: Sequence[SavedArray],
    nodes: Sequence[str],
    needed: Mapping[str, Needed],
    paths: Mapping[str, tuple[str, ...]],
) -> dict[str, tuple[SavedArray, ...]] | None:
    named: dict[tuple[str, str], list[SavedArray]] = {}
    for array in arrays:
        layer, weight = _split(array.name)
        named.setdefault((layer, weight), []).append(array)
        named.setdefault(("", weight), []).append(array)
    found = {}
    for node in nodes:
        own = []
        for weight in needed[node]:
            # Alone in its group, a layer owns whatever is there, whatever it is called.
            layer = "" if len(nodes) == 1 else paths[node][-1]
            choices = named.get((layer, weight), [])
            if len(choices) > 1:
                tail = "/".join((*paths[node][1:], weight))
                choices = [each for each in choices if _plain(each.name).endswith(tail)]
            if len(choices) != 1:
                return None
            own.append(choices[0])
        found[node] = tuple(own)
    return found


def _by_order(
    arrays: Sequence[SavedArray],
    nodes: Sequence[str],
    needed: Mapping[str, Needed],
    non_trainable: Mapping[str, Sequence[str]],
) -> dict[str, tuple[SavedArray, ...]] | None:
    """The order in which Keras wrote them: all that learn, then the others; or layer by layer."""
    slots = [(node, weight) for node in nodes for weight in needed[node]]
    last = [(node, weight) for node, weight in slots if weight in non_trainable.get(node, ())]
    first = [slot for slot in slots if slot not in last]
    for order in ([*first, *last], slots):
        if len(order) != len(arrays):
            return None
        pairs = dict(zip(order, arrays, strict=True))
        if all(each.shape == tuple(needed[node][name]) for (node, name), each in pairs.items()):
            return {node: tuple(pairs[node, weight] for weight in needed[node]) for node in nodes}
    return None


def _split(name: str) -> tuple[str, str]:
    """Layer and weight: `a/conv/kernel:0` is (conv, kernel), `conv_1_W` is (conv_1, kernel)."""
    parts = _plain(name).split("/")
    weight, layer = parts[-1], parts[-2] if len(parts) > 1 else ""
    for old, new in _KERAS_1.items():
        if weight.endswith(f"_{old}") and (len(parts) == 1 or weight == f"{layer}_{old}"):
            return weight.removesuffix(f"_{old}"), new
    for new in ("gamma", "beta"):
        if len(parts) == 1 and weight.endswith(f"_{new}"):
            return weight.removesuffix(f"_{new}"), new
    return layer, weight


def _plain(name: str) -> str:
    return re.sub(r":\d+$", "", name)


def _counts(array: SavedArray) -> bool:
    """Whether it is worth a word: the states of random numbers are not."""
    return "seed_generator" not in array.place


def _missing(contents: Contents, node: str) -> ModelFileError:
    return ModelFileError(
        f"file={str(contents.file)!r} does not fit together: it lacks weights of layer {node!r}. "
        "It was cut off, or changed after it was saved."
    )
