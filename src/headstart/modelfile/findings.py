"""What reading a model file brings up: what was mended, and what is dangerous."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repair:
    """Something of an old file that was understood and brought into today's form.

    Attributes:
        layer: where; empty for the whole file.
        text: what was there and what it is now.
    """

    layer: str
    text: str


@dataclass(frozen=True, slots=True)
class Risk:
    """Why a file is not built.

    Attributes:
        layer: where; empty for the whole file.
        kind: "code", "custom layer", "unknown operation", "memory" or "form".
        text: a sentence.
    """

    layer: str
    kind: str
    text: str
