"""A training run as data: checked completely before the first photo is read, kept as TOML."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headstart.errors import ArgumentError, near_matches


class TrainRecipe(BaseModel):
    """Everything that `headstart train` can be told, in the words of its options.

    Attributes:
        photos: folder, archive or CSV.
        test: folder or archive of photos to test on, when they lie apart.
        label_from_name: regular expression that finds the class in a file's name.
        backbone: a name from `headstart models`.
        weights: `imagenet`, `none` (random), or a file; the backbone's own when left out.
        pooling: how activations become features: `avg`, `max` or `flatten`.
        image_size: side of the square input in pixels; the backbone's own when left out.
        head: `softmax`, `sigmoid`, `mlp:256,128`, or one's own as `module:function`.
        dropout: fraction dropped after each hidden layer of an `mlp` head.
        class_weight: `none`, or `balanced` to weigh rare classes up.
        validation: fraction of the photos for validation.
        test_fraction: fraction held out for the test, where no test photos are given.
        train_per_class: exact number of training photos a class instead of fractions.
        validation_per_class: likewise for validation.
        test_per_class: likewise for the test.
        epochs: at most, for heads that need gradients.
        learning_rate: for heads that need gradients.
        batch_size: examples a training step.
        seed: of everything drawn.
        engine: `auto`, `openvino` or `keras`.
        precision: `auto`, `float32`, `bfloat16` or `float16`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    photos: str
    test: str | None = None
    label_from_name: str | None = None
    backbone: str = "MobileNetV2"
    weights: str | None = None
    pooling: Literal["avg", "max", "flatten"] = "avg"
    image_size: int | None = Field(None, ge=8, le=4096)
    head: str = "softmax"
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    class_weight: Literal["none", "balanced"] = "none"
    validation: float = Field(0.15, ge=0.0, lt=1.0)
    test_fraction: float = Field(0.15, ge=0.0, lt=1.0)
    train_per_class: int | None = Field(None, ge=1)
    validation_per_class: int | None = Field(None, ge=0)
    test_per_class: int | None = Field(None, ge=0)
    epochs: int = Field(100, ge=1)
    learning_rate: float = Field(1e-3, gt=0.0)
    batch_size: int = Field(32, ge=1)
    seed: int = Field(0, ge=0, lt=2**32)
    engine: Literal["auto", "openvino", "keras"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"


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
        return tomllib.loads(Path(file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ArgumentError(f"recipe={str(file)!r} cannot be read: {error}") from error


def write_recipe(recipe: TrainRecipe, file: Path) -> None:
    """Writes a recipe as TOML; what was left out keeps its default."""
    import tomli_w

    values = recipe.model_dump(exclude_none=True)
    file.write_text(tomli_w.dumps(values), "utf-8")


def _sentence(item: Any) -> str:
    name = ".".join(map(str, item["loc"])) or "recipe"
    if item["type"] == "extra_forbidden":
        return f"{name} is unknown.{near_matches(name, TrainRecipe.model_fields)}"
    if item["type"] == "missing":
        return f"{name} is missing."
    return f"{name}={item['input']!r} does not fit: {item['msg']}."
