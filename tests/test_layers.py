"""The layers of docs/architecture.md hold: imports go down, never up, never sideways."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "headstart"

RANKS = {
    "errors": -1,  # the one thing that even rank 0 may import
    "files": 0, "imports": 0, "process": 0, "progress": 0,
    "architectures": 1, "data": 1, "modelfile": 1,
    "backbones": 2, "drawing": 2,
    "features": 3, "heads": 3,
    "evaluation": 4, "explanation": 4, "training": 4,
    "artifact": 5,
    "prediction": 6, "recipe": 6, "report": 6,
    "scale": 7, "selection": 7, "serving": 7,
    "workflow": 8,
    "cli": 9,
}  # fmt: skip

MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE) + sorted(
    path for path in SOURCE.glob("*.py") if path.stem not in ("__init__", "__main__")
)


def layer_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> list[str]:
    """Every module of this package that a file imports, also inside functions and strings."""
    tree = ast.parse(path.read_text("utf-8"))
    names = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module]
    names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    return [name for name in names if name.split(".")[0] == "headstart" and "." in name]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_imports_only_from_layers_below(path: Path) -> None:
    own = layer_of(path)
    for name in imports_of(path):
        other = name.split(".")[1]
        assert other in RANKS, f"{other} has no rank"
        assert other == own or RANKS[other] < RANKS[own], f"{path.name} imports {name}"


def test_every_layer_on_disk_has_a_rank() -> None:
    assert {layer_of(path) for path in MODULES} <= set(RANKS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_frameworks_module_is_named_after_it(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    names = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module]
    names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    backends = {name.split(".")[0] for name in names} & {"tensorflow", "jax", "torch"}
    assert backends <= {path.stem}, f"{path.name} is bound to {backends}"


def test_imports_have_no_cycle() -> None:
    graph = {path: set() for path in MODULES}
    by_name = {
        ".".join(("headstart", *path.relative_to(SOURCE).with_suffix("").parts)): path
        for path in MODULES
    }
    for path in MODULES:
        graph[path] = {by_name[name] for name in imports_of(path) if name in by_name}
    done: set[Path] = set()

    def visit(path: Path, above: tuple[Path, ...]) -> None:
        assert path not in above, " -> ".join(p.stem for p in (*above, path))
        if path not in done:
            for below in graph[path]:
                visit(below, (*above, path))
            done.add(path)

    for path in MODULES:
        visit(path, ())
