"""What parts of a network are called: the words of the papers, found by structure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from headstart.drawing.boxes import Box
from headstart.drawing.kinds import groups, is_depthwise, sides
from headstart.drawing.structure import (
    Aside,
    Item,
    Module,
    Repeated,
    Series,
    Split,
    Tangle,
)

SQUEEZE = "squeeze and excitation"
INCEPTION = "inception module"
REPEATED = "repeated part"
SIDE = "side output"
GROUPED = "grouped convolution"


def parts_of(item: Item | Series) -> tuple[Item | Series, ...]:
    """Returns what a part consists of, in the order of the computation; nothing for a box.

    Args:
        item: the part.
    """
    found: tuple[Item | Series, ...] = ()
    match item:
        case Series(items):
            found = items
        case Split(branches, join, _):
            found = branches if join is None else (*branches, join)
        case Tangle(nodes, _, join, _):
            found = nodes if join is None else (*nodes, join)
        case Aside(inner, side):
            found = (inner, *side)
        case Module(_, body):
            found = (body,)
        case Repeated(copies):
            found = copies
    return found


def boxes_of(item: Item | Series) -> Iterator[Box]:
    """Yields every box of a part, top to bottom, left to right.

    Args:
        item: the part.
    """
    if isinstance(item, Box):
        yield item
    else:
        for part in parts_of(item):
            yield from boxes_of(part)


def name_of_split(split: Split) -> str | None:
    """Returns what paths side by side, and the box where they meet, are called.

    Args:
        split: the paths.
    """
    join = split.join
    if join is None or not split.has_fork:
        return None
    skips = not split.branches[-1].items
    paths = [list(boxes_of(branch)) for branch in split.branches if branch.items]
    if join.family == "concatenate":
        return _concatenated(paths, skips=skips)
    if join.main.kind == "Multiply":
        pools = any("Global" in box.main.kind or _is_mean(box) for path in paths for box in path)
        return SQUEEZE if skips and pools else "gate"
    if join.main.kind not in ("Add", "CustomScaleLayer"):
        return None
    return _added(split, paths, skips=skips)


def name_of_tangle(tangle: Tangle, entry: Box | None) -> str | None:
    """Returns what crossing paths are called.

    Args:
        tangle: the paths.
        entry: the box before it.
    """
    if tangle.join is None or tangle.join.family != "concatenate":
        return None
    if entry is None:
        return "cell"
    return "reduction cell" if _area(tangle.join) < _area(entry) else "normal cell"


def name_of_chain(items: Sequence[Item]) -> tuple[str, int] | None:
    """Returns the name of a part that is one path, and how many of the first items are in it.

    Args:
        items: of a series, from some place on.
    """
    kinds = [_short_kind(item) for item in items[:4]]
    for pattern, name in _CHAINS:
        if tuple(kinds[: len(pattern)]) == pattern:
            return name, len(pattern)
    return None


_CHAINS = (
    (("1×1", "depthwise", SQUEEZE, "1×1"), "inverted bottleneck"),
    (("1×1", "depthwise", "1×1"), "inverted bottleneck"),
    (("depthwise", SQUEEZE, "1×1"), "depthwise separable convolution"),
    (("depthwise", "1×1"), "depthwise separable convolution"),
)


def _short_kind(item: Item) -> str:
    if isinstance(item, Module):
        return item.name
    if isinstance(item, Box):
        if is_depthwise(item.main):
            return "depthwise"
        if item.main.kind == "Conv2D" and _kernel(item) == (1, 1):
            return "1×1"
    return ""


def _concatenated(paths: Sequence[Sequence[Box]], *, skips: bool) -> str | None:
    convolves = any(box.family == "convolution" for path in paths for box in path)
    if skips and len(paths) == 1:
        return "densely connected layer" if convolves else "wide and deep paths"
    if not convolves:
        return None
    halves = all(any(_stride(box) > 1 for box in path) for path in paths) and not skips
    if halves:
        return "reduction module"
    return INCEPTION if len(paths) + skips >= 3 else "two paths"


def _added(split: Split, paths: Sequence[Sequence[Box]], *, skips: bool) -> str:
    boxes = [box for path in paths for box in path]
    kinds = {"Depthwise" if is_depthwise(box.main) else box.main.kind for box in boxes}
    if skips:
        if any(isinstance(item, Split) and _is_inception(item) for item in _items(split)):
            return "inception-residual block"
        if "Depthwise" in kinds and _kernel(paths[0][0]) == (1, 1):
            return "inverted residual block"
        if "Conv2D" in kinds and not kinds & {"SeparableConv2D", "Depthwise"}:
            return "identity block"
        return "residual block"
    shortest, longest = min(paths, key=len), max(paths, key=len)
    is_shortcut = len(shortest) == 1 < len(longest)
    if is_shortcut and shortest[0].main.kind == "Conv2D" and "SeparableConv2D" not in kinds:
        return "convolution block"
    return "residual block" if is_shortcut else "sum of paths"


def _items(split: Split) -> Iterator[Item]:
    for branch in split.branches:
        yield from branch.items


def _is_inception(split: Split) -> bool:
    return split.join is not None and split.join.family == "concatenate" and len(split.branches) > 1


def _is_mean(box: Box) -> bool:
    return box.main.kind in ("Mean", "ReduceMean")


def _kernel(box: Box) -> tuple[int, ...]:
    return sides(box.main.settings.get("kernel_size"))


def _stride(box: Box) -> int:
    return max(sides(box.main.settings.get("strides")), default=1)


def _area(box: Box) -> int:
    return math.prod(side or 1 for side in box.shape[:-1])


def is_grouped(box: Box) -> bool:
    """Tells whether a box is a convolution whose channels fall into a few groups.

    Args:
        box: any.
    """
    return groups(box.main) > 1 and not is_depthwise(box.main)
