"""Modules get their frames and names, and what repeats is drawn once."""

from __future__ import annotations

import json
from collections.abc import Sequence

from headstart.drawing.boxes import Box
from headstart.drawing.naming import (
    GROUPED,
    INCEPTION,
    REPEATED,
    SIDE,
    boxes_of,
    is_grouped,
    name_of_chain,
    name_of_split,
    name_of_tangle,
    parts_of,
)
from headstart.drawing.structure import (
    Aside,
    Item,
    Module,
    Repeated,
    Series,
    Split,
    Tangle,
)

_LONGEST_PERIOD = 8
_FEWEST_PLAIN = 4
"""So many equal boxes without a frame are folded; fewer say more when they are all drawn."""

_LARGEST_MODULE = 40
"""A part with more boxes is drawn without a frame: it is the network itself, as in a U-Net."""


def fold(series: Series, *, outer: str | None = None) -> Series:
    """Frames what has a name, and folds what repeats.

    Args:
        series: of `find_structure`.
        outer: name of the module that it is in.

    Returns:
        The same network, with modules and repeated parts.
    """
    items: list[Item] = []
    entry: Box | None = None
    for item in series.items:
        items.append(_framed(item, outer=outer, entry=entry))
        entry = list(boxes_of(item))[-1]
    if outer is None:
        items = _chains_framed(items)
    return Series(tuple(_runs(items)))


def _framed(item: Item, *, outer: str | None, entry: Box | None) -> Item:
    match item:
        case Box():
            return Module(GROUPED, Series((item,))) if is_grouped(item) else item
        case Split(branches, join, has_fork):
            name = name_of_split(item)
            if len(list(boxes_of(item))) > _LARGEST_MODULE:
                name = None
            if outer is not None and name in (INCEPTION, "two paths", "reduction module"):
                name = None
            inside = tuple(fold(branch, outer=name or outer) for branch in branches)
            split = Split(inside, join, has_fork)
            return split if name is None else Module(name, Series((split,)))
        case Tangle():
            name = name_of_tangle(item, entry)
            return item if name is None else Module(name, Series((item,)))
        case Aside(inner, side):
            framed = tuple(Series((Module(SIDE, fold(each)),)) for each in side)
            return Aside(_framed(inner, outer=outer, entry=entry), framed)
    return item


def _chains_framed(items: Sequence[Item]) -> list[Item]:
    framed: list[Item] = []
    place = 0
    while place < len(items):
        found = name_of_chain(items[place:])
        if found is None:
            framed.append(items[place])
            place += 1
        else:
            name, count = found
            framed.append(Module(name, Series(tuple(items[place : place + count]))))
            place += count
    return framed


def _runs(items: Sequence[Item]) -> list[Item]:
    signatures = [signature(item) for item in items]
    folded: list[Item] = []
    place = 0
    while place < len(items):
        period, count = _longest_run(items, signatures, place)
        if count == 1:
            folded.append(items[place])
        else:
            starts = range(place, place + period * count, period)
            folded.append(Repeated(tuple(_copy(items[at : at + period]) for at in starts)))
        place += period * count
    return folded


def _longest_run(items: Sequence[Item], signatures: Sequence[str], place: int) -> tuple[int, int]:
    """Length of what repeats from here on, and how often; (1, 1) where nothing does."""
    best = (1, 1)
    for period in range(1, min(_LONGEST_PERIOD, (len(items) - place) // 2) + 1):
        pattern = signatures[place : place + period]
        count = 1
        while signatures[place + count * period : place + (count + 1) * period] == pattern:
            count += 1
        if count > 1 and _is_worth_it(items[place : place + period], count):
            best = max(best, (period, count), key=lambda found: (found[0] * found[1], -found[0]))
    return best


def _is_worth_it(pattern: Sequence[Item], count: int) -> bool:
    if any(not isinstance(item, Box) for item in pattern):
        return True
    return count >= _FEWEST_PLAIN


def _copy(items: Sequence[Item]) -> Item:
    if len(items) == 1:
        return items[0]
    return Module(REPEATED, Series(tuple(items)))


def signature(item: Item | Series) -> str:
    """Returns a text that is equal for parts of the same structure.

    Args:
        item: the part.
    """
    return json.dumps(_told(item))


def _told(item: Item | Series) -> object:
    if isinstance(item, Box):
        return item.signature
    facts: object = None
    match item:
        case Split(branches, join, has_fork):
            facts = [len(branches), join is not None, has_fork]
        case Tangle(_, links, join, ports):
            facts = [links, join is not None, ports]
        case Module(name, _):
            facts = name
    return [type(item).__name__, facts, [_told(part) for part in parts_of(item)]]
