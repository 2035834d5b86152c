"""The data's own faults: photos whose label is probably wrong, found without training again."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run, load_run
from headstart.data.duplicates import group_duplicates
from headstart.data.index import ImageIndex
from headstart.evaluation.suspects import Suspect, contradicting, far_from_class, label_errors
from headstart.files import atomic_file
from headstart.heads.linear import STATED_C, cross_validate
from headstart.progress import Progress
from headstart.recipe import make_recipe, read_values
from headstart.workflow.own_photos import OwnPhotos, frozen_features, read_own_photos
from headstart.workflow.tools import Tools, tools
from headstart.workflow.train import train_recipe

COLUMNS = ("file", "labelled", "label", "kind", "score", "reason")


@dataclass(frozen=True)
class Suspects:
    """What `suspects` found.

    Attributes:
        items: labels that are probably wrong, the likeliest first; then near-duplicates that
            contradict each other; then photos far from their class.
        photos: how many were looked at.
    """

    items: tuple[Suspect, ...]
    photos: int

    def __iter__(self) -> Iterator[Suspect]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return {"photos": self.photos, "suspects": [item.to_dict() for item in self.items]}

    def write_csv(self, file: str | Path) -> None:
        """Writes a table to look through: `label` holds what is suggested.

        Delete the lines that are right as they are, change `label` where you know better or empty
        it to leave the photo out; then `headstart suspects RUN --apply FILE` trains with it.
        """
        with (
            atomic_file(Path(file)) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as opened,
        ):
            writer = csv.writer(opened, lineterminator="\n")
            writer.writerow(COLUMNS)
            for item in self.items:
                score = f"{item.score:.4f}"
                row = (item.file, item.label, item.suggested, item.kind, score, item.reason)
                writer.writerow(row)


def suspects(
    run: Run | str | Path, *, engine: str = "auto", progress: Progress | None = None
) -> Suspects:
    """Lists photos of a run whose label is worth a look.

    Heads that have not seen a photo say what it is, on features that are kept; near-duplicates are
    never on both sides. All photos of the run are looked at, the test photos too.

    Args:
        run: a run folder whose photos are still where they were.
        engine: "auto" takes the run's own.
        progress: told about every photo whose features were not kept.

    Raises:
        RunError: when the folder is no run or was damaged.
        PhotosError: when the photos are not where they were.

    Example:
        >>> import headstart
        >>> headstart.suspects(RUN).photos
        60
    """
    opened = run if isinstance(run, Run) else load_run(run)
    with tools(opened.manifest.engine if engine == "auto" else engine, progress) as given:
        size = opened.manifest.image_size
        own = read_own_photos(opened, image_size=size, place=given.place, progress=given.progress)
        return find_suspects(own, given)


def find_suspects(own: OwnPhotos, given: Tools) -> Suspects:
    """Does the work of `suspects` on photos that were read."""
    index, used = own.index, own.used
    labels = index.labels[used]
    features = frozen_features(own, used, given)
    groups = group_duplicates(index.fingerprints, index.thumbnails, index.digests)[used]
    probabilities = cross_validate(
        features,
        labels,
        groups,
        class_count=len(index.class_names),
        c=float(own.run.manifest.head.get("c") or STATED_C),
        seed=own.recipe.seed,
    )
    found = _wrong_labels(index, used, probabilities)
    found += _copies(index, used, groups)
    listed = {item.file for item in found}
    far, distances = far_from_class(features, labels)
    names = index.class_names
    for at, distance in zip(used[far].tolist(), distances.tolist(), strict=True):
        if index.paths[at] not in listed:
            label = names[index.labels[at]]
            reason = f"unlike every other photo of {label}"
            found.append(Suspect(index.paths[at], label, label, "far", min(distance, 1.0), reason))
    return Suspects(tuple(found), len(used))


def retrain_with_fixes(
    run: Run | str | Path,
    fixes: str | Path,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Trains again as a run's recipe says, with corrected labels; features come from the cache.

    Args:
        run: a run folder whose photos are still where they were.
        fixes: table of files and right labels; see `Suspects.write_csv`.
        out: the run folder to write. Left out, one is named under `runs/`.
        progress: told how far it is.

    Raises:
        ArgumentError: when the table does not fit the photos.
    """
    opened = run if isinstance(run, Run) else load_run(run)
    opened.check("recipe.toml")
    values = read_values(opened.folder / "recipe.toml") | {"fixes": str(fixes)}
    return train_recipe(make_recipe(values), out=out, progress=progress)


def _wrong_labels(
    index: ImageIndex, used: NDArray[np.int64], probabilities: NDArray[np.float32]
) -> list[Suspect]:
    labels, names = index.labels[used], index.class_names
    found = []
    for row in label_errors(probabilities, labels).tolist():
        p, own = probabilities[row], int(labels[row])
        others = p.copy()
        others[own] = -1
        best = int(others.argmax())
        reason = f"looks like {names[best]} ({p[best]:.0%}) rather than {names[own]} ({p[own]:.0%})"
        file = index.paths[used[row]]
        found.append(Suspect(file, names[own], names[best], "label", float(p[best]), reason))
    return found


def _copies(index: ImageIndex, used: NDArray[np.int64], groups: NDArray[np.int32]) -> list[Suspect]:
    found = []
    for members in contradicting(groups, index.labels[used]):
        places = used[members].tolist()
        for at in places:
            label = index.class_names[index.labels[at]]
            other = next(each for each in places if index.labels[each] != index.labels[at])
            theirs = index.class_names[index.labels[other]]
            reason = f"the same picture as {index.paths[other]}, which is labelled {theirs}"
            found.append(Suspect(index.paths[at], label, label, "copies", 1.0, reason))
    return found
