"""Options and arguments that several commands share; they mean the same everywhere."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand


class RayCommand(TyperCommand):
    """A command whose `--ray` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Gives a lone `--ray` its address."""
        return super().parse_args(ctx, with_ray_address(args))


def with_ray_address(words: list[str]) -> list[str]:
    """Puts `auto` behind a `--ray` that nothing, or another option, comes after."""
    options = words[: words.index("--")] if "--" in words else words
    found: list[str] = []
    for at, word in enumerate(options):
        found.append(word)
        if word == "--ray" and (at + 1 == len(options) or options[at + 1].startswith("-")):
            found.append("auto")
    return found + words[len(options) :]


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
LabelFromName = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Find the class in file names, as in '^(cat|dog)\\.'."),
]
Coverage = Annotated[
    float, typer.Option(help="How often the candidates shall hold the true class, below 1.")
]
Engine = Annotated[str, typer.Option(help="auto, openvino or keras.")]
PhotosArgument = Annotated[
    str, typer.Argument(metavar="PHOTOS", help="Folder of class folders, zip, tar or CSV.")
]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
RecipeFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Take all settings from a TOML file.")
]
TestApart = Annotated[
    str | None, typer.Option(metavar="FOLDER", help="Test photos that lie apart: not looked at.")
]
BackboneName = Annotated[
    str | None,
    typer.Option(
        help="A name from `headstart models`, or a .keras or .h5 file. [default: MobileNetV2]"
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(help="imagenet, none (random), or a file. [default: the backbone's own]"),
]
ImageSize = Annotated[
    int | None, typer.Option(help="Side of the input in pixels. [default: the backbone's]")
]
BatchSize = Annotated[int | None, typer.Option(help="Photos a training step. [default: 32]")]
Optimizer = Annotated[
    str | None, typer.Option(help="Any of Keras', or module:function. [default: adam]")
]
Ray = Annotated[
    str | None,
    typer.Option(
        metavar="[ADDRESS]",
        help="Ray cluster for the frozen network: HOST:PORT, local (start one) or nothing (the one "
        "that runs here). PHOTOS may then be a URI, tars or Parquet files.",
    ),
]
Shards = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Folder or URI where the cluster keeps what it computes. [default: in the cache]",
    ),
]
TrustCode = Annotated[
    bool, typer.Option("--trust-code", help="Run code that a run folder's recipe names.")
]
Seed = Annotated[int | None, typer.Option(help="Of everything drawn. [default: 0]")]
