"""The station that fits the head, whatever kind it is."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.features.frozen_pass import FrozenPass
from headstart.heads.linear import LinearHead, both_classes, class_weights, fit_linear
from headstart.heads.spec import HeadSpec, parse_head
from headstart.heads.streaming import fit_in_parts
from headstart.process import KerasCaller
from headstart.recipe import TrainRecipe
from headstart.workflow.setup import Setup
from headstart.workflow.tools import Tools

if TYPE_CHECKING:
    import keras

    from headstart.training.loop import History

LARGE_BYTES = 2 * 2**30
"""Features above this are not copied to be standardised, but read in parts."""

Table = tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]
"""Columns and rows of `history.csv`."""


class Fitted(Protocol):
    """What has learnt, ready to be saved."""

    @property
    def frozen(self) -> FrozenPass | None:
        """The pass that made its features and kept those of the training photos as they are.

        None where there are no such: the backbone has learnt too, or saw photos that were varied.
        """

    @property
    def kept_precision(self) -> str:
        """The coarsest that anything on the way of `probabilities` was computed or kept in."""

    @property
    def precision(self) -> str:
        """Of the rows it was fitted on: "float32", "bfloat16" or "float16"."""

    @property
    def engine(self) -> str:
        """What computed them: "openvino" or "keras"."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the manifest says of it."""

    @property
    def table(self) -> Table:
        """What `history.csv` holds."""

    def probabilities(self, setup: Setup, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Answers for some photos (N,) by the cached path: (N, K)."""

    def save_classifier(self, setup: Setup, file: Path, caller: KerasCaller) -> dict[str, Any]:
        """Joins it to its backbone and writes `model.keras`; see `headstart.artifact.model`."""


@dataclass(frozen=True)
class FittedHead:
    """A head that has learnt on the features of a frozen backbone.

    Attributes:
        frozen: the pass that made the features.
        precision: of the features.
        settings: for the manifest.
        linear: the closed-form head, or None.
        network: the head that Keras trained, or None.
        history: of the training, where there was one.
        own_table: what to show instead, where fine-tuning was tried and did not help.
    """

    frozen: FrozenPass
    precision: str
    settings: dict[str, Any] = field(default_factory=dict)
    linear: LinearHead | None = None
    network: "keras.Model | None" = None
    history: "History | None" = None
    own_table: Table | None = None

    @property
    def kept_precision(self) -> str:
        """That of the features; a head on them is always float32."""
        return self.precision

    @property
    def engine(self) -> str:
        """What computed the features."""
        return self.frozen.engine_name

    @property
    def table(self) -> Table:
        """One row an epoch, or one a regularisation strength tried."""
        if self.own_table is not None:
            return self.own_table
        if self.history is not None:
            return self.history.columns, self.history.rows
        rows = () if self.linear is None else self.linear.log_losses
        return ("c", "cross_validated_log_loss"), rows

    def answer(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Applies the head to features: (N, D) to (N, K)."""
        if self.linear is not None:
            return both_classes(self.linear.probabilities(features))
        assert self.network is not None
        outputs = self.network.predict(features, verbose=0)
        return both_classes(np.asarray(outputs, np.float32))

    def probabilities(self, setup: Setup, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Answers for some photos by way of their kept features: (N, K)."""
        features, _ = self.frozen.rows(
            setup.index, positions, image_size=setup.spec.image_size, station="proof of the join"
        )
        return self.answer(np.asarray(features))

    def save_classifier(self, setup: Setup, file: Path, caller: KerasCaller) -> dict[str, Any]:
        """Joins it to its backbone and writes `model.keras`; see `headstart.artifact.model`."""
        beside = file.with_name(".head.npz" if self.linear else ".head.keras")
        spec = setup.spec.as_json()
        try:
            if self.linear is not None:
                with beside.open("wb") as opened:
                    np.savez(opened, kernel=self.linear.kernel, bias=self.linear.bias)
                call = caller.call(
                    "headstart.artifact.model:save_linear_classifier",
                    spec=spec, head=str(beside), activation=self.linear.activation, file=str(file),
                )  # fmt: skip
            else:
                assert self.network is not None
                self.network.save(beside)
                call = caller.call(
                    "headstart.artifact.model:save_trained_classifier",
                    spec=spec, head=str(beside), file=str(file),
                )  # fmt: skip
            return dict(call.result())
        finally:
            beside.unlink(missing_ok=True)


@dataclass(frozen=True)
class Features:
    """Rows for training and validation, and their labels.

    Attributes:
        train: float32 (N, ...).
        validation: float32 (M, ...).
        precision: in which they were computed.
    """

    train: NDArray[Any]
    validation: NDArray[Any]
    precision: str


def read_features(setup: Setup, frozen: FrozenPass) -> Features:
    """Evaluates the frozen network over the photos of training and validation."""
    # Test photos are not among these: nothing that selects or fits ever holds their features.
    seen = np.concatenate([setup.split.train, setup.split.validation])
    features, precision = frozen.rows(
        setup.index, seen, image_size=setup.spec.image_size, station="features"
    )
    count = len(setup.split.train)
    return Features(features[:count], features[count:], precision)


def fit_head(
    setup: Setup, frozen: FrozenPass, features: Features, given: Tools, *, logs: Path | None = None
) -> FittedHead:
    """Fits the head that a recipe asks for.

    Args:
        setup: says which head and how, and which photo is of which class.
        frozen: the pass that made the features.
        features: what it learns from; the validation part decides when a network stops, a linear
            head does not need it.
        given: the listener.
        logs: folder for TensorBoard, or None; a linear head has none to write.
    """
    recipe = setup.recipe
    spec = parse_head(recipe.head, class_count=len(setup.index.class_names))
    if not spec.needs_gradients:
        return fit_probe(setup, frozen, features)
    from headstart.workflow.stages import head_stage, stage_as_json

    network, history = _train_network(setup, spec, features, given, logs)
    settings = _settings(recipe) | {
        "dropout": recipe.dropout,
        "best_epoch": history.best_epoch,
        "ended_early": history.stopped,
        "training": stage_as_json(head_stage(recipe)) | {"precision": "float32"},
    }
    return FittedHead(frozen, features.precision, settings, network=network, history=history)


def fit_probe(setup: Setup, frozen: FrozenPass, features: Features) -> FittedHead:
    """Fits a linear head in closed form, whatever head the recipe asks for."""
    recipe, labels = setup.recipe, setup.index.labels[setup.split.train]
    count, weights = len(setup.index.class_names), photo_weights(setup)
    activation = "sigmoid" if recipe.head == "sigmoid" else "softmax"
    if features.train.nbytes > LARGE_BYTES and weights is None:
        linear = fit_in_parts(features.train, labels, class_count=count, activation=activation)
    else:
        linear = fit_linear(
            features.train,
            labels,
            class_count=count,
            activation=activation,
            weights=weights,
            seed=recipe.seed,
        )
    losses = dict(linear.log_losses)
    settings = _settings(recipe) | {"c": linear.c, "cross_validated_log_loss": losses}
    return FittedHead(frozen, features.precision, settings, linear=linear)


def _settings(recipe: TrainRecipe) -> dict[str, Any]:
    return {"head": recipe.head, "class_weight": recipe.class_weight}


def photo_weights(setup: Setup) -> NDArray[np.float64] | None:
    """Returns how much each training photo counts (N,): its own weight times that of its class.

    None for all alike.
    """
    own = setup.index.weights
    if own is not None:
        own = own[setup.split.train]
    if setup.recipe.class_weight != "balanced":
        return own
    labels = setup.index.labels[setup.split.train]
    by_class = class_weights(labels, len(setup.index.class_names))[labels]
    return by_class if own is None else by_class * own


def new_head(recipe: TrainRecipe, feature_count: int, class_count: int) -> "keras.Model":
    """Builds the head of a recipe with fresh weights."""
    from headstart.heads.networks import build_mlp, build_own

    spec = parse_head(recipe.head, class_count=class_count)
    if spec.function is not None:
        return build_own(spec.function, feature_count=feature_count, class_count=class_count)
    return build_mlp(
        feature_count,
        spec.units,
        dropout=recipe.dropout,
        units_out=1 if spec.kind == "sigmoid" else class_count,
    )


def _train_network(
    setup: Setup, spec: HeadSpec, features: Features, given: Tools, logs: Path | None
) -> "tuple[keras.Model, History]":
    import keras

    from headstart.heads.networks import fold_standardisation
    from headstart.training.devices import use_all_devices
    from headstart.training.examples import KeptRows
    from headstart.training.loop import Surroundings, fit
    from headstart.workflow.stages import head_stage, make_loss_of

    recipe, labels, split = setup.recipe, setup.index.labels, setup.split
    use_all_devices()
    keras.utils.set_random_seed(recipe.seed)
    train = features.train.reshape(len(features.train), -1)
    held_out = features.validation.reshape(len(features.validation), -1)
    network = new_head(recipe, train.shape[1], len(setup.index.class_names))
    mean = np.zeros(train.shape[1], np.float32)
    deviation = np.ones(train.shape[1], np.float32)
    if spec.function is None:
        mean, deviation = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-6)
    history = fit(
        network,
        KeptRows(labels[split.train], ((train - mean) / deviation,)),
        KeptRows(labels[split.validation], ((held_out - mean) / deviation,))
        if len(held_out)
        else None,
        head_stage(recipe),
        Surroundings(
            loss=make_loss_of(recipe, units=int(network.output_shape[-1])),
            progress=given.progress,
            seed=recipe.seed,
            photo_weights=photo_weights(setup),
            logs=logs,
            name="head",
        ),
    )
    if spec.function is None:
        fold_standardisation(network, mean, deviation)
    return network, history
