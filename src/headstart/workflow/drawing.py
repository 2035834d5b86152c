"""`headstart draw` and `headstart summary`: a network by its name, from a file or in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headstart.backbones.description import describe_network
from headstart.drawing.page import make_page
from headstart.drawing.png import write_png
from headstart.drawing.svg import draw_svg
from headstart.errors import ArgumentError, near_matches
from headstart.files import atomic_file
from headstart.modelfile.counting import Summary, count_costs
from headstart.modelfile.cutting import ancestors
from headstart.modelfile.from_keras import graph_of_model
from headstart.modelfile.graph import ModelGraph
from headstart.modelfile.naming import find_node
from headstart.modelfile.reading import read_graph

if TYPE_CHECKING:
    import keras

_FORMATS = (".svg", ".html", ".png")
_MODEL_FILES = (".keras", ".h5", ".hdf5")


def draw(
    network: str | Path | keras.Model | ModelGraph,
    out: str | Path,
    *,
    image_size: int | None = None,
    frozen_to: str | None = None,
    columns: int | None = None,
    theme: str = "auto",
) -> Path:
    """Draws a network so that one can learn from it.

    Modules are framed and named, what repeats is drawn once, skip connections are arcs, and layers
    that don't learn are told apart from those that do.

    Args:
        network: a name such as "ResNet50" or "InceptionV4", a model file, a run folder, a Keras
            model or a `ModelGraph`.
        out: file to write: `.svg`, `.html` (with zoom and tooltips) or `.png`.
        image_size: side of the photos in pixels, for a network by its name; None for its own.
        frozen_to: draw this layer and all below it as frozen; None for what the network says.
        columns: to divide the drawing into; None for a sheet of a good shape.
        theme: "light", "dark", or "auto" for the reader's own. A PNG is light where it is "auto".

    Returns:
        The file.

    Raises:
        ArgumentError: when an argument does not fit.
        ModelFileError: when the file cannot be read.
        MissingPackageError: for a PNG, when nothing here can make one.

    Example:
        >>> import headstart
        >>> headstart.draw("LeNet5", "lenet5.svg").name
        'lenet5.svg'
    """
    target = Path(out)
    kind = target.suffix.lower()
    if kind not in _FORMATS:
        raise ArgumentError(
            f"out={str(out)!r} ends in {kind or 'nothing'!r}: expected {', '.join(_FORMATS)}."
        )
    graph = _describe(network, image_size=image_size)
    frozen = None
    if frozen_to is not None:
        frozen = ancestors(graph, find_node(graph, frozen_to, argument="frozen_to"))
    if kind == ".png" and theme == "auto":
        theme = "light"
    svg = draw_svg(graph, frozen=frozen, columns=columns, theme=theme, paper=kind != ".html")
    with atomic_file(target) as temporary:
        if kind == ".png":
            write_png(svg, temporary)
        else:
            text = make_page(svg, title=graph.name) if kind == ".html" else svg
            temporary.write_text(text, "utf-8")
    return target


def summary(
    network: str | Path | keras.Model | ModelGraph, *, image_size: int | None = None
) -> Summary:
    """Counts what a network costs: parameters, multiply-adds, memory of activations.

    Args:
        network: a name such as "ResNet50" or "InceptionV4", a model file, a run folder, a Keras
            model or a `ModelGraph`.
        image_size: side of the photos in pixels, for a network by its name; None for its own.

    Returns:
        Every layer, and the sums.

    Raises:
        ArgumentError: when an argument does not fit.
        ModelFileError: when the file cannot be read.

    Example:
        >>> import headstart
        >>> found = headstart.summary("LeNet5")
        >>> found.parameters, found.multiply_adds
        (61706, 416520)
    """
    return count_costs(_describe(network, image_size=image_size))


def _describe(
    network: str | Path | keras.Model | ModelGraph, *, image_size: int | None
) -> ModelGraph:
    if not isinstance(network, str | Path):
        _refuse_size(image_size)
        return network if isinstance(network, ModelGraph) else graph_of_model(network)
    path = Path(network)
    if path.is_dir():
        path = path / "model.keras"
        if not path.is_file():
            raise ArgumentError(f"network={str(network)!r} is a folder without a model.keras.")
    if path.is_file() or path.suffix.lower() in _MODEL_FILES:
        _refuse_size(image_size)
        return read_graph(_present(path))
    return describe_network(str(network), image_size=image_size)


def _present(path: Path) -> Path:
    if not path.is_file():
        beside = [each.name for each in path.parent.glob("*")] if path.parent.is_dir() else []
        raise ArgumentError(
            f"network={str(path)!r} does not exist.{near_matches(path.name, beside)}"
        )
    return path


def _refuse_size(image_size: int | None) -> None:
    if image_size is not None:
        raise ArgumentError(
            f"image_size={image_size}: a model that exists has its size. It can be given for a "
            "network by its name."
        )
