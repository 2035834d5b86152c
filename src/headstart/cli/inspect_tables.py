"""What is known of a model file, on a terminal."""

from math import prod
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from headstart.modelfile.naming import flat_names

if TYPE_CHECKING:
    from headstart.modelfile.graph import LayerNode
    from headstart.modelfile.inspection import ModelReport

_ENDS = 8
"""Layers shown at each end of a long network."""

_WIDE = 100
"""Columns of a terminal from which on settings are shown too."""

_TOLD = ("activation", "filters", "kernel_size", "pool_size", "rate", "strides", "units")


def print_inspection(report: "ModelReport", *, every_layer: bool) -> None:
    """Prints what a file is, its layers, and what to know before it is used."""
    console = Console(highlight=False)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _facts(report):
        grid.add_row(name, escape(value))
    console.print(grid)
    console.print()
    if report.graph is None:
        console.print(_arrays(report, every=every_layer))
    else:
        table = _layers(report, every=every_layer)
        if console.width < _WIDE:
            table.columns.pop()
        console.print(table)
    for repair in report.repairs:
        _say(console, "repaired", repair.layer, repair.text)
    for risk in report.risks:
        _say(console, "REFUSED", risk.layer, risk.text)
    if report.graph is not None and not report.risks:
        console.print("nothing in it would run code; it can be loaded", soft_wrap=True)


def _facts(report: "ModelReport") -> list[tuple[str, str]]:
    words = {"keras": "Keras archive", "h5": "HDF5 model", "weights": "weights alone, no network"}
    saved = report.keras_version or "an unknown version"
    when = f" on {report.date_saved.replace('@', ' at ')}" if report.date_saved else ""
    facts = [
        ("file", f"{report.file} ({_bytes(report.size)}, {words[report.format]})"),
        ("saved by", f"Keras {saved}{when}"),
    ]
    graph = report.graph
    if graph is None:
        return [*facts, ("parameters", f"{report.parameters:,} in {len(report.arrays)} arrays")]
    trained = f"{graph.trainable_parameters:,} of them trainable"
    facts.append(("network", f"{graph.name}, {len(graph.layers)} layers"))
    facts.append(("parameters", f"{graph.parameters:,}, {trained}"))
    nodes, names = {layer.name: layer for layer in graph.layers}, flat_names(graph)
    facts.append(("takes", ", ".join(_shape(layer) for layer in graph.inputs)))
    facts.append(("gives", ", ".join(_shape(nodes[name]) for name in graph.outputs)))
    if report.class_names:
        facts.append(("class names", f"{', '.join(report.class_names[:10])} (labels.txt)"))
    compiled = report.compiled
    if compiled.loss or compiled.optimizer:
        chosen = sorted(compiled.options.items(), key=_rate_first)[:3]
        options = ", ".join(
            f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
            for key, value in chosen
        )
        facts.append(("trained with", f"{compiled.loss}; {compiled.optimizer}({options})"))
    if report.output_layer:
        facts.append(("output layer", names[report.output_layer]))
    for word, place in report.cuts.items():
        count = len(place.removed)
        go = "1 layer goes" if count == 1 else f"{count} layers go"
        text = f"after {names[place.node]}, {_size(place.shape)}; {go}"
        facts.append((f"--cut {word}", text))
    if report.pixels is not None:
        pixels = report.pixels
        mode = pixels.mode or "unknown"
        certain = "" if pixels.is_certain or pixels.mode is None else "probably "
        facts.append(("pixels", f"{certain}{mode}. {pixels.reason}"))
    return facts


def _layers(report: "ModelReport", *, every: bool) -> Table:
    assert report.graph is not None
    layers = report.graph.layers
    shown: list[Any] = list(layers)
    if not every and len(layers) > 2 * _ENDS + 1:
        shown = [*layers[:_ENDS], len(layers) - 2 * _ENDS, *layers[-_ENDS:]]
    names, rows = flat_names(report.graph), []
    for each in shown:
        if isinstance(each, int):
            rows.append((f"... {each} more: --layers", "", "", "", ""))
        else:
            count = f"{each.parameters:,}" if each.parameters else ""
            rows.append((names[each.name], each.kind, _shape(each), count, _settings(each)))
    table = _table(("layer", "kind", "gives", "parameters", "settings"), rows)
    for column in table.columns[1:4]:
        column.no_wrap = True
    return table


def _arrays(report: "ModelReport", *, every: bool) -> Table:
    rows = [(place, _size(shape), f"{prod(shape):,}") for place, shape in report.arrays.items()]
    if not every and len(rows) > 2 * _ENDS + 1:
        more = f"... {len(rows) - 2 * _ENDS} more: --layers"
        rows = [*rows[:_ENDS], (more, "", ""), *rows[-_ENDS:]]
    return _table(("array", "shape", "parameters"), rows)


def _settings(layer: "LayerNode") -> str:
    parts = []
    for name in _TOLD:
        value = layer.settings.get(name)
        if value in (None, "linear") or (name == "strides" and value == (1, 1)):
            continue
        parts.append(f"{name} {_size(value) if isinstance(value, tuple) else value}")
    return ", ".join(parts)[:60]


def _rate_first(option: tuple[str, Any]) -> tuple[bool, str]:
    return option[0] != "learning_rate", option[0]


def _shape(layer: "LayerNode") -> str:
    return _size(layer.output_shape[1:]) if layer.output_shape else "unknown"


def _size(shape: Any) -> str:
    return " x ".join("any" if side is None else str(side) for side in shape) or "one number"


def _say(console: Console, word: str, layer: str, text: str) -> None:
    where = f"{layer}: " if layer else ""
    console.print(f"{word}  {where}{text}", markup=False, soft_wrap=True)


def _table(headings: tuple[str, ...], rows: Any) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def _bytes(size: int) -> str:
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
