"""A network as data, out of a file, without Keras."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from headstart.errors import ModelFileError
from headstart.modelfile.assemble import Assembled, assemble
from headstart.modelfile.contents import MAX_BYTES, Contents, read_contents
from headstart.modelfile.graph import ModelGraph


def read_graph(file: str | Path, *, max_bytes: int = MAX_BYTES) -> ModelGraph:
    """Reads the network in a model file; nothing is built and nothing executed.

    Args:
        file: `.keras`, `.h5` or `.hdf5` of any Keras.
        max_bytes: that its weights may take.

    Returns:
        Its layers. Of a layer that is not known here (a custom one, say) settings are kept, and its
        `output_shape` is `()`, as that of all layers behind it.

    Raises:
        ModelFileError: when the file is missing, damaged, of weights alone, or no list of layers.
    """
    contents = read_contents(file, max_bytes=max_bytes)
    return assemble_contents(contents, max_bytes=max_bytes).graph


def assemble_contents(
    contents: Contents, *, max_bytes: int = MAX_BYTES, trusted: Collection[str] = ()
) -> Assembled:
    """Reads the network in what a file holds.

    Raises:
        ModelFileError: naming the file and what is wrong with it.
    """
    if contents.config is None:
        raise ModelFileError(
            f"file={str(contents.file)!r} holds weights alone: {len(contents.arrays)} arrays and "
            "no network to put them in. Build that network and load them into it, or use them with "
            "a backbone of the catalogue: headstart train PHOTOS --backbone NAME --weights FILE."
        )
    try:
        return assemble(contents.config, max_bytes=max_bytes, trusted=trusted)
    except ModelFileError as error:
        raise ModelFileError(f"file={str(contents.file)!r} is refused: {error}") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"file={str(contents.file)!r} is refused: its config has no form that any Keras writes "
            f"({type(error).__name__}: {error})."
        ) from error
