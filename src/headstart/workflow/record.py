"""The station that turns what was learnt into a run folder."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.manifest import FORMAT, Manifest, versions
from headstart.artifact.tables import write_history, write_predictions
from headstart.artifact.trust import FILE as TRUST_FILE
from headstart.artifact.trust import Trust
from headstart.data.index import ImageIndex
from headstart.data.split import write_split_csv
from headstart.evaluation.calibration import describe_calibration
from headstart.evaluation.conformal import COVERAGE, check_sets
from headstart.evaluation.familiarity import MAX_REFERENCES, Familiarity
from headstart.evaluation.metrics import Evaluation, evaluate
from headstart.features.agreement import JoinAgreement, compare_join
from headstart.features.networks import SavedClassifier, split_answer
from headstart.files import sha256
from headstart.heads.linear import both_classes
from headstart.recipe import write_recipe
from headstart.report.content import Content
from headstart.report.page import write_report
from headstart.workflow.calibrate import Calibrated, calibrate
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
    calibrated = calibrate(setup, fitted, given)
    fitted, calibration = calibrated.fitted, calibrated.calibration
    model = fitted.save_classifier(setup, model_file, given.caller)
    joined = Joined(setup, fitted, model_file, outputs=model["outputs"], given=given)
    evaluation, agreement = None, None
    trust = None
    if len(setup.split.test):
        features, probabilities = joined.answers(setup.split.test, "test photos")
        agreement = _prove_join(probabilities, setup, fitted)
        trust = _learn_trust(setup, calibrated, joined, width=features.shape[1])
        evaluation = _evaluate(folder, probabilities, setup)
        evaluation = _with_trust(evaluation, trust, features, probabilities, setup)
        labels = setup.index.labels[setup.split.test]
        calibration = describe_calibration(probabilities, labels, calibration)
    (trust or _learn_trust(setup, calibrated, joined, width=None)).write(folder / TRUST_FILE)
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
        temperature=calibration.temperature,
        photos=_count_photos(setup),
        metrics=None if evaluation is None else evaluation.to_dict(),
        agreement=None if agreement is None else agreement.to_dict(),
        versions=versions(),
        digests={path.name: sha256(path) for path in sorted(folder.iterdir())},
        calibration=calibration.to_dict(),
    )
    manifest.write(folder / "manifest.json")
    history = [dict(zip(columns, row, strict=True)) for row in rows]
    recipe = (folder / "recipe.toml").read_text("utf-8")
    write_report(folder, manifest=manifest, history=history, content=Content(recipe=recipe))


class Joined:
    """`model.keras` as it was read back, in the precision that `predict` will use."""

    def __init__(
        self, setup: Setup, fitted: Fitted, model_file: Path, *, outputs: int, given: Tools
    ) -> None:
        self._setup = setup
        self._outputs = outputs
        self._pass = given.make_pass(
            SavedClassifier(model_file, sha256(model_file), given.caller),
            engine=fitted.engine,
            may_fall_back=False,
            is_proven_elsewhere=True,
            precision=fitted.precision,
        )

    def answers(
        self, positions: NDArray[np.int64], station: str
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns features (N, D) and probabilities (N, K) of some photos."""
        size = self._setup.spec.image_size
        rows, _ = self._pass.rows(self._setup.index, positions, image_size=size, station=station)
        features, outputs = split_answer(rows, self._outputs)
        return features, both_classes(outputs)


def _learn_trust(
    setup: Setup, calibrated: Calibrated, joined: Joined, *, width: int | None
) -> Trust:
    """Looks at training and validation photos, as the saved network sees them.

    Args:
        setup: the photos and their split.
        calibrated: what has learnt.
        joined: the saved network.
        width: of its features, where that is known already.
    """
    random, fitted = np.random.default_rng(setup.recipe.seed), calibrated.fitted
    if width is None:
        width = joined.answers(setup.split.train[:1], "features")[0].shape[1]
    if not width:
        return Trust(calibrated.conformal)
    many = 2 * MAX_REFERENCES if fitted.frozen is not None else MAX_REFERENCES
    train = np.sort(random.permutation(setup.split.train)[:many])
    validation = np.sort(random.permutation(setup.split.validation)[:MAX_REFERENCES])
    both = np.concatenate([train, validation])
    features = None
    if fitted.frozen is not None:
        # Kept since the head was fitted, and the same while the backbone is frozen.
        size = setup.spec.image_size
        rows, _ = fitted.frozen.rows(setup.index, both, image_size=size, station="features")
        features = _averaged(rows, width)
    if features is None:
        features, _ = joined.answers(both, "features as saved")
    seed = setup.recipe.seed
    familiarity = Familiarity.fit(features[: len(train)], features[len(train) :], seed=seed)
    return Trust(calibrated.conformal, familiarity)


def _averaged(rows: NDArray[np.float32], width: int) -> NDArray[np.float32] | None:
    """Averages maps that were flattened, as the joined network does; None where that is unclear."""
    flat = np.asarray(rows).reshape(len(rows), -1)
    if flat.shape[1] % width:
        return None
    return np.asarray(flat.reshape(len(flat), -1, width).mean(axis=1), np.float32)


def _with_trust(
    evaluation: Evaluation,
    trust: Trust,
    features: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    setup: Setup,
) -> Evaluation:
    unfamiliar, answered = None, None
    if trust.familiarity is not None:
        far = trust.familiarity.distances(features) > trust.familiarity.limit
        unfamiliar = float(far.mean())
    if trust.conformal is not None:
        sets = trust.conformal.sets(probabilities, COVERAGE)
        labels = setup.index.labels[setup.split.test]
        answered = check_sets(sets, labels, coverage=COVERAGE)
    return replace(evaluation, answered=answered, unfamiliar=unfamiliar)


def _prove_join(probabilities: NDArray[np.float32], setup: Setup, fitted: Fitted) -> JoinAgreement:
    test = setup.split.test
    step = max(1, len(test) // AGREEMENT_PHOTOS)
    sample = np.arange(0, len(test), step)[:AGREEMENT_PHOTOS]
    cached = fitted.probabilities(setup, test[sample])
    return compare_join(probabilities[sample], cached, precision=fitted.kept_precision)


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
    return evaluate(
        probabilities,
        labels,
        class_names=index.class_names,
        files=files,
        seed=setup.recipe.seed,
    )


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
        "test_sha256": test_digest(index, split.test),
    }


def test_digest(index: ImageIndex, test: NDArray[np.int64]) -> str:
    """Names the content of the test photos, so that two runs can be compared on them."""
    digests = sorted(index.digests[position] for position in test)
    return hashlib.sha256("".join(digests).encode()).hexdigest()
