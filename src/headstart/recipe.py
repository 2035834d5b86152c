"""A training run as data: checked completely before the first photo is read, kept as TOML."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headstart.errors import ArgumentError, near_matches

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)


class StageSettings(BaseModel):
    """How something is trained with gradients; what is left out, the plan decides.

    Attributes:
        epochs: at most.
        learning_rate: at the height of its schedule.
        batch_size: photos a training step; 32 when left out.
        optimizer: any of Keras' by name, or one's own as `module:function`; `adam` when left out.
        optimizer_options: its other arguments, such as `{ momentum = 0.9 }`.
        schedule: `constant`, `inverse_time`, `cosine` or `one_cycle`.
        schedule_options: its arguments, such as `{ warmup = 0.1 }`.
        depth_factor: each block below the head learns at so many times the rate above it.
        augment: `none`, `standard`, or such as `flip,crop:0.7,turn:10,colour:0.2`.
        views: so many varied views of each photo are evaluated once and kept.
        batch_norm: `freeze` keeps it in inference mode; `adapt` trains it too.
        average: momentum of a moving average of the weights, which is then what is kept.
        patience: epochs without a better one before a stage stops.
        training_precision: `float32`, `bfloat16`, or `auto` for the faster of the two.
    """

    model_config = _STRICT

    epochs: int | None = Field(None, ge=1)
    learning_rate: float | None = Field(None, gt=0.0)
    batch_size: int | None = Field(None, ge=1)
    optimizer: str | None = None
    optimizer_options: dict[str, Any] | None = None
    schedule: str | None = None
    schedule_options: dict[str, Any] | None = None
    depth_factor: float | None = Field(None, gt=0.0, le=1.0)
    augment: str | None = None
    views: int | None = Field(None, ge=1)
    batch_norm: Literal["freeze", "adapt"] | None = None
    average: float | None = Field(None, ge=0.0, lt=1.0)
    patience: int | None = Field(None, ge=1)
    training_precision: Literal["auto", "float32", "bfloat16"] | None = None


class StageRecipe(StageSettings):
    """One of a recipe's own `[[stages]]`.

    Attributes:
        trainable: `head`, `last:20`, `from:LAYER` or `all`.
    """

    trainable: str


class TrainRecipe(StageSettings):
    """Everything that `headstart train` can be told, in the words of its options.

    Attributes:
        photos: folder, archive or CSV.
        test: folder or archive of photos to test on, when they lie apart.
        label_from_name: regular expression that finds the class in a file's name.
        backbone: a name from `headstart models`, or a model file such as `my_model_A.h5`.
        cut: of a model file: `auto`, `-1`, or the layer after which; `auto` when left out.
        preprocess: what a model file expects: `0..1`, `-1..1`, `caffe`, `torch`, `none` (0..255),
            or `probe` to compare them; left out, its own graph has to say.
        weights: `imagenet`, `none` (random), or a file; the backbone's own when left out.
        pooling: how activations become features: `avg`, `max` or `flatten`.
        image_size: side of the square input in pixels; the backbone's own when left out.
        head: `softmax`, `sigmoid`, `mlp:256,128`, or one's own as `module:function`.
        dropout: fraction dropped after each hidden layer of an `mlp` head.
        class_weight: `none`, or `balanced` to weigh rare classes up.
        plan: `linear_probe`, `lp_ft`, `freeze_then_fine_tune`, `gradual_unfreeze` or `scratch`.
        fine_tune: what a plan unfreezes: `last:20`, `from:LAYER` or `all`.
        loss: any of Keras' by name, `focal`, or one's own as `module:function`.
        loss_options: its other arguments, such as `{ label_smoothing = 0.1 }`.
        validation: fraction of the photos for validation.
        test_fraction: fraction held out for the test, where no test photos are given.
        train_per_class: exact number of training photos a class instead of fractions.
        validation_per_class: likewise for validation.
        test_per_class: likewise for the test.
        seed: of everything drawn.
        engine: `auto`, `openvino` or `keras`.
        precision: of the frozen pass: `auto`, `float32`, `bfloat16` or `float16`.
        stages: a plan of one's own, as `[[stages]]`, each with `trainable` and settings.
    """

    photos: str
    test: str | None = None
    label_from_name: str | None = None
    backbone: str = "MobileNetV2"
    cut: str | None = None
    preprocess: Literal["0..1", "-1..1", "caffe", "torch", "none", "probe"] | None = None
    weights: str | None = None
    pooling: Literal["avg", "max", "flatten"] = "avg"
    image_size: int | None = Field(None, ge=8, le=4096)
    head: str = "softmax"
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    class_weight: Literal["none", "balanced"] = "none"
    plan: str = "linear_probe"
    fine_tune: str | None = None
    loss: str = "auto"
    loss_options: dict[str, Any] = Field(default_factory=dict)
    validation: float = Field(0.15, ge=0.0, lt=1.0)
    test_fraction: float = Field(0.15, ge=0.0, lt=1.0)
    train_per_class: int | None = Field(None, ge=1)
    validation_per_class: int | None = Field(None, ge=0)
    test_per_class: int | None = Field(None, ge=0)
    seed: int = Field(0, ge=0, lt=2**32)
    engine: Literal["auto", "openvino", "keras"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    stages: list[StageRecipe] = Field(default_factory=list)


def make_recipe(values: dict[str, Any]) -> TrainRecipe:
    """Checks values and returns them as a recipe.

    Raises:
        ArgumentError: for every value that does not fit, in one message.

    Example:
        >>> make_recipe({"photos": "pets", "head": "sigmoid"}).backbone
        'MobileNetV2'
    """
    try:
        return TrainRecipe(**values)
    except ValidationError as error:
        raise ArgumentError(" ".join(_sentence(item) for item in error.errors())) from None


def read_recipe(file: str | Path) -> TrainRecipe:
    """Reads a recipe from a TOML file.

    Raises:
        ArgumentError: when the file cannot be read or does not fit, naming the line or the entry.
    """
    return make_recipe(read_values(file))


def read_values(file: str | Path) -> dict[str, Any]:
    """Reads the entries of a TOML file, not yet checked.

    Raises:
        ArgumentError: when the file cannot be read, naming the line.
    """
    try:
        values = tomllib.loads(Path(file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ArgumentError(f"recipe={str(file)!r} cannot be read: {error}") from error
    stages = values.get("stages")
    for entries in (values, *(stages if isinstance(stages, list) else ())):
        _find_code_beside(Path(file), entries)
    return values


def _find_code_beside(recipe: Path, entries: Any) -> None:
    """Lets `file.py:function` mean a file in the folder of the recipe that names it."""
    for name in ("head", "loss", "optimizer"):
        place = entries.get(name) if isinstance(entries, dict) else None
        path, _, function = place.rpartition(":") if isinstance(place, str) else ("", "", "")
        if path.endswith(".py") and (recipe.parent / path).is_file():
            entries[name] = f"{(recipe.parent / path).resolve()}:{function}"


def write_recipe(recipe: TrainRecipe, file: Path) -> None:
    """Writes a recipe as TOML; what was left out keeps its default."""
    import tomli_w

    values = recipe.model_dump(exclude_none=True)
    file.write_text(tomli_w.dumps(values), "utf-8")


def _sentence(item: Any) -> str:
    name = ".".join(map(str, item["loc"])) or "recipe"
    if item["type"] == "extra_forbidden":
        known = StageRecipe if item["loc"][0] == "stages" else TrainRecipe
        return f"{name} is unknown.{near_matches(str(item['loc'][-1]), known.model_fields)}"
    if item["type"] == "missing":
        return f"{name} is missing."
    return f"{name}={item['input']!r} does not fit: {item['msg']}."
