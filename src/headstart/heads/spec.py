"""What kind of head a person asks for."""

from dataclasses import dataclass

from headstart.errors import ArgumentError
from headstart.imports import is_own_code


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """What kind of head is wanted.

    Attributes:
        kind: "softmax", "sigmoid", "mlp" or "own".
        units: of each hidden layer of an "mlp".
        function: `module:function` or `file.py:function` of one's own head.
    """

    kind: str
    units: tuple[int, ...] = ()
    function: str | None = None

    @property
    def needs_gradients(self) -> bool:
        """Tells whether Keras has to train it."""
        return self.kind in ("mlp", "own")


def parse_head(head: str, *, class_count: int | None = None) -> HeadSpec:
    """Reads the argument `head`.

    Args:
        head: `softmax`, `sigmoid`, `mlp:256,128`, `module:function` or `file.py:function`.
        class_count: checked against a sigmoid where it is known.

    Raises:
        ArgumentError: naming what is possible.

    Example:
        >>> parse_head("mlp:256,128").units
        (256, 128)
    """
    if head == "softmax":
        return HeadSpec("softmax")
    if head == "sigmoid":
        if class_count not in (None, 2):
            raise ArgumentError(
                f"head='sigmoid' has one unit for two classes; these photos have {class_count}. "
                "Use --head softmax."
            )
        return HeadSpec("sigmoid")
    kind, _, rest = head.partition(":")
    if kind == "mlp":
        units = rest.split(",")
        if not all(unit.strip().isdigit() and int(unit) > 0 for unit in units):
            raise ArgumentError(
                f"head={head!r}: expected mlp: and the units of each layer, as in mlp:256,128."
            )
        return HeadSpec("mlp", tuple(int(unit) for unit in units))
    if is_own_code(head):
        return HeadSpec("own", function=head)
    raise ArgumentError(
        f"head={head!r} is unknown. Expected softmax, sigmoid, mlp:UNITS[,UNITS...], or your own "
        "as module:function or file.py:function."
    )
