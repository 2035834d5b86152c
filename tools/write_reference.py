"""Writes the pages of docs/reference that the code itself can tell.

Command:  python tools/write_reference.py

Commands come from the same declarations as `--help`, the recipe from its pydantic model, backbones
from the catalogue. The pages are committed; a test fails when they lag behind the code.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer.main

from headstart.backbones.catalogue import Backbone, backbones
from headstart.cli.main import app
from headstart.recipe import StageSettings, TrainRecipe

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by tools/write_reference.py: change the code, then run `make docs`. -->"


def pages() -> dict[str, str]:
    """Returns the text of every generated page by file name."""
    return {
        "commands.md": commands_page(),
        "recipe.md": recipe_page(),
        "backbones.md": backbones_page(),
    }


def commands() -> dict[str, Any]:
    """Returns the commands of `headstart` by name."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def commands_page() -> str:
    """One section a command, in the order of `headstart --help`."""
    lines = [
        "# Commands", NOTE,
        "Exit codes: 0 done, 1 something was found (`check`, `compare`, `suspects`) or could not "
        "be read (`predict`), 2 an error, in one line on standard error. Progress goes to "
        "standard error, results to standard output.",
    ]  # fmt: skip
    for name, command in commands().items():
        usage = " ".join([f"headstart {name} [OPTIONS]", *_usage(command)])
        lines += [f"## headstart {name}", _tidy(command.help), f"```text\n{usage}\n```"]
        arguments = list(_parameters(command, "argument"))
        if arguments:
            lines.append(_table(("argument", "meaning"), arguments))
        lines.append(_table(("option", "meaning"), _parameters(command, "option")))
    return "\n\n".join(lines) + "\n"


def recipe_page() -> str:
    """One row a field of `TrainRecipe`."""
    meanings = _attributes(StageSettings.__doc__ or "") | _attributes(TrainRecipe.__doc__ or "")
    options = _options("train")
    rows = [
        (
            f"`{name}`",
            "`PHOTOS`" if name == "photos" else options.get(name, "in a file only"),
            _type_name(field.annotation),
            "required"
            if field.is_required()
            else _default(field.get_default(call_default_factory=True)),
            meanings[name],
        )
        for name, field in TrainRecipe.model_fields.items()
    ]
    lines = [
        "# Recipe", NOTE,
        "Everything that `headstart train` can be told: as options, as keyword arguments of "
        "`headstart.train`, or as entries of a TOML file (`--recipe FILE`). Options given beside a "
        "file take the place of its entries. The whole recipe is checked before the first photo "
        "is read, and each run folder keeps its own as `recipe.toml`.",
        _table(("field", "option", "type", "default", "meaning"), rows),
        "## Stages of one's own",
        "Each `[[stages]]` of a file says what is `trainable` (`head`, `last:20`, `from:LAYER` or "
        "`all`) and, where it differs from the rest of the recipe: "
        + ", ".join(f"`{name}`" for name in StageSettings.model_fields) + ".",
    ]  # fmt: skip
    return "\n\n".join(lines) + "\n"


def _options(name: str) -> dict[str, str]:
    """The options of a command, by the parameters that they fill."""
    command = typer.main.get_command(app).commands[name]
    return {item.name: f"`{item.opts[0]}`" for item in command.params if item.opts[0][0] == "-"}


def backbones_page() -> str:
    """One row a backbone of the catalogue."""
    rows = [_backbone_row(backbone) for backbone in backbones()]
    heads = ("backbone", "pixels", "features", "MB", "top-1", "parameters", "licence", "paper")
    lines = [
        "# Backbones", NOTE,
        "What `headstart models` lists. MB and parameters count the published network with its "
        "ImageNet layer, which Headstart cuts off; top-1 is the published ImageNet accuracy, from "
        "keras.io/api/applications, for MobileNetV3 and width variants from the README of "
        "keras-team/keras-applications, where there is no MB from the paper: of those nobody "
        "published weights for Keras. `Starter` ships with the package and is meant for the demo "
        "and for trying things out.",
        _table(heads, rows),
    ]  # fmt: skip
    return "\n\n".join(lines) + "\n"


def _usage(command: Any) -> Iterator[str]:
    for item in command.params:
        if item.param_type_name == "argument":
            name = (item.metavar or item.name.upper()).strip("[]")
            yield name if item.required else f"[{name}]"


def _parameters(command: Any, kind: str) -> Iterator[tuple[str, str]]:
    for item in command.params:
        if item.param_type_name != kind or "--help" in item.opts:
            continue
        if kind == "argument":
            yield f"`{(item.metavar or item.name.upper()).strip('[]')}`", _tidy(item.help)
            continue
        value = "" if item.is_flag else f" {item.metavar or _value_name(command, item)}"
        default = ""
        if not item.is_flag and item.default is not None:
            default = f" [default: {item.default}]"
        yield f"`{item.opts[0]}{value}`", _tidy(item.help) + default


def _value_name(command: Any, item: Any) -> str:
    # From the annotation: versions of Typer call the same types differently.
    annotation = get_type_hints(inspect.unwrap(command.callback))[item.name]
    kinds = set(get_args(annotation) or (annotation,)) - {type(None)}
    return {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}[kinds.pop()]


def _backbone_row(backbone: Backbone) -> tuple[str, ...]:
    return (
        f"`{backbone.name}`",
        str(backbone.image_size),
        str(backbone.feature_width),
        "-" if backbone.size_mb is None else f"{backbone.size_mb:.0f}",
        "-" if backbone.top_1 is None else f"{backbone.top_1:.3f}",
        f"{backbone.parameters / 1e6:.1f} M",
        backbone.licence or "-",
        f"[paper]({backbone.paper})" if backbone.paper else "-",
    )


def _attributes(docstring: str) -> dict[str, str]:
    """Returns name and meaning of each entry under `Attributes:`."""
    section = docstring.partition("Attributes:\n")[2]
    entries = re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _type_name(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    names = {str: "text", int: "integer", float: "number", dict: "table", list: "list of tables"}
    if (origin or annotation) in names:
        return names[origin or annotation]
    parts = (part for part in get_args(annotation) if part is not type(None))
    return " or ".join(_type_name(part) for part in parts)


def _default(value: Any) -> str:
    return "-" if value is None or value in ({}, []) else f"`{value}`"


def _tidy(text: str | None) -> str:
    return " ".join((text or "").split()).replace("\\", "\\\\")


def _table(headings: tuple[str, ...], rows: Any) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def main() -> None:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, "utf-8")
    print(f"wrote {', '.join(pages())} in {REFERENCE}", file=sys.stderr)


if __name__ == "__main__":
    main()
