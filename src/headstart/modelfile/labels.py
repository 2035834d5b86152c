"""Class names that lie beside a model file."""

import re
from pathlib import Path

from headstart.errors import ArgumentError

BESIDE = "labels.txt"
MAX_LABELS = 100_000


def labels_beside(file: str | Path) -> tuple[str, ...] | None:
    """Returns the names in the `labels.txt` beside a model file, as Teachable Machine writes it.

    Returns:
        Names in order, or None where there is no such file or it holds no list of names.
    """
    path = Path(file).with_name(BESIDE)
    if not path.is_file():
        return None
    try:
        return read_labels(path)
    except ArgumentError:
        return None


def read_labels(file: str | Path) -> tuple[str, ...]:
    r"""Reads class names, one a line; a number before each, as in `0 cats`, says its place.

    Raises:
        ArgumentError: when the file is no list of different names.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "labels.txt")
        ...     _ = file.write_text("0 cats\n1 dogs\n")
        ...     read_labels(file)
        ('cats', 'dogs')
    """
    try:
        lines = Path(file).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"labels={str(file)!r} cannot be read: {error}") from error
    names = [line.strip() for line in lines if line.strip()]
    numbered = [re.fullmatch(r"(\d+)[\s,:]+(.+)", name) for name in names]
    if names and all(found and int(found[1]) == at for at, found in enumerate(numbered)):
        names = [found[2].strip() for found in numbered if found]
    if not 1 <= len(names) <= MAX_LABELS or len(set(names)) != len(names):
        raise ArgumentError(
            f"labels={str(file)!r} holds {len(names)} names, {len(set(names))} of them different. "
            "Expected one name a line, in the order of the model's outputs."
        )
    return tuple(names)
