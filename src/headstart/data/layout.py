"""How a folder of photos says which class and which split each photo is of."""

import re
import unicodedata
from dataclasses import dataclass, field

from headstart.data.suggestion import suggest_label_pattern
from headstart.data.walk import IMAGE_SUFFIXES, NOT_AN_IMAGE, Folder, SetAside, join, suffix
from headstart.errors import ArgumentError, PhotosError

_SIDE = re.compile(
    r"(?:(train|training)|(val|valid|validation)|(test|testing))(?:[ _-]?set)?", re.IGNORECASE
)
_SIDES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a layout says, before it is sorted and numbered.

    Attributes:
        photos: (path relative to the root, class name, split or None).
        class_names: every class, also those without a photo.
        set_aside: files that the layout has no class or no split for.
        weights: how much a photo counts in training, by path; 1 for those that are not in it.
    """

    photos: list[tuple[str, str, str | None]] = field(default_factory=list)
    class_names: set[str] = field(default_factory=set)
    set_aside: list[SetAside] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)


def split_of(name: str) -> str | None:
    """Returns the split that a folder's name means, or None.

    Example:
        >>> split_of("Train"), split_of("val"), split_of("test_set"), split_of("cats")
        ('train', 'validation', 'test', None)
    """
    match = _SIDE.fullmatch(name.strip())
    return None if match is None or match.lastindex is None else _SIDES[match.lastindex - 1]


def class_name(name: str) -> str:
    """Returns the class that a folder's name means.

    macOS writes an accented letter as two characters, everybody else as one; both are one class.
    """
    return unicodedata.normalize("NFC", name)


def label_by_folders(top: Folder) -> Labelled:
    """Reads class folders, with or without train, validation and test folders above them.

    A folder that only wraps another (`archive/PetImages/Cat`) is passed through. Every file below
    a class folder is of that class.

    Args:
        top: the tree as `walk` gives it.

    Raises:
        PhotosError: when the photos lie in one folder without classes; the message suggests
            `--label-from-name` when their names hold the class.
    """
    base = _unwrap(top, ())
    sides = _side_folders(base)
    found = Labelled()
    if not sides:
        _take_classes(base, None, found)
        return found
    # Train first: a wrapper in the test folder is told from a class by the classes of train.
    for side, folder in sorted(sides, key=lambda pair: _SIDES.index(pair[0])):
        _take_classes(_unwrap(folder, found.class_names, inside=side), side, found)
    beside = "lies beside the train and test folders, in none of them"
    _set_aside_rest(base, [folder for _, folder in sides], found, reason=beside)
    return found


def label_by_names(top: Folder, label_from_name: str) -> Labelled:
    """Takes the class out of each file's name, at any depth.

    Args:
        top: the tree as `walk` gives it.
        label_from_name: a regular expression, searched in the name; its group `label`, or else its
            first group, is the class.

    Raises:
        ArgumentError: when the expression is not valid or has no group.
        PhotosError: when it matches no name.
    """
    pattern = _compile(label_from_name)
    group: int | str = "label" if "label" in pattern.groupindex else 1
    base = _unwrap(top, ())
    sides = _side_folders(base) or [(None, top)]
    found = Labelled()
    for side, folder in sides:
        for path in folder.photos():
            match = pattern.search(path.rpartition("/")[2])
            if match is None or not match[group]:
                reason = f"the name does not match --label-from-name {label_from_name!r}"
                found.set_aside.append(SetAside(path, reason))
                continue
            label = class_name(match[group])
            found.photos.append((path, label, side))
            found.class_names.add(label)
    if sides[0][0] is not None:
        beside = "lies beside the train and test folders, in none of them"
        _set_aside_rest(base, [folder for _, folder in sides], found, reason=beside)
    if not found.photos and found.set_aside:
        raise PhotosError(
            f"label_from_name={label_from_name!r} matches no file name; the names look like "
            f"{_some_names([item.path.rpartition('/')[2] for item in found.set_aside])}."
        )
    return found


def _compile(label_from_name: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(label_from_name)
    except re.error as error:
        raise ArgumentError(
            f"label_from_name={label_from_name!r} is not a valid regular expression: {error}."
        ) from error
    if not pattern.groups:
        raise ArgumentError(
            f"label_from_name={label_from_name!r} has no group; put parentheses around the part "
            r"that is the class, as in '^([a-z]+)\.'."
        )
    return pattern


def _unwrap(
    folder: Folder, known_classes: set[str] | tuple[str, ...], *, inside: str | None = None
) -> Folder:
    """Goes down as long as a folder holds nothing but one folder that holds several."""
    # `training_set/training_set/cats` is inside train already: no second split starts there.
    while not {side for side, _ in _side_folders(folder)} - {inside} and not folder.loose():
        # A folder with nothing but notes in it is no class; an empty one may be.
        inner = [each for each in folder.folders if each.has_photos() or not _has_foreign(each)]
        if len(inner) != 1 or class_name(inner[0].name) in known_classes:
            break
        only = inner[0]
        if len(only.folders) < 2 and (only.loose() or not only.folders):
            break
        folder = only
    return folder


def _has_foreign(folder: Folder) -> bool:
    return any(each.foreign for each in folder.below())


def _side_folders(folder: Folder) -> list[tuple[str | None, Folder]]:
    """Returns the train, validation and test folders, if that is what these folders are.

    `train` may also be a class beside `bus` and `car`: so either every folder with photos is named
    like a split, or there are train and another split that hold folders themselves.
    """
    named = [(split_of(each.name), each) for each in folder.folders]
    sides = [(side, each) for side, each in named if side is not None and each.has_photos()]
    others = [each for side, each in named if side is None and each.has_photos()]
    if not others:
        return list(sides)
    kinds = {side for side, each in sides if each.folders}
    return list(sides) if "train" in kinds and len(kinds) > 1 else []


def _take_classes(base: Folder, side: str | None, found: Labelled) -> None:
    in_classes = sum(len(each.photos()) for each in base.folders)
    loose = base.loose() if base.folders else base.files
    if side in ("validation", "test") and not in_classes:
        # The unlabelled test photos of a competition must not stop anybody from using train.
        reason = f"lies directly in the folder {base.path!r}, without a class folder"
        found.set_aside.extend(SetAside(join(base.path, name), reason) for name in base.files)
        return
    if loose and len(loose) >= in_classes:
        raise PhotosError(_flat_message(base, loose))
    for each in base.folders:
        if split_of(each.name) and suggest_label_pattern(each.loose()):
            # Kaggle's train.zip and test1.zip unpacked side by side: two heaps, not two classes.
            raise PhotosError(_flat_message(each, each.loose()))
        label = class_name(each.name)
        paths = each.photos()
        if paths or not _has_foreign(each):
            found.class_names.add(label)
        found.photos.extend((path, label, side) for path in paths)
    for name in base.files:
        meant = suffix(name) in IMAGE_SUFFIXES
        reason = "lies beside the class folders, in none of them" if meant else NOT_AN_IMAGE
        found.set_aside.append(SetAside(join(base.path, name), reason))


def _set_aside_rest(base: Folder, taken: list[Folder], found: Labelled, *, reason: str) -> None:
    names = {folder.path for folder in taken}
    rest = [join(base.path, name) for name in base.files]
    for folder in base.folders:
        if folder.path not in names:
            rest.extend(folder.photos())
    found.set_aside.extend(SetAside(path, reason) for path in rest)


def _flat_message(folder: Folder, names: list[str]) -> str:
    place = f"the folder {folder.path!r}" if folder.path else "the folder itself"
    found = (
        f"{len(names):,} photos lie directly in {place}, without class folders; their names look "
        f"like {_some_names(names)}."
    )
    suggestion = suggest_label_pattern(names)
    folders = "put the photos of each class in a folder named after the class"
    tables = [name for name in folder.foreign if suffix(name) == ".csv"]
    if tables:
        folders += f", or give {tables[0]} as PHOTOS if it has the columns path,label"
    if suggestion is None:
        return (
            f"{found} Either {folders}, or say where the class stands in the names with "
            "--label-from-name REGEX."
        )
    pattern, classes = suggestion
    some = ", ".join(classes[:10]) + (f" and {len(classes) - 10} more" if len(classes) > 10 else "")
    return (
        f"{found} Add --label-from-name '{pattern}' ({len(classes)} classes: {some}), or {folders}."
    )


def _some_names(names: list[str]) -> str:
    spread = sorted({names[0], names[len(names) // 2], names[-1]})
    return ", ".join(spread)
