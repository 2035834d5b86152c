"""What a model was compiled with, in today's words."""

from dataclasses import dataclass, field
from typing import Any

_RENAMED = {"lr": "learning_rate"}


@dataclass(frozen=True, slots=True)
class Compiled:
    """Loss and optimizer of the training that made a file; nothing of it is used.

    Attributes:
        loss: name, or names of several; empty where the file does not say.
        from_logits: whether the loss took logits: then the model gives no probabilities.
        optimizer: name; empty where the file does not say.
        options: of the optimizer, plain values.
        notes: what was called differently.
    """

    loss: str = ""
    from_logits: bool = False
    optimizer: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_compiled(training: Any) -> Compiled:
    """Reads a training config of any Keras; what it does not understand it leaves out.

    Example:
        >>> old = {"loss": "mse", "optimizer_config": {"class_name": "SGD", "config": {"lr": 0.1}}}
        >>> read_compiled(old).options
        {'learning_rate': 0.1}
    """
    if not isinstance(training, dict):
        return Compiled()
    optimizer = training.get("optimizer_config", training.get("optimizer"))
    name, config = _name_and_config(optimizer)
    options, notes = {}, []
    for key, value in config.items():
        if not isinstance(value, bool | int | float | str) or key == "name":
            continue
        new = _RENAMED.get(key, key)
        if new != key:
            notes.append(f"{name}: {key} is {new}")
        if key == "decay":
            if value:
                notes.append(f"{name}: decay={value} is the schedule inverse_time")
            continue
        options[new] = value
    loss = training.get("loss")
    _, loss_config = _name_and_config(loss)
    return Compiled(
        loss=_loss_name(loss),
        from_logits=loss_config.get("from_logits") is True,
        optimizer=name,
        options=options,
        notes=tuple(notes),
    )


def _name_and_config(value: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(value, str):
        return value[:100], {}
    if not isinstance(value, dict):
        return "", {}
    config = value.get("config")
    return str(value.get("class_name") or "")[:100], config if isinstance(config, dict) else {}


def _loss_name(value: Any) -> str:
    if isinstance(value, dict) and "class_name" in value:
        inner = value.get("config")
        return inner[:100] if isinstance(inner, str) else str(value["class_name"])[:100]
    if isinstance(value, dict):
        return ", ".join(map(_loss_name, value.values()))[:200]
    if isinstance(value, list):
        return ", ".join(map(_loss_name, value))[:200]
    return value[:100] if isinstance(value, str) else ""
