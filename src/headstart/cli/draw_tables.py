"""The table of a network's layers on a terminal."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from headstart.modelfile.counting import LayerCost, Summary


def print_summary(found: "Summary") -> None:
    """Prints every layer, then the sums."""
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("layer", overflow="fold")
    table.add_column("type", no_wrap=True)
    for heading in ("output", "parameters", "multiply-adds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("trainable")
    for layer in found.layers:
        table.add_row(*(escape(cell) for cell in _row(layer)))
    console.print(table)
    fixed = found.parameters - found.trainable_parameters
    console.print(f"\n{found.name}: {len(found.layers):,} layers", soft_wrap=True)
    console.print(
        f"parameters: {found.parameters:,}, of which {found.trainable_parameters:,} trainable and "
        f"{fixed:,} not",
        soft_wrap=True,
    )
    console.print(f"multiply-adds for one photo: {_count(found.multiply_adds)}", soft_wrap=True)
    console.print(
        f"activations of one photo, float32: {_megabytes(found.activation_bytes)} in training, "
        f"{_megabytes(found.peak_activation_bytes)} at once in prediction",
        soft_wrap=True,
    )


def _row(layer: "LayerCost") -> tuple[str, ...]:
    sides = ["?" if side is None else str(side) for side in layer.output_shape[1:]]
    return (
        layer.name,
        layer.kind,
        " x ".join(sides) or "-",
        _unless_0(layer.parameters),
        "?" if layer.multiply_adds is None else _unless_0(layer.multiply_adds),
        ("yes" if layer.trainable else "no") if layer.parameters else "",
    )


def _unless_0(value: int) -> str:
    return f"{value:,}" if value else ""


def _count(value: int | None) -> str:
    return "unknown, a size is open" if value is None else f"{value:,}"


def _megabytes(value: int | None) -> str:
    if value is None:
        return "unknown (a size is open)"
    return f"{value / 1e6:,.1f} MB" if value >= 1e5 else f"{value / 1e3:,.1f} kB"
