"""The sentences that say what is wrong with a set of photos."""

from collections.abc import Mapping, Sequence

from headstart.data.walk import SetAside

MAX_IMBALANCE = 10.0
"""Beyond it a classifier that never says the rare class looks good: see `--class-weight`."""


def findings(
    classes: Mapping[str, int],
    set_aside: Sequence[SetAside],
    *,
    duplicates: Mapping[str, int],
    imbalance: float,
) -> tuple[str, ...]:
    """Returns one sentence for each thing that is wrong, the worst first.

    Near-duplicates within a class are no finding: the split keeps them on one side.

    Args:
        classes: usable photos a class.
        set_aside: files that were meant as photos and are not used.
        duplicates: links by kind, "exact across splits" and so on.
        imbalance: photos of the largest class to those of the smallest.

    Example:
        >>> findings({"cat": 9, "dog": 9}, [], duplicates={}, imbalance=1.0)
        ()
    """
    said = []
    if len(classes) < 2:
        said.append(f"There are {len(classes)} classes; a classifier needs at least two.")
    poor = [name for name, number in classes.items() if number < 2]
    if poor:
        shown = ", ".join(poor[:10]) + (f" and {len(poor) - 10:,} more" if len(poor) > 10 else "")
        said.append(
            f"{_many(len(poor), 'class has', 'classes have')} fewer than 2 photos: {shown}."
        )
    said += _about_duplicates(duplicates)
    if set_aside:
        said.append(
            f"{_many(len(set_aside), 'file was', 'files were')} set aside, the first "
            f"{set_aside[0].path}: {set_aside[0].reason}."
        )
    if imbalance > MAX_IMBALANCE:
        said.append(
            f"The largest class has {imbalance:.1f} times the photos of the smallest; "
            "consider --class-weight balanced."
        )
    return tuple(said)


def _about_duplicates(duplicates: Mapping[str, int]) -> list[str]:
    def both(kind: str) -> int:
        return duplicates.get(f"exact {kind}", 0) + duplicates.get(f"near {kind}", 0)

    said = []
    if number := both("across splits"):
        said.append(
            f"{_many(number, 'pair of copies stands', 'pairs of copies stand')} on two sides of "
            "the given splits: the test would reward remembering."
        )
    if number := both("across classes"):
        said.append(
            f"{_many(number, 'pair of copies has', 'pairs of copies have')} two different labels: "
            "at least one of each is wrong."
        )
    if number := duplicates.get("exact within a class", 0):
        said.append(
            f"{_many(number, 'file is', 'files are')} an exact copy of another of the class: "
            "copies teach nothing new."
        )
    return said


def _many(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
