"""Predictions of any number of photos as a CSV: in flat memory, and resumed after a kill."""

import csv
import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from headstart.artifact.run import Run, load_run
from headstart.artifact.tables import probability_cells, probability_columns
from headstart.data.decode import DECODE_VERSION
from headstart.data.index import ImageIndex
from headstart.data.stream import photo_files
from headstart.errors import ArgumentError, PhotosError
from headstart.evaluation.conformal import COVERAGE
from headstart.prediction import Block, Predictor
from headstart.progress import Progress
from headstart.workflow.csv_parts import Parts, whole_csv, writer_to
from headstart.workflow.predictor import make_predictor, read_on_cluster, source_on_cluster
from headstart.workflow.tools import RayPlace, tools

COLUMNS = ("file", "predicted", "probability", "candidates", "unfamiliar")
ASIDE_COLUMNS = ("file", "reason")

_VERSION = 1  # raised when the same answers are written otherwise


@dataclass(frozen=True, slots=True)
class PredictedCsv:
    """What `predict_to_csv` wrote.

    Attributes:
        csv: a row a photo that could be read.
        set_aside_csv: a row a file that could not; None where there was none.
        photos: rows of `csv`.
        set_aside: rows of `set_aside_csv`.
        resumed: files whose answers an earlier call left, which was stopped.
        class_counts: photos by likeliest class; every class of the run is in it.
        not_sure: photos with more than one candidate.
        unfamiliar: photos unlike the training photos.
    """

    csv: str
    set_aside_csv: str | None
    photos: int
    set_aside: int
    resumed: int
    class_counts: dict[str, int]
    not_sure: int
    unfamiliar: int

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self)


def predict_to_csv(
    run: Run | str | Path,
    photos: str | Path | Sequence[str | Path],
    *,
    csv: str | Path,
    coverage: float = COVERAGE,
    engine: str = "auto",
    precision: str | None = None,
    ray: str | None = None,
    shards: str | None = None,
    progress: Progress | None = None,
) -> PredictedCsv:
    """Classifies photos, however many, into a CSV; goes on where an earlier call was stopped.

    Memory does not grow with the photos, save for their names. Files that cannot be read are listed
    in a second CSV, `NAME.set_aside.csv`. Both get their names when they are whole.

    Args:
        run: a run folder, or what `load_run` returned.
        photos: a photo, a folder, or several of these; an earlier CSV among them is left out.
        csv: the file to write; one that is there is replaced.
        coverage: as for `predict`.
        engine: as for `predict`.
        precision: as for `predict`.
        ray: as for `predict`; a stopped call goes on from the shards.
        shards: as for `predict`.
        progress: told about every block of photos.

    Raises:
        ArgumentError: when an argument does not fit.
        RunError: when the folder is no run or was damaged.
        PhotosError: when a photo does not exist.
        DiskFullError: when there is no room; what was computed is kept.

    Example:
        >>> import headstart
        >>> found = headstart.predict_to_csv(RUN, PHOTOS, csv="answers.csv")
        >>> found.photos == sum(found.class_counts.values()), found.set_aside
        (True, 0)
    """
    opened = run if isinstance(run, Run) else load_run(run)
    target = Path(csv)
    if target.is_dir():
        raise ArgumentError(f"csv={str(csv)!r} is a folder. Give the name of a file in it.")
    named = [photos] if isinstance(photos, str | Path) else photos
    on = RayPlace.named(ray, shards)
    source = None if on is None else source_on_cluster(named)
    files = _without(_outputs(target), photo_files(named)) if source is None else []
    with tools(engine, progress, ray=on) as given:
        predictor = make_predictor(
            opened, given, engine=engine, precision=precision, coverage=coverage
        )
        key = _key(opened, predictor, precision, coverage)
        if source is None:
            parts = Parts(target, files, key)
            resumed = _fill(parts, predictor, given.progress)
        else:
            index = read_on_cluster(predictor, source)
            parts = Parts(target, index.paths, json.dumps([key, index.digests]))
            resumed = _fill_from(parts, index, predictor)
    written = _assemble(parts, predictor.class_names, resumed)
    shutil.rmtree(parts.folder, ignore_errors=True)
    return written


def _fill(parts: Parts, predictor: Predictor, progress: Progress) -> int:
    """Computes the blocks that are missing; returns how many files the others have."""
    places = [(files, rows, aside) for files, rows, aside in parts.blocks() if not rows.is_file()]
    missing = [file for files, _, _ in places for file in files]
    total = len(parts.files)
    resumed = done = total - len(missing)
    if resumed:
        progress.say(f"{resumed:,} of {total:,} files were classified by an earlier call.")
    if not missing:
        return resumed
    predictor.begin()
    progress.step("photos classified", done, total)
    for (_, rows, aside), block in zip(places, predictor.blocks(missing), strict=True):
        _write_block(block, predictor.class_names, rows=rows, aside=aside)
        done += len(block)
        progress.step("photos classified", done, total)
    return resumed


def _fill_from(parts: Parts, index: ImageIndex, predictor: Predictor) -> int:
    """Writes the blocks of photos that a cluster has classified; it says itself what it resumed."""
    if not len(index):
        raise PhotosError(f"photos: none of {len(index.set_aside):,} files could be read.")
    start, set_aside = 0, index.set_aside
    for files, rows, aside in parts.blocks():
        answers = predictor.answers(index, range(start, start + len(files)))
        block = Block(tuple(files), answers, set_aside)
        _write_block(block, predictor.class_names, rows=rows, aside=aside)
        start, set_aside = start + len(files), ()
    return 0


def _write_block(block: Block, class_names: Sequence[str], *, rows: Path, aside: Path) -> None:
    # The rows last: where they are, the block is whole.
    if block.set_aside:
        with whole_csv(aside) as file:
            writer_to(file).writerows([item.path, item.reason] for item in block.set_aside)
    with whole_csv(rows) as file:
        writer_to(file).writerows(_rows(block, class_names))


def _rows(block: Block, class_names: Sequence[str]) -> Iterator[list[Any]]:
    answers = block.answers
    if answers is None:
        return
    for number, file in enumerate(block.files):
        row = answers.probabilities[number]
        order = np.argsort(-row, kind="stable")
        chosen = order[:1] if answers.sets is None else order[answers.sets[number][order]]
        yield [
            file,
            class_names[order[0]],
            f"{row[order[0]]:.6g}",
            " | ".join(class_names[place] for place in chosen),
            int(answers.is_unfamiliar is not None and answers.is_unfamiliar[number]),
            *probability_cells(row, class_names),
        ]


def _assemble(parts: Parts, class_names: Sequence[str], resumed: int) -> PredictedCsv:
    """Puts the blocks together, counting what is in them."""
    classes, not_sure, unfamiliar, set_aside = Counter[str](), 0, 0, 0
    target, aside_target = _outputs(parts.target)
    with whole_csv(target) as file, whole_csv(aside_target) as asides:
        writer_to(file).writerow([*COLUMNS, *probability_columns(class_names)])
        writer_to(asides).writerow(ASIDE_COLUMNS)
        for _, rows, aside in parts.blocks():
            text = parts.text(rows)
            file.write(text)
            for row in csv.reader(io.StringIO(text, newline="")):
                classes[row[1]] += 1
                not_sure += row[3] != row[1]
                unfamiliar += row[4] == "1"
            if aside.is_file():
                text = parts.text(aside)
                asides.write(text)
                set_aside += sum(1 for _ in csv.reader(io.StringIO(text, newline="")))
    if not set_aside:
        aside_target.unlink()
    return PredictedCsv(
        str(target), str(aside_target) if set_aside else None,
        photos=classes.total(), set_aside=set_aside, resumed=resumed,
        class_counts={name: classes[name] for name in class_names},
        not_sure=not_sure, unfamiliar=unfamiliar,
    )  # fmt: skip


def _key(run: Run, predictor: Predictor, precision: str | None, coverage: float) -> str:
    """Names everything but the photos that decides the rows."""
    manifest = run.manifest
    return json.dumps(
        [
            _VERSION, manifest.digests, manifest.class_names, manifest.image_size,
            predictor.engine, precision or manifest.precision, coverage,
            DECODE_VERSION, PIL.__version__,
        ],
        sort_keys=True,
    )  # fmt: skip


def _outputs(target: Path) -> tuple[Path, Path]:
    return target, target.with_name(f"{target.stem}.set_aside.csv")


def _without(own: tuple[Path, ...], files: Sequence[str]) -> list[str]:
    names, places = {path.name for path in own}, {path.resolve() for path in own}
    found = [
        file
        for file in files
        if file.rpartition(os.sep)[2] not in names or Path(file).resolve() not in places
    ]
    if not found:
        raise PhotosError(f"photos: nothing but {own[0]} itself. Give a photo or a folder.")
    return found
