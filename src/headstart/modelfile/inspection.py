"""Everything there is to know of a model file before anything is built from it."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headstart.errors import ArgumentError
from headstart.files import sha256
from headstart.modelfile.compiled import Compiled, read_compiled
from headstart.modelfile.contents import MAX_BYTES, Contents, read_contents
from headstart.modelfile.cutting import CutPlace, find_place, output_layer
from headstart.modelfile.expectation import Expectation, expected_pixels
from headstart.modelfile.findings import Repair, Risk
from headstart.modelfile.graph import ModelGraph, Shape
from headstart.modelfile.labels import labels_beside
from headstart.modelfile.reading import assemble_contents


@dataclass(frozen=True)
class ModelReport:
    """What `inspect_model` found.

    Attributes:
        file: that was read.
        size: of the file in bytes.
        sha256: of its content.
        format: "keras" (an archive), "h5", or "weights" (a file without a network).
        keras_version: that saved it; empty where the file does not say.
        date_saved: the same.
        graph: the network; None in a file of weights alone.
        arrays: shape of each array by its place, for a file of weights alone.
        compiled: loss and optimizer it was trained with.
        risks: why it would not be loaded; none where it would be.
        repairs: what would be brought into today's form.
        output_layer: name of the layer that gives the classes, or None.
        cuts: places to cut by the word that means each: `auto`, `-1`, `-2`.
        pixels: which preprocessing it probably expects.
        class_names: from the `labels.txt` beside it, or None.
    """

    file: Path
    size: int
    sha256: str
    format: str
    keras_version: str
    date_saved: str
    graph: ModelGraph | None
    arrays: dict[str, tuple[int, ...]]
    compiled: Compiled
    risks: tuple[Risk, ...]
    repairs: tuple[Repair, ...]
    output_layer: str | None
    cuts: dict[str, CutPlace]
    pixels: Expectation | None
    class_names: tuple[str, ...] | None

    @property
    def input_shape(self) -> Shape | None:
        """Of its only input."""
        inputs = () if self.graph is None else self.graph.inputs
        return inputs[0].output_shape if len(inputs) == 1 else None  # type: ignore[return-value]

    @property
    def parameters(self) -> int:
        """Numbers in its weights."""
        if self.graph is not None:
            return self.graph.parameters
        total = 0
        for shape in self.arrays.values():
            count = 1
            for side in shape:
                count *= side
            total += count
        return total

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        found = asdict(self) | {"file": str(self.file), "parameters": self.parameters}
        if self.graph is not None:
            found["graph"] |= {
                "parameters": self.graph.parameters,
                "trainable_parameters": self.graph.trainable_parameters,
            }
        return found


def inspect_model(
    file: str | Path, *, trust_custom: str | Path | None = None, max_bytes: int = MAX_BYTES
) -> ModelReport:
    """Looks at a model file as data: nothing is built or executed, and Keras is not loaded.

    Args:
        file: `.keras`, `.h5` or `.hdf5`, of a model or of weights alone.
        trust_custom: a Python file with layers of your own. It is read for their names, not run.
        max_bytes: of weights that would be accepted.

    Returns:
        Its network, who saved it, what is risky, what would be repaired, where to cut.

    Raises:
        ModelFileError: when it is no such file, is damaged or tries to reach outside itself.

    Example:
        >>> import headstart
        >>> report = headstart.inspect_model(f"{RUN}/model.keras")
        >>> report.output_layer, report.pixels.mode
        ('probabilities', 'none')
    """
    contents = read_contents(file, max_bytes=max_bytes)
    path = contents.file
    graph: ModelGraph | None = None
    risks: tuple[Risk, ...] = ()
    repairs: tuple[Repair, ...] = ()
    if contents.config is not None:
        found = assemble_contents(contents, max_bytes=max_bytes, trusted=_class_names(trust_custom))
        graph, risks, repairs = found.graph, found.risks, found.repairs
    compiled = read_compiled(contents.training_config)
    answers = None if graph is None else output_layer(graph)
    return ModelReport(
        file=path,
        size=path.stat().st_size,
        sha256=sha256(path),
        format=contents.format if graph is not None else "weights",
        keras_version=contents.keras_version,
        date_saved=contents.date_saved,
        graph=graph,
        arrays={} if graph is not None else _shapes(contents),
        compiled=compiled,
        risks=risks,
        repairs=(*repairs, *(Repair("", note) for note in compiled.notes)),
        output_layer=None if answers is None else answers.name,
        cuts={} if graph is None else _cuts(graph),
        pixels=None if graph is None else expected_pixels(graph),
        class_names=labels_beside(path),
    )


def _shapes(contents: Contents) -> dict[str, tuple[int, ...]]:
    return {each.place: each.shape for each in contents.arrays}


def _cuts(graph: ModelGraph) -> dict[str, CutPlace]:
    found = {}
    for word in ("auto", "-1", "-2"):
        try:
            found[word] = find_place(graph, word)
        except ArgumentError:
            continue
    return found


def _class_names(file: str | Path | None) -> Collection[str]:
    """Names of the classes in a Python file, without running it."""
    if file is None:
        return ()
    try:
        tree = ast.parse(Path(file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        raise ArgumentError(f"trust_custom={str(file)!r} cannot be read: {error}") from error
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
