"""The shape of a network: what follows what, what runs side by side, where paths meet again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from headstart.drawing.boxes import Box


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One after the other, top to bottom; without items it is a connection that skips."""

    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Side by side.

    Attributes:
        branches: from left to right; an empty one, which skips the others, is the last.
        join: the box where all of them meet, or None where they go on to a box further down.
        has_fork: whether they come from one place; else each begins with an input.
    """

    branches: tuple[Series, ...]
    join: Box | None = None
    has_fork: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Tangle:
    """Paths that cross, so that neither after nor beside says it all.

    Attributes:
        nodes: chains of boxes, each after all that it depends on.
        links: pairs of positions in `nodes`: from, to; -1 stands for the item before the tangle, -2
            for the one before that.
        join: the box where all meet, or None.
        ports: how far back the items lie that it feeds on; 0 where it begins with inputs.
    """

    nodes: tuple[Series, ...]
    links: tuple[tuple[int, int], ...]
    join: Box | None
    ports: int


@dataclass(frozen=True, slots=True, eq=False)
class Aside:
    """A part, and what hangs on its output without leading to the network's main output."""

    item: Item
    side: tuple[Series, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A part with a name, in a frame.

    Attributes:
        name: such as "identity block".
        body: what is in it.
    """

    name: str
    body: Series


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """Items of the same structure one after the other; the first is drawn for all."""

    copies: tuple[Item, ...]


Item = Box | Split | Tangle | Aside | Module | Repeated


def find_structure(boxes: Sequence[Box]) -> Series:
    """Finds what follows what in a network.

    Args:
        boxes: of `make_boxes`.

    Returns:
        The network from its inputs to its output that depends on the most boxes; what leads only
        to other outputs hangs aside.
    """
    if not boxes:
        return Series()
    network = _Network.of(boxes)
    main = network.ancestors(network.main_output())
    aside = [box.number for box in boxes if box.number not in main]
    for number in main:  # what hangs on a box is no way on
        network.targets[number] = tuple(each for each in network.targets[number] if each in main)
    hanging: dict[int, list[Series]] = {}
    for component in network.components(aside):
        parents = {
            source for number in component for source in network.sources[number] if source in main
        }
        place = max(parents, default=max(main))
        hanging.setdefault(place, []).append(network.decompose(component))
    network.hanging.update({place: tuple(series) for place, series in hanging.items()})
    return network.decompose(sorted(main))


@dataclass(frozen=True, slots=True)
class _Network:
    boxes: tuple[Box, ...]
    sources: dict[int, tuple[int, ...]]
    targets: dict[int, tuple[int, ...]]
    hanging: dict[int, tuple[Series, ...]] = field(default_factory=dict)

    @staticmethod
    def of(boxes: Sequence[Box]) -> _Network:
        targets: dict[int, list[int]] = {box.number: [] for box in boxes}
        for box in boxes:
            for source in box.inputs:
                targets[source].append(box.number)
        return _Network(
            boxes=tuple(boxes),
            sources={box.number: box.inputs for box in boxes},
            targets={number: tuple(found) for number, found in targets.items()},
        )

    def main_output(self) -> int:
        ends = [number for number, targets in self.targets.items() if not targets]
        return max(ends, key=lambda number: (len(self.ancestors(number)), number))

    def ancestors(self, number: int, within: set[int] | None = None) -> set[int]:
        """The box and all that it depends on."""
        found, waiting = {number}, [number]
        while waiting:
            for source in self.sources[waiting.pop()]:
                if source not in found and (within is None or source in within):
                    found.add(source)
                    waiting.append(source)
        return found

    def components(self, numbers: Sequence[int]) -> list[list[int]]:
        """Parts that are not connected with each other, each in order."""
        inside, found = set(numbers), []
        for number in numbers:
            if number not in inside:
                continue
            inside.discard(number)
            part, waiting = [number], [number]
            while waiting:
                place = waiting.pop()
                for other in (*self.sources[place], *self.targets[place]):
                    if other in inside:
                        inside.discard(other)
                        part.append(other)
                        waiting.append(other)
            found.append(sorted(part))
        return found

    def decompose(self, numbers: Sequence[int]) -> Series:
        """Splits a part that is entered and left at one place each."""
        items: list[Item] = []
        cuts = self._cuts(numbers)
        previous = -1
        for cut in [*cuts, len(numbers)]:
            interior = numbers[previous + 1 : cut]
            join = self.boxes[numbers[cut]] if cut < len(numbers) else None
            before = numbers[previous] if previous >= 0 else None
            items += self._between(interior, before=before, join=join)
            previous = cut
        return Series(tuple(items))

    def _cuts(self, numbers: Sequence[int]) -> list[int]:
        """Positions that every path goes through."""
        place = {number: position for position, number in enumerate(numbers)}
        reach = max(
            (
                position
                for number, position in place.items()
                if not self.sources[number] or any(s not in place for s in self.sources[number])
            ),
            default=0,
        )
        cuts = []
        for position, number in enumerate(numbers):
            if reach <= position:
                cuts.append(position)
            targets = self.targets[number]
            leaves = [place.get(target, len(numbers)) for target in targets]
            reach = max([reach, *leaves])
        return cuts

    def _between(
        self, interior: Sequence[int], *, before: int | None, join: Box | None
    ) -> list[Item]:
        after = [] if join is None else [self._hung(join, join)]
        if not interior:
            return after
        parts = self.components(interior)
        skips = before is not None and join is not None and before in join.inputs
        # A path that leaves the part where it splits, beside paths that go on in it.
        if before is not None and join is None:
            inside = set(interior)
            skips = any(target not in inside for target in self.targets[before])
        if len(parts) == 1 and not skips and join is None and not self._cuts(parts[0]):
            return self._tangle(parts[0], before=before, join=None)
        if len(parts) == 1 and not skips:
            if self._cuts(parts[0]):
                return [*self.decompose(parts[0]).items, *after]
            return self._tangle(parts[0], before=before, join=join)
        branches = [self.decompose(part) for part in self._ordered(parts, join)]
        if skips:
            branches.append(Series())
        inside = set(interior)
        has_fork = any(each not in inside for number in interior for each in self.sources[number])
        return [self._hung(Split(tuple(branches), join, has_fork), join)]

    def _ordered(self, parts: list[list[int]], join: Box | None) -> list[list[int]]:
        """As the join names them; where it adds, the longest first."""
        if join is None:
            return parts
        if join.family == "add":
            return sorted(parts, key=lambda part: -len(part))
        rank = {number: place for place, number in enumerate(join.inputs)}
        return sorted(
            parts, key=lambda part: min((rank[n] for n in part if n in rank), default=len(rank))
        )

    def _hung(self, item: Box | Split | Tangle, end: Box | None) -> Item:
        """The item, with what hangs on the box that it ends in."""
        side = self.hanging.get(end.number) if end is not None else None
        return item if side is None else Aside(item, side)

    def _tangle(
        self, numbers: Sequence[int], *, before: int | None, join: Box | None
    ) -> list[Item]:
        """Cuts a tangle where each part feeds on whole parts before it, as NASNet's cells do."""
        items: list[Item] = []
        ends: list[int] = [] if before is None else [before]
        done: set[int] = set()
        inside = set(numbers)
        for number in numbers:
            if len(self.sources[number]) < 2 or number in done:
                continue
            closed = self.ancestors(number, inside)
            if items and ends[-1] not in closed:
                continue
            leaving = {
                each
                for each in closed
                if any(target not in closed for target in self.targets[each])
            }
            if leaving <= {number, *ends[-3:]}:
                part = sorted(closed - done - {number})
                items += self._part(part, join=self.boxes[number], ends=ends)
                done |= closed
                ends.append(number)
        rest = [number for number in numbers if number not in done]
        if rest or join is not None:
            items += self._part(rest, join=join, ends=ends)
        return items

    def _part(self, numbers: Sequence[int], *, join: Box | None, ends: list[int]) -> list[Item]:
        if not numbers:
            return [] if join is None else [self._hung(join, join)]
        chains = self._chains(numbers)
        place = {number: position for position, chain in enumerate(chains) for number in chain}
        ports = {end: -1 - back for back, end in enumerate(reversed(ends))}
        links: list[tuple[int, int]] = []
        for position, chain in enumerate(chains):
            for source in self.sources[chain[0]]:
                links.append((place.get(source, ports.get(source, -1)), position))
        if join is not None:
            links += [
                (place.get(source, ports.get(source, -1)), len(chains)) for source in join.inputs
            ]
        used = {-source for source, _ in links if source < 0}
        nodes = tuple(
            Series(tuple(self._hung(self.boxes[n], self.boxes[n]) for n in chain))
            for chain in chains
        )
        tangle = Tangle(nodes, tuple(dict.fromkeys(links)), join, max(used, default=0))
        return [self._hung(tangle, join)]

    def _chains(self, numbers: Sequence[int]) -> list[list[int]]:
        """Boxes that follow each other with nothing beside."""
        inside, chains = set(numbers), list[list[int]]()
        end_of: dict[int, list[int]] = {}
        for number in numbers:
            sources = self.sources[number]
            chain = end_of.get(sources[0]) if len(sources) == 1 else None
            if chain is not None and sources[0] in inside and len(self.targets[sources[0]]) == 1:
                chain.append(number)
            else:
                chain = [number]
                chains.append(chain)
            end_of[number] = chain
        return chains
