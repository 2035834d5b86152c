"""Every loss of Keras that fits a head by its name, and the user's own."""

from pathlib import Path

import numpy as np
import pytest

from headstart.errors import ArgumentError
from headstart.training.losses import Loss, check_loss, loss_names, make_loss, targets

LABELS = np.array([0, 2, 1, 1, 0], np.int32)
SOFTMAX = np.random.default_rng(0).dirichlet(np.ones(3), 5).astype(np.float32)
SIGMOID = np.random.default_rng(1).uniform(0.05, 0.95, (5, 1)).astype(np.float32)
ONE_HOT = np.eye(3, dtype=np.float32)[LABELS]
BINARY = (LABELS > 0).astype(np.float32)[:, None]

BOTH = (
    "auto", "focal", "dice", "hinge", "huber", "log_cosh", "mean_absolute_error",
    "mean_squared_error", "mean_squared_logarithmic_error", "poisson", "squared_hinge", "tversky",
)  # fmt: skip
SEVERAL = (
    "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy", "categorical_hinge", "cosine_similarity",
    "kl_divergence", "sparse_categorical_crossentropy",
)  # fmt: skip
ONE_OR_TWO = ("binary_crossentropy", "binary_focal_crossentropy")
UNFIT = ("circle", "ctc", "mean_absolute_percentage_error")

OWN = """
from keras import ops

def squares(y_true, y_pred, factor=1.0):
    return factor * ops.sum(ops.square(y_true - y_pred), axis=-1)

def whole(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))

def wide(y_true, y_pred):
    return y_true - y_pred

def broken(y_true, y_pred):
    return y_true @ y_pred.nothing

def alone(y_pred):
    return y_pred

def nothing(y_true, y_pred):
    pass
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own.py"
    file.write_text(OWN)
    return file


def value(loss: Loss, *, weights: np.ndarray | None = None) -> float:
    """Returns what a loss says of the probabilities above."""
    import keras

    one = loss.targets == "binary"
    truth = targets((LABELS > 0).astype(np.int32) if one else LABELS, loss.targets, 3)
    found = loss.function(truth, SIGMOID if one else SOFTMAX, sample_weight=weights)
    return float(keras.ops.convert_to_numpy(found))


def fit_one_step(loss: Loss, units: int) -> float:
    import keras

    head = keras.layers.Dense(units, activation="sigmoid" if units == 1 else "softmax")
    model = keras.Sequential([keras.Input((4,)), head])
    model.compile("sgd", loss.function)
    inputs = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    truth = targets(np.arange(8, dtype=np.int32) % max(units, 2), loss.targets, max(units, 2))
    before = model.get_weights()
    found = model.fit(inputs, truth, batch_size=8, verbose=0).history["loss"][0]
    assert any((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    return found


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("name", [*BOTH, *SEVERAL, *ONE_OR_TWO, *UNFIT])
def test_every_loss_of_keras_is_made_for_the_heads_that_it_fits(name: str, units: int) -> None:
    fits = name in BOTH or (name in SEVERAL and units > 1) or (name in ONE_OR_TWO and units < 3)
    if fits:
        assert make_loss(name, options={}, units=units).targets in ("one_hot", "index", "binary")
    else:
        with pytest.raises(ArgumentError, match=f"loss='{name}' does not fit a "):
            make_loss(name, options={}, units=units)


@pytest.mark.parametrize("name", [*BOTH, *SEVERAL, *ONE_OR_TWO])
def test_every_loss_of_keras_trains_a_head(name: str) -> None:
    units = 1 if name in ONE_OR_TWO else 3
    assert np.isfinite(fit_one_step(make_loss(name, options={}, units=units), units))


def test_these_are_all_that_keras_has() -> None:
    assert {*BOTH, *SEVERAL, *ONE_OR_TWO} <= set(loss_names())
    assert not set(UNFIT) & set(loss_names())


def test_auto_is_the_cross_entropy_of_several_units() -> None:
    expected = -np.log(SOFTMAX[np.arange(5), LABELS]).mean()
    loss = make_loss("auto", options={}, units=3)
    assert (loss.name, loss.targets, loss.source) == ("categorical_crossentropy", "one_hot", "")
    assert value(loss) == pytest.approx(expected, rel=1e-5)


def test_auto_is_the_cross_entropy_of_one_unit() -> None:
    expected = -(BINARY * np.log(SIGMOID) + (1 - BINARY) * np.log(1 - SIGMOID)).mean()
    loss = make_loss("auto", options={}, units=1)
    assert (loss.name, loss.targets) == ("binary_crossentropy", "binary")
    assert value(loss) == pytest.approx(expected, rel=1e-4)


def test_the_index_of_the_class_says_the_same_as_one_hot() -> None:
    sparse = make_loss("sparse_categorical_crossentropy", options={}, units=3)
    assert sparse.targets == "index"
    assert value(sparse) == pytest.approx(value(make_loss("auto", options={}, units=3)), rel=1e-5)


def test_label_smoothing_moves_a_share_to_all_classes() -> None:
    smooth = 0.7 * ONE_HOT + 0.3 / 3
    expected = -(smooth * np.log(SOFTMAX)).sum(axis=1).mean()
    found = value(make_loss("auto", options={"label_smoothing": 0.3}, units=3))
    assert found == pytest.approx(expected, rel=1e-5)


def test_focal_weighs_sure_photos_down_for_several_units() -> None:
    right = SOFTMAX[np.arange(5), LABELS]
    expected = -(0.5 * (1 - right) ** 3 * np.log(right)).mean()
    loss = make_loss("focal", options={"gamma": 3, "alpha": 0.5}, units=3)
    assert loss.name == "categorical_focal_crossentropy"
    assert value(loss) == pytest.approx(expected, rel=1e-4)


def test_focal_takes_a_weight_for_every_class() -> None:
    right, alpha = SOFTMAX[np.arange(5), LABELS], [0.2, 0.3, 0.5]
    expected = -(np.array(alpha)[LABELS] * (1 - right) ** 2 * np.log(right)).mean()
    found = value(make_loss("focal", options={"alpha": alpha}, units=3))
    assert found == pytest.approx(expected, rel=1e-4)


def test_focal_weighs_sure_photos_down_for_one_unit() -> None:
    right = np.where(BINARY == 1, SIGMOID, 1 - SIGMOID)
    expected = -((1 - right) ** 2 * np.log(right)).mean()
    loss = make_loss("focal", options={}, units=1)
    assert loss.name == "binary_focal_crossentropy"
    assert value(loss) == pytest.approx(expected, rel=1e-4)


def test_generalized_cross_entropy_is_told_the_index() -> None:
    right = SOFTMAX[np.arange(5), LABELS]
    expected = ((1 - right**0.7) / 0.7).mean()
    loss = make_loss("categorical_generalized_cross_entropy", options={"q": 0.7}, units=3)
    assert value(loss) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["mse", "MSE", "MeanSquaredError", "mean-squared-error"])
def test_names_are_found_whatever_their_case_and_underscores(name: str) -> None:
    loss = make_loss(name, options={}, units=3)
    assert loss.name == "mean_squared_error"
    assert value(loss) == pytest.approx(((ONE_HOT - SOFTMAX) ** 2).mean(), rel=1e-5)


@pytest.mark.parametrize(("name", "per_photo"), [("auto", True), ("dice", False)])
def test_a_loss_tells_whether_weights_of_photos_can_act(name: str, per_photo: bool) -> None:
    loss = make_loss(name, options={}, units=3)
    assert loss.per_photo is per_photo
    one = np.array([0, 0, 5, 0, 0], np.float32)
    changed = value(loss, weights=one) != pytest.approx(value(loss))
    assert changed is per_photo


def test_ones_own_loss_is_weighed_and_averaged_like_those_of_keras(own: Path) -> None:
    loss = make_loss(f"{own}:squares", options={"factor": 2.0}, units=3)
    each = 2 * ((ONE_HOT - SOFTMAX) ** 2).sum(axis=1)
    weights = np.array([1, 0, 2, 1, 1], np.float32)
    assert (loss.targets, loss.name, loss.source) == ("one_hot", f"{own}:squares", OWN)
    assert loss.per_photo
    assert value(loss) == pytest.approx(each.mean(), rel=1e-5)
    assert value(loss, weights=weights) == pytest.approx((each * weights).mean(), rel=1e-5)


@pytest.mark.parametrize("units", [1, 3])
def test_ones_own_loss_trains_a_head(own: Path, units: int) -> None:
    loss = make_loss(f"{own}:squares", options={}, units=units)
    assert loss.targets == ("binary" if units == 1 else "one_hot")
    assert np.isfinite(fit_one_step(loss, units))


def test_ones_own_loss_may_say_one_number_for_the_batch(own: Path) -> None:
    loss = make_loss(f"{own}:whole", options={}, units=3)
    assert not loss.per_photo
    assert value(loss) == pytest.approx(((ONE_HOT - SOFTMAX) ** 2).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wide", r"has shape \(2, 3\) for a batch of two photos; expected one value a photo"),
        ("broken", "fails on a batch of two photos: AttributeError: "),
        ("nothing", "fails on a batch of two photos: "),
        ("alone", r"cannot be called with \(y_true, y_pred\): too many .* It takes \(y_pred\)"),
        ("missing", "cannot be imported: .* has no function 'missing'"),
    ],
)
def test_ones_own_loss_that_does_not_fit_says_why(own: Path, name: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make_loss(f"{own}:{name}", options={}, units=3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "crossentropy",
            {},
            r"loss='crossentropy' is unknown. Did you mean .*crossentropy.*auto, ",
        ),
        ("auto", {"gamma": 2}, "loss='auto' has no option gamma. Its options: label_smoothing"),
        ("focal", {"gama": 2}, r"has no option gama. Did you mean gamma\?"),
        ("auto", {"from_logits": True}, "from_logits has no meaning here, because the model gives"),
        ("auto", {"label_smoothing": 1}, r"label_smoothing=1 does not fit; expected a fraction in"),
        ("auto", {"label_smoothing": [0.1]}, r"label_smoothing=\[0.1\] does not fit"),
        ("auto", {"reduction": "none"}, "reduction='none' leaves no single number to make small"),
        ("auto", {"reduction": 3}, "reduction=3 does not fit; expected text, as 'sum_over_batch_s"),
        ("focal", {"alpha": [0.1, 0.2]}, "has 2 numbers; expected one, or one for each of 3 clas"),
        ("focal", {"alpha": [0.1, "b", 1]}, r"alpha=\[0.1, 'b', 1\] does not fit; expected a numb"),
        ("mape", {}, "does not fit a classifier: it divides by the target, which is 0"),
        ("binary_crossentropy", {}, "does not fit a head of 3 softmax units: .* Use auto, categor"),
    ],
)
def test_what_does_not_fit_is_named_before_any_photo(
    name: str, options: dict, message: str
) -> None:
    with pytest.raises(ArgumentError, match=message):
        check_loss(name, options, units=3)


def test_what_keras_refuses_is_passed_on() -> None:
    with pytest.raises(ArgumentError, match="loss='auto' cannot be made from its options: "):
        make_loss("auto", options={"reduction": "median"}, units=3)


def test_one_unit_is_told_which_losses_fit_it() -> None:
    with pytest.raises(ArgumentError, match=r"one sigmoid unit: .* Use auto, binary_crossentropy"):
        check_loss("sparse_categorical_crossentropy", {}, units=1)


@pytest.mark.parametrize("name", ["auto", "binary_crossentropy", "kl_divergence"])
def test_while_it_is_not_known_how_many_units_only_the_certain_is_refused(name: str) -> None:
    check_loss(name, {}, units=None)


def test_targets_come_in_three_forms() -> None:
    labels = np.array([0, 1, 1], np.int32)
    assert targets(labels, "one_hot", 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert targets(labels, "index", 3).tolist() == [0, 1, 1]
    assert targets(labels, "binary", 2).tolist() == [[0], [1], [1]]
    kinds = [targets(labels, kind, 2).dtype for kind in ("one_hot", "index", "binary")]
    assert kinds == [np.float32, np.int32, np.float32]
