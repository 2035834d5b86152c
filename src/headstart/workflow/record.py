"""The station that turns what was learnt into a run folder."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.manifest import FORMAT, Manifest, versions
from headstart.artifact.tables import write_history, write_predictions
from headstart.backbones.catalogue import Backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.data.index import ImageIndex
from headstart.data.split import Split, write_split_csv
from headstart.evaluation.metrics import Evaluation, evaluate
from headstart.features.agreement import JoinAgreement, compare_join
from headstart.features.frozen_pass import FrozenPass
from headstart.features.networks import SavedClassifier
from headstart.files import sha256
from headstart.heads.linear import both_classes
from headstart.recipe import TrainRecipe, write_recipe
from headstart.report.page import write_report
from headstart.workflow.fitting import FittedHead
from headstart.workflow.tools import Tools

AGREEMENT_PHOTOS = 64
"""Test photos on which each run proves the join; a test of this package takes all of them."""


def write_run(
    folder: Path,
    *,
    recipe: TrainRecipe,
    backbone: Backbone,
    spec: FrozenSpec,
    index: ImageIndex,
    split: Split,
    frozen: FrozenPass,
    fitted: FittedHead,
    given: Tools,
) -> None:
    """Writes every file of a run folder into an empty one.

    The reported numbers come from `model.keras` as it was read back from this folder, in the
    precision that `predict` will use.

    Args:
        folder: exists and is empty.
        recipe: what was asked for.
        backbone: its row of the catalogue.
        spec: the frozen network.
        index: the photos.
        split: which photo is in which split.
        frozen: the pass that made the features.
        fitted: the head.
        given: cache, listener, Keras and engine.
    """
    model_file = folder / "model.keras"
    model = fitted.save_classifier(spec.as_json(), model_file, given.caller)
    evaluation, agreement = None, None
    if len(split.test):
        joined = FrozenPass(
            SavedClassifier(model_file, sha256(model_file), given.caller),
            engine=frozen.engine_name,
            may_fall_back=False,
            is_proven_elsewhere=True,
            precision=fitted.precision,
            place=given.place,
            progress=given.progress,
        )
        probabilities = _classify(joined, index, split.test, spec.image_size)
        agreement = _prove_join(
            probabilities, index, split, frozen=frozen, fitted=fitted, image_size=spec.image_size
        )
        evaluation = _evaluate(folder, probabilities, index, split)
    _write_tables(folder, index=index, split=split, fitted=fitted, recipe=recipe)
    manifest = _manifest(
        recipe=recipe,
        backbone=backbone,
        spec=spec,
        index=index,
        split=split,
        fitted=fitted,
        engine=frozen.engine_name,
        model=model,
        evaluation=evaluation,
        agreement=agreement,
        digests={path.name: sha256(path) for path in sorted(folder.iterdir())},
    )
    manifest.write(folder / "manifest.json")
    write_report(folder / "report.html", manifest=manifest)


def _classify(
    joined: FrozenPass, index: ImageIndex, positions: NDArray[np.int64], image_size: int
) -> NDArray[np.float32]:
    outputs, _ = joined.rows(index, positions, image_size=image_size, station="test photos")
    return both_classes(np.asarray(outputs))


def _prove_join(
    probabilities: NDArray[np.float32],
    index: ImageIndex,
    split: Split,
    *,
    frozen: FrozenPass,
    fitted: FittedHead,
    image_size: int,
) -> JoinAgreement:
    step = max(1, len(split.test) // AGREEMENT_PHOTOS)
    sample = np.arange(0, len(split.test), step)[:AGREEMENT_PHOTOS]
    features, _ = frozen.rows(
        index, split.test[sample], image_size=image_size, station="proof of the join"
    )
    cached = fitted.probabilities(np.asarray(features))
    return compare_join(probabilities[sample], cached, precision=fitted.precision)


def _evaluate(
    folder: Path, probabilities: NDArray[np.float32], index: ImageIndex, split: Split
) -> Evaluation:
    files = [index.paths[position] for position in split.test]
    labels = index.labels[split.test]
    write_predictions(
        folder / "predictions.csv",
        files=files,
        labels=labels,
        probabilities=probabilities,
        class_names=index.class_names,
    )
    return evaluate(probabilities, labels, class_names=index.class_names, files=files)


def _write_tables(
    folder: Path, *, index: ImageIndex, split: Split, fitted: FittedHead, recipe: TrainRecipe
) -> None:
    write_split_csv(
        folder / "split.csv",
        split,
        files=index.paths,
        labels=index.labels,
        class_names=index.class_names,
        set_aside=index.set_aside,
    )
    write_recipe(recipe, folder / "recipe.toml")
    if fitted.history is not None:
        columns, rows = fitted.history.columns, fitted.history.rows
    else:
        columns = ("c", "cross_validated_log_loss")
        rows = () if fitted.linear is None else fitted.linear.log_losses
    write_history(folder / "history.csv", columns=columns, rows=rows)


def _manifest(
    *,
    recipe: TrainRecipe,
    backbone: Backbone,
    spec: FrozenSpec,
    index: ImageIndex,
    split: Split,
    fitted: FittedHead,
    engine: str,
    model: dict[str, Any],
    evaluation: Evaluation | None,
    agreement: JoinAgreement | None,
    digests: dict[str, str],
) -> Manifest:
    return Manifest(
        format=FORMAT,
        class_names=index.class_names,
        backbone={
            "name": backbone.name,
            "weights": spec.weights,
            "weights_sha256": spec.weights_digest,
            "pooling": spec.pooling,
            "licence": backbone.licence,
            "paper": backbone.paper,
            **model,
        },
        image_size=spec.image_size,
        head=fitted.settings,
        engine=engine,
        precision=fitted.precision,
        seed=recipe.seed,
        temperature=1.0,
        photos={
            "train": len(split.train),
            "validation": len(split.validation),
            "test": len(split.test),
            "unused": len(split.unused),
            "set_aside": len(index.set_aside),
            "train_per_class": dict(
                zip(
                    index.class_names,
                    np.bincount(
                        index.labels[split.train], minlength=len(index.class_names)
                    ).tolist(),
                    strict=True,
                )
            ),
        },
        metrics=None if evaluation is None else evaluation.to_dict(),
        agreement=None if agreement is None else agreement.to_dict(),
        versions=versions(),
        digests=digests,
    )
