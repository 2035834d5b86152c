"""The station that fits the head, whatever kind it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.heads.linear import LinearHead, both_classes, class_weights, fit_linear
from headstart.heads.spec import parse_head
from headstart.process import KerasCaller
from headstart.progress import Progress
from headstart.recipe import TrainRecipe

if TYPE_CHECKING:
    import keras

    from headstart.training.loop import History

Labelled = tuple[NDArray[np.float32], NDArray[np.int32]]
"""Features (N, D) and labels (N,)."""


@dataclass(frozen=True)
class FittedHead:
    """A head that has learnt.

    Attributes:
        linear: the closed-form head, or None.
        network: the head that Keras trained, or None.
        history: of the training, where there was one.
        precision: of the features it was fitted on.
        settings: for the manifest.
    """

    linear: LinearHead | None
    network: "keras.Model | None"
    history: "History | None"
    precision: str
    settings: dict[str, Any]

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Applies the head to cached features: (N, D) to (N, K)."""
        if self.linear is not None:
            return both_classes(self.linear.probabilities(features))
        assert self.network is not None
        outputs = self.network.predict(features, verbose=0)
        return both_classes(np.asarray(outputs, np.float32))

    def save_classifier(
        self, spec: dict[str, Any], file: Path, caller: KerasCaller
    ) -> dict[str, Any]:
        """Joins it to its backbone and writes `model.keras`; see `headstart.artifact.model`."""
        beside = file.with_name(".head.npz" if self.linear else ".head.keras")
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


def fit_head(
    recipe: TrainRecipe,
    *,
    train: Labelled,
    validation: Labelled,
    class_count: int,
    precision: str,
    progress: Progress,
) -> FittedHead:
    """Fits the head that a recipe asks for.

    Args:
        recipe: says which head and how.
        train: what it learns from.
        validation: decides when a network stops; a linear head does not need it.
        class_count: K.
        precision: of the features.
        progress: told about epochs.
    """
    spec = parse_head(recipe.head, class_count=class_count)
    balanced = recipe.class_weight == "balanced"
    settings: dict[str, Any] = {"head": recipe.head, "class_weight": recipe.class_weight}
    if not spec.needs_gradients:
        linear = fit_linear(
            *train,
            class_count=class_count,
            activation=spec.kind,
            balanced=balanced,
            seed=recipe.seed,
        )
        settings |= {"c": linear.c, "cross_validated_log_loss": dict(linear.log_losses)}
        return FittedHead(linear, None, None, precision, settings)
    weight = class_weights(train[1], class_count)[train[1]] if balanced else None
    network, history = _train_network(
        recipe, train, validation, class_count=class_count, weight=weight, progress=progress
    )
    settings |= {
        "dropout": recipe.dropout,
        "learning_rate": recipe.learning_rate,
        "batch_size": recipe.batch_size,
        "best_epoch": history.best_epoch,
    }
    return FittedHead(None, network, history, precision, settings)


def _train_network(
    recipe: TrainRecipe,
    train: Labelled,
    validation: Labelled,
    *,
    class_count: int,
    weight: NDArray[np.float64] | None,
    progress: Progress,
) -> "tuple[keras.Model, History]":
    import keras

    from headstart.heads.networks import build_mlp, build_own, fold_standardisation
    from headstart.training.loop import fit

    keras.utils.set_random_seed(recipe.seed)
    spec = parse_head(recipe.head, class_count=class_count)
    features = train[0].reshape(len(train[0]), -1)
    held_out = validation[0].reshape(len(validation[0]), -1)
    mean = np.zeros(features.shape[1], np.float32)
    deviation = np.ones(features.shape[1], np.float32)
    if spec.function is not None:
        network = build_own(spec.function, feature_count=features.shape[1], class_count=class_count)
    else:
        network = build_mlp(
            features.shape[1], spec.units, dropout=recipe.dropout, class_count=class_count
        )
        mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    history = fit(
        network,
        (features - mean) / deviation,
        train[1],
        validation=((held_out - mean) / deviation, validation[1]) if len(held_out) else None,
        sample_weight=weight,
        learning_rate=recipe.learning_rate,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        progress=progress,
    )
    if spec.function is None:
        fold_standardisation(network, mean, deviation)
    return network, history
