"""Code, names, commands and links in README, docs, examples and notebooks work."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
from tests.helpers.pages import BLOCK, PAGES, ROOT, blocks

from tkr_lightworks_worker.cli import cli as tkr_lightworks
from tkr_nexus_worker.cli import cli as tkr_nexus

OURS = ("tkr_", "local_")
PACKAGES = (
    "tkr_nexus_worker|tkr_lightworks_worker|tkr_runtime|local_nexus|local_artemis"
)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def python_sources() -> Iterator[tuple[Path, str]]:
    """Yield each piece of Python that a user reads, with its file."""
    for page in PAGES:
        yield from ((page, block) for block in blocks(page, "python"))
    for path in (ROOT / "examples").rglob("*.py"):
        if ".venv" not in path.parts:
            yield path, path.read_text()
    for path in (ROOT / "examples").rglob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] == "code":
                lines = "".join(cell["source"]).splitlines()
                yield path, "\n".join(it for it in lines if not it.startswith("%"))


def shown_imports() -> set[tuple[str, str, str]]:
    """Return file, module and name (or "") for each import of our packages."""
    found = set()
    for path, source in python_sources():
        file = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = {(node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.Import):
                names = {(alias.name, "") for alias in node.names}
            else:
                continue
            found |= {(file, *it) for it in names if it[0].startswith(OURS)}
    return found


IMPORTS = sorted(shown_imports())


def test_imports_are_found_in_every_kind_of_document():
    files = {Path(file).suffix for file, _, _ in IMPORTS}
    assert files == {".md", ".py", ".ipynb"}


@pytest.mark.parametrize(
    ("file", "module", "name"), IMPORTS, ids=[":".join(it) for it in IMPORTS]
)
def test_every_import_that_is_shown_works(file, module, name):
    imported = importlib.import_module(module)
    if name and not hasattr(imported, name):
        importlib.import_module(f"{module}.{name}")


def resolve(dotted: str) -> object:
    """Return the module or attribute of a dotted name; raise if it does not exist."""
    module, _, rest = dotted, "", ""
    while True:
        try:
            value: object = importlib.import_module(module)
            break
        except ModuleNotFoundError:
            module, _, last = module.rpartition(".")
            if not module:
                raise
            rest = f"{last}.{rest}" if rest else last
    for attribute in rest.split(".") if rest else []:
        value = getattr(value, attribute)
    return value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_module_and_source_file_that_a_page_names_exists(page):
    spans = set(CODE_SPAN.findall(page.read_text())) - entry_points().groups
    for span in spans:
        if re.fullmatch(rf"({PACKAGES})(\.\w+)+", span):
            resolve(span)
        elif re.fullmatch(r"(tkr_\w+|local_nexus|local_artemis)(/[\w.]+)+", span):
            assert any((ROOT / place / span).exists() for place in ("src", "tests"))
        elif re.fullmatch(r"(tests|examples|benchmarks|tools|docs)(/[\w.]+)+/?", span):
            assert (ROOT / span).exists(), span


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_or_heading_leads_somewhere(page):
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_the_readme_leads_to_every_page():
    linked = set(LINK.findall((ROOT / "README.md").read_text()))
    assert {f"docs/{page.name}" for page in ROOT.glob("docs/*.md")} <= linked


COMMANDS = {"tkr-nexus": tkr_nexus, "tkr-lightworks": tkr_lightworks}


def shown_commands(page: Path, program: str) -> list[list[str]]:
    """Return the words of each call of a command in code spans and shell blocks."""
    text = page.read_text()
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    lines += CODE_SPAN.findall(BLOCK.sub("", text))
    calls = [re.search(rf"\b{program} ([^#\")`]+)", line) for line in lines]
    return [call[1].split() for call in calls if call]


def options_of(command: click.Command) -> set[str]:
    return {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts, "-h", "--help")
    }


@pytest.mark.parametrize("program", COMMANDS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_a_page_shows_exists(page, program):
    cli = COMMANDS[program]
    context = click.Context(cli)
    for name, *arguments in shown_commands(page, program):
        if not re.fullmatch(r"[a-z]+", name):
            continue  # tkr-nexus COMMAND, tkr-nexus -h
        command = cli.get_command(context, name)
        assert command is not None, name
        options = options_of(command)
        if isinstance(command, click.Group) and arguments:
            options |= options_of(command.commands[arguments[0]])
        used = {it.split("=")[0].strip(",;") for it in arguments if it.startswith("-")}
        assert used <= options, (name, used - options)


@pytest.mark.parametrize("program", COMMANDS)
def test_the_page_of_the_command_line_shows_every_command(program):
    cli = COMMANDS[program]
    page = ROOT / "docs" / "command_line.md"
    shown = {words[0] for words in shown_commands(page, program)}
    assert set(cli.list_commands(click.Context(cli))) <= shown
