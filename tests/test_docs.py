"""The documentation is true: what it shows runs, and what the code has it tells.

A page is a session: its snippets share one working folder and one Python namespace, top to bottom.

- `python` runs; with `title="name.py"` it is first written to that file, as a reader would.
- `console` runs, line by line, through the command line.
- `bash` is checked, not run (it installs, downloads or takes long): targets of make, extras of pip,
  the command's options, the recipe that they make, names of environment variables.
- `toml` with a `photos` entry is a recipe; `text` and `csv` are not checked.

The folder holds drawn photos in several layouts, and `runs/pets`, a run trained on them once a
session, unless the page makes that itself. The backbone `Starter`, which ships with the package,
stands in for those whose weights would need a download.
"""

import doctest
import importlib
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import textwrap
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer.main
from typer.testing import CliRunner

import headstart
from headstart.backbones.catalogue import STARTER, backbones
from headstart.cli.main import app
from headstart.modelfile.contents import is_model_file
from headstart.recipe import TrainRecipe, make_recipe

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "headstart"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
OTHER_PAGES = [ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
MODULES = sorted(path for path in SOURCE.rglob("*.py") if ">>> " in path.read_text("utf-8"))
NOT_RUN = {
    "headstart.workflow.classify.classify": "needs ImageNet weights; test_classify.py runs it",
    "headstart.workflow.export.export": "starts TensorFlow; test_export.py and a page run it",
    "headstart.workflow.demo.demo": "takes a minute; `make demo` runs it",
}
VARIABLES = {
    "HEADSTART_API_KEY",
    "HEADSTART_CACHE",
    "HEADSTART_CACHE_BYTES",
    "KERAS_BACKEND",
    "KERAS_HOME",
} | {f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")}
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
DOWNLOADED = "|".join(re.escape(each.name) for each in backbones() if each.weights_url)


@dataclass(frozen=True)
class Snippet:
    language: str
    title: str | None
    body: str
    line: int

    @property
    def commands(self) -> list[list[str]]:
        return [
            shlex.split(line, comments=True)
            for line in self.body.replace("\\\n", " ").splitlines()
            if line.strip() and not line.lstrip().startswith("#")
        ]


def snippets(page: Path) -> list[Snippet]:
    text = page.read_text("utf-8")
    return [
        Snippet(
            found["language"],
            found["title"],
            textwrap.dedent(found["body"]),
            text.count("\n", 0, found.start()) + 2,
        )
        for found in FENCE.finditer(text)
    ]


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def call(*arguments: str) -> int:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code != 2, f"headstart {shlex.join(arguments)}: {result.output}"
    return result.exit_code


def draw_photos(folder: Path) -> None:
    draw = runpy.run_path(str(ROOT / "tests" / "conftest.py"))["draw"]
    for name, count, start in (("photos", 30, 0), ("test_photos", 6, 100)):
        for label, kind in (("cats", "disc"), ("dogs", "square")):
            (folder / name / label).mkdir(parents=True)
            for number in range(start, start + count):
                file = folder / name / label / f"{label}_{number:04d}.png"
                draw(kind, number).save(file)
    (folder / "new_photos").mkdir()
    (folder / "flat").mkdir()
    for number in range(4):
        draw("disc", 200 + number).save(folder / "new_photos" / f"{number}.png")
        draw("disc", 300 + number).save(folder / "flat" / f"cat.{number}.png")
        draw("square", 300 + number).save(folder / "flat" / f"dog.{number}.png")
    files = sorted((folder / "photos").rglob("*.png"))
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for file in files:
            archive.write(file, file.relative_to(folder))
    rows = [f"{file.relative_to(folder).as_posix()},{file.parent.name}" for file in files]
    (folder / "photos.csv").write_text("path,label\n" + "\n".join(rows) + "\n")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Photos, and a run trained on them once; its cache serves all pages."""
    folder = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        draw_photos(folder)
        headstart.train("photos", backbone=STARTER, out="runs/pets")
        yield folder


@pytest.fixture
def session(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder, entered."""
    folder = tmp_path / "session"
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns("cache"))
    monkeypatch.setenv("HEADSTART_CACHE", str(template / "cache"))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=page_name)
def test_every_snippet_of_a_page_works(
    page: Path, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = snippets(page)
    running = "".join(each.body for each in found if each.language in ("python", "console"))
    if re.search(r"""out[= ]"?runs/pets\b""", running):
        shutil.rmtree(session / "runs")
    if "--clear" in running:
        monkeypatch.setenv("HEADSTART_CACHE", str(session / "own_cache"))
    namespace: dict[str, Any] = {}
    for snippet in found:
        place = f"{page_name(page)}, line {snippet.line}"
        assert snippet.language in CHECKS, f"{place}: a fence says what it is: {list(CHECKS)}"
        try:
            CHECKS[snippet.language](snippet, namespace)
        except Exception as error:
            error.add_note(f"in {place}")
            raise


def run_python(snippet: Snippet, namespace: dict[str, Any]) -> None:
    if snippet.title is not None:
        Path(snippet.title).write_text(snippet.body, "utf-8")
    body = re.sub(rf"backbone=\"(?:{DOWNLOADED})\"", f'backbone="{STARTER}"', snippet.body)
    exec(compile(body, f"<snippet at line {snippet.line}>", "exec"), namespace)


def run_commands(snippet: Snippet, _namespace: dict[str, Any]) -> None:
    for program, *arguments in snippet.commands:
        assert program == "headstart", f"{program}: console runs headstart only; use bash"
        if arguments[0] == "train":
            if "--backbone" in arguments:
                at = arguments.index("--backbone") + 1
                if not is_model_file(arguments[at]):  # those a page has made itself
                    arguments[at] = STARTER
            elif "--recipe" not in arguments:
                arguments += ["--backbone", STARTER]
        call(*arguments)


def check_commands(snippet: Snippet, _namespace: dict[str, Any]) -> None:
    for words in snippet.commands:
        command = words[1:] if words[0] == "export" else words
        while command and re.fullmatch(r"[A-Z_]+=.*", command[0]):
            name = command.pop(0).partition("=")[0]
            assert name in VARIABLES, f"{name} is no variable that Headstart knows"
        if command:
            program, *arguments = command
            assert program in PROGRAMS, f"{program}: bash knows {', '.join(PROGRAMS)}"
            PROGRAMS[program](arguments)


def check_headstart(arguments: list[str]) -> None:
    name, *rest = arguments
    group: Any = typer.main.get_command(app)
    context = group.commands[name].make_context(name, rest)
    if name == "train" and context.params["recipe"] is None:
        fields = context.params.items()
        make_recipe({key: value for key, value in fields if value is not None and key in FIELDS})


def check_make(arguments: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for word in arguments:
        if "=" not in word:
            assert re.search(rf"^{word}:", makefile, re.MULTILINE), f"make {word}: no such target"


def check_pip(arguments: list[str]) -> None:
    assert arguments[0] == "install"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for word in arguments[1:]:
        if word.startswith("-"):
            continue
        name, _, extras = word.rstrip("]").partition("[")
        assert name in ("headstart", ".")
        unknown = {extra for extra in extras.split(",") if extra} - set(
            project["optional-dependencies"]
        )
        assert not unknown, f"no extra {unknown}"


def check_script(arguments: list[str]) -> None:
    assert (ROOT / arguments[0]).is_file(), f"{arguments[0]} does not exist"


def check_recipe(snippet: Snippet, _namespace: dict[str, Any]) -> None:
    values = tomllib.loads(snippet.body)
    if "photos" in values:
        make_recipe(values)


def is_not_checked(_snippet: Snippet, _namespace: dict[str, Any]) -> None:
    """For what a program printed, and for sketches."""


FIELDS = set(TrainRecipe.model_fields)
IN_A_FILE_ONLY = {"loss_options", "optimizer_options", "schedule_options", "stages"}
PROGRAMS = {
    "headstart": check_headstart,
    "make": check_make,
    "pip": check_pip,
    "python": check_script,
}
CHECKS = {
    "python": run_python,
    "console": run_commands,
    "bash": check_commands,
    "toml": check_recipe,
    "text": is_not_checked,
    "csv": is_not_checked,
}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_example_in_a_docstring_gives_what_it_says(path: Path, session: Path) -> None:
    name = ".".join(("headstart", *path.relative_to(SOURCE).with_suffix("").parts))
    module = importlib.import_module(name.removesuffix(".__init__"))
    run = session / "runs" / ("new" if name == "headstart.workflow.train" else "pets")
    globs = vars(module) | {"PHOTOS": "photos", "RUN": str(run)}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.REPORT_NDIFF
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name, globs=globs):
        skipped = any(each.options.get(doctest.SKIP) for each in test.examples)
        assert not skipped or test.name in NOT_RUN, f"{test.name} is skipped"
        said: list[str] = []
        result = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
        assert not result.failed, "".join(said)


@pytest.mark.parametrize("name", headstart.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    assert f"::: headstart.{name}\n" in (DOCS / "reference" / "python.md").read_text("utf-8")


@pytest.mark.parametrize("name", headstart.__all__)
def test_every_public_function_has_an_example_and_explains_its_arguments(name: str) -> None:
    subject = getattr(headstart, name)
    documentation = subject.__doc__ or ""
    if not isinstance(subject, type):
        assert ">>> " in documentation
    # Keras is imported for type checkers alone.
    names = {"keras": importlib.import_module("keras")}
    for argument in set(get_type_hints(subject, localns=names)) - {"return"}:
        assert re.search(rf"^ {{8}}\*{{0,2}}{argument}: ", documentation, re.MULTILINE), argument


def test_generated_pages_are_what_the_code_says() -> None:
    writer = runpy.run_path(str(ROOT / "tools" / "write_reference.py"))
    for name, text in writer["pages"]().items():
        page = DOCS / "reference" / name
        assert page.read_text("utf-8") == text, f"{page_name(page)} lags behind: make docs"


def test_every_option_and_argument_has_a_help_text() -> None:
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert command.help, name
        for item in command.params:
            assert getattr(item, "help", None), f"headstart {name}: {item.name}"


def test_every_field_of_the_recipe_is_an_option_and_is_explained_outside_the_reference() -> None:
    group: Any = typer.main.get_command(app)
    options = {item.name for item in group.commands["train"].params}
    written = [page for page in PAGES if page.parent.name != "reference"]
    text = "\n".join(page.read_text("utf-8") for page in written)
    for field in FIELDS - {"photos"}:
        name = f"`{field}`" if field in IN_A_FILE_ONLY else f"--{field.replace('_', '-')}"
        assert name in text, f"no page explains {name}"
        assert (field in options) != (field in IN_A_FILE_ONLY), field


def test_the_architecture_page_has_the_layers_of_the_code() -> None:
    ranks = runpy.run_path(str(ROOT / "tests" / "test_layers.py"))["RANKS"]
    text = (DOCS / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (-?\d) \| `(\w+)` \|", text, re.MULTILINE)
    assert {name: int(rank) for rank, name in rows} == {
        name: rank
        for name, rank in ranks.items()
        if (SOURCE / name).is_dir() or (SOURCE / f"{name}.py").is_file()
    }


@pytest.mark.parametrize("page", [*PAGES, *OTHER_PAGES], ids=page_name)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file, _, _anchor = target.partition("#")
        if file and "://" not in file:
            assert (page.parent / file).is_file(), f"{page_name(page)}: {target}"


@pytest.mark.parametrize("page", [*PAGES, *OTHER_PAGES], ids=page_name)
def test_no_page_knows_the_machine_it_was_written_on(page: Path) -> None:
    found = re.search(r"(?<![\w.])/(?:work|tmp|home|root|Users)/\S*", page.read_text("utf-8"))
    assert found is None, f"{page_name(page)}: {found}"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="MkDocs is not installed; `make docs` builds the site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
