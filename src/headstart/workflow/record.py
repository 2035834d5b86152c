"""The station that turns what was learnt into a run folder."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.manifest import FORMAT, Manifest, versions
from headstart.artifact.tables import write_history, write_predictions
from headstart.data.split import write_split_csv
from headstart.evaluation.metrics import Evaluation, evaluate
from headstart.features.agreement import JoinAgreement, compare_join
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import SavedClassifier
from headstart.files import sha256
from headstart.heads.linear import both_classes
from headstart.recipe import write_recipe
from headstart.report.page import write_report
from headstart.workflow.fitting import Fitted
from headstart.workflow.foreign import origin
from headstart.workflow.setup import Setup
from headstart.workflow.tools import Tools

AGREEMENT_PHOTOS = 64
"""Test photos on which each run proves the join; a test of this package takes all of them."""


def write_run(folder: Path, setup: Setup, *, fitted: Fitted, given: Tools) -> None:
    """Writes every file of a run folder into an empty one.

    The reported numbers come from `model.keras` as it was read back from this folder, in the
    precision that `predict` will use.

    Args:
        folder: exists and is empty.
        setup: the network, the photos and their split.
        fitted: what has learnt.
        given: cache, listener, Keras and engine.
    """
    model_file = folder / "model.keras"
    model = fitted.save_classifier(setup, model_file, given.caller)
    evaluation, agreement = None, None
    if len(setup.split.test):
        joined = FrozenPass(
            SavedClassifier(model_file, sha256(model_file), given.caller),
            engine=fitted.engine,
            may_fall_back=False,
            is_proven_elsewhere=True,
            precision=fitted.precision,
            place=given.place,
            progress=given.progress,
        )
        probabilities = _classify(joined, setup)
        agreement = _prove_join(probabilities, setup, fitted)
        evaluation = _evaluate(folder, probabilities, setup)
    columns, rows = fitted.table
    _write_tables(folder, setup)
    write_history(folder / "history.csv", columns=columns, rows=rows)
    manifest = Manifest(
        format=FORMAT,
        class_names=setup.index.class_names,
        backbone=_describe_backbone(setup) | model,
        image_size=setup.spec.image_size,
        head=fitted.settings,
        engine=fitted.engine,
        precision=fitted.precision,
        seed=setup.recipe.seed,
        temperature=1.0,
        photos=_count_photos(setup),
        metrics=None if evaluation is None else evaluation.to_dict(),
        agreement=None if agreement is None else agreement.to_dict(),
        versions=versions(),
        digests={path.name: sha256(path) for path in sorted(folder.iterdir())},
    )
    manifest.write(folder / "manifest.json")
    history = [dict(zip(columns, row, strict=True)) for row in rows]
    write_report(folder / "report.html", manifest=manifest, history=history)


def _classify(joined: FrozenPass, setup: Setup) -> NDArray[np.float32]:
    outputs, _ = joined.rows(
        setup.index, setup.split.test, image_size=setup.spec.image_size, station="test photos"
    )
    return both_classes(np.asarray(outputs))


def _prove_join(probabilities: NDArray[np.float32], setup: Setup, fitted: Fitted) -> JoinAgreement:
    test = setup.split.test
    step = max(1, len(test) // AGREEMENT_PHOTOS)
    sample = np.arange(0, len(test), step)[:AGREEMENT_PHOTOS]
    cached = fitted.probabilities(setup, test[sample])
    return compare_join(probabilities[sample], cached, precision=fitted.precision)


def _evaluate(folder: Path, probabilities: NDArray[np.float32], setup: Setup) -> Evaluation:
    index, test = setup.index, setup.split.test
    files = [index.paths[position] for position in test]
    labels = index.labels[test]
    write_predictions(
        folder / "predictions.csv",
        files=files,
        labels=labels,
        probabilities=probabilities,
        class_names=index.class_names,
    )
    return evaluate(probabilities, labels, class_names=index.class_names, files=files)


def _write_tables(folder: Path, setup: Setup) -> None:
    write_split_csv(
        folder / "split.csv",
        setup.split,
        files=setup.index.paths,
        labels=setup.index.labels,
        class_names=setup.index.class_names,
        set_aside=setup.index.set_aside,
    )
    write_recipe(setup.recipe, folder / "recipe.toml")


def _describe_backbone(setup: Setup) -> dict[str, Any]:
    return {
        "name": setup.backbone.name,
        "weights": setup.spec.weights,
        "weights_sha256": setup.spec.weights_digest,
        "pooling": setup.spec.pooling,
        **origin(setup.spec),
        "licence": setup.backbone.licence,
        "paper": setup.backbone.paper,
    }


def _count_photos(setup: Setup) -> dict[str, Any]:
    index, split = setup.index, setup.split
    counts = np.bincount(index.labels[split.train], minlength=len(index.class_names)).tolist()
    return {
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
        "unused": len(split.unused),
        "set_aside": len(index.set_aside),
        "train_per_class": dict(zip(index.class_names, counts, strict=True)),
    }
