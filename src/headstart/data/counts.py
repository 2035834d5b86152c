"""Deals exact numbers of photos a class, each side from its own end of the ranking."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart.data.ranking import Integers, Ranking
from headstart.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Counts:
    """Photos a class for each side; None where no number was asked for."""

    train: int | None
    validation: int | None
    test: int | None

    def any(self) -> bool:
        """Tells whether a number was asked for at all."""
        return any(each is not None for each in (self.train, self.validation, self.test))


@dataclass(frozen=True, slots=True)
class _Group:
    chance: float
    number: int
    members: tuple[int, ...]


def deal_counts(
    pool: Ranking,
    given: dict[str, Ranking],
    *,
    counts: Counts,
    test: float,
    class_names: Sequence[str],
) -> dict[str, Integers]:
    """Takes exact numbers of photos of each class; what nobody takes stays unused.

    Args:
        pool: the photos that may go anywhere.
        given: the photos of sides that folders or a table give; such a side takes from these, and
            train from the pool as well.
        counts: what was asked for.
        test: fraction for a test side that is neither given nor counted.
        class_names: for messages.

    Returns:
        int64 positions of "train", "validation" and "test".

    Raises:
        ArgumentError: when a class has too few photos; names class, number and argument.
    """
    ours = _by_class(pool)
    theirs = {side: _by_class(ranking) for side, ranking in given.items()}
    labels = sorted({*ours, *(label for groups in theirs.values() for label in groups)})
    dealt: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for label in labels:
        free = ours.get(label, [])
        taker = _Taker(class_names[label])
        if "test" in theirs:
            mine = theirs["test"].get(label, [])
            dealt["test"] += taker.take(mine, counts.test, "test")[0]
        elif counts.test is None:
            dealt["test"] += [at for each in free if each.chance < test for at in each.members]
            free = [each for each in free if each.chance >= test]
        else:
            positions, free = taker.take(free, counts.test, "test")
            dealt["test"] += positions
        if "validation" in theirs:
            mine = theirs["validation"].get(label, [])
            dealt["validation"] += taker.take(mine, counts.validation, "validation")[0]
        else:
            positions, free = taker.take(free, counts.validation or 0, "validation")
            dealt["validation"] += positions
        mine = sorted(theirs.get("train", {}).get(label, []) + free, key=_from_the_high_end)
        dealt["train"] += taker.take(mine, counts.train, "train")[0]
    return {side: np.array(positions, np.int64) for side, positions in dealt.items()}


@dataclass(frozen=True, slots=True)
class _Taker:
    class_name: str

    def take(
        self, groups: list[_Group], count: int | None, side: str
    ) -> tuple[list[int], list[_Group]]:
        """Takes the first `count` photos; a group that is cut through loses its rest to nobody."""
        taken: list[int] = []
        for at, group in enumerate(groups):
            if count is not None and len(taken) >= count:
                return taken[:count], groups[at:]
            taken += group.members
        if count is not None and len(taken) < count:
            raise ArgumentError(
                f"{side}_per_class={count}, but class {self.class_name!r} has only {len(taken)} "
                f"photos left for {side} (near-duplicates stay on one side). Ask for at most "
                f"{len(taken)}, or ask less of the other sides."
            )
        return taken[:count], []


def _from_the_high_end(group: _Group) -> tuple[float, int]:
    return -group.chance, group.number


def _by_class(ranking: Ranking) -> dict[int, list[_Group]]:
    """Returns for each class its groups from the low end; a group belongs to its home class."""
    classes: dict[int, list[_Group]] = {}
    order = ranking.order[ranking.labels[ranking.order] == ranking.homes[ranking.order]]
    if not len(order):
        return classes
    numbers = ranking.groups[order]
    for places in np.split(order, np.flatnonzero(numbers[1:] != numbers[:-1]) + 1):
        first = places[0]
        group = _Group(
            float(ranking.chances[first]),
            int(ranking.groups[first]),
            tuple(ranking.positions[places].tolist()),
        )
        classes.setdefault(int(ranking.homes[first]), []).append(group)
    return classes
