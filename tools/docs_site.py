# noqa: INP001 - a folder of scripts
"""Let mkdocs make a site of pages that stay readable on a forge.

mkdocs reads the pages in ``docs``. This hook adds what lies outside: README, changelog,
the guide for contributors, the examples, and the notebooks with their output.
It turns links between files of the repository into links of the site. The navigation is
the table of README, so that one line there makes a page known in both places.
"""

import ast
import json
import os
import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MOVED = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
SCHEMAS = ROOT / "docs" / "schemas"
LINK = re.compile(r"(\[[^\]]*\]\()([^)\s#:]+)(#[^)\s]*)?(?=\))")
ROW = re.compile(r"^\| (?:\*\*(.+?)\*\*|\[(.+?)\]\((.+?)\)) \|", re.MULTILINE)
NAMES = re.compile(r"^!names ([\w.]+)$", re.MULTILINE)
ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):(?=<code>)")
CELL = re.compile(r"<td.*?</td>", re.DOTALL)


def examples() -> list[PurePosixPath]:
    """Return the files of Python and the notebooks in ``examples``."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        [*command, "examples"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = map(PurePosixPath, listed.stdout.splitlines())
    return [it for it in found if it.suffix in (".py", ".ipynb")]


def place(file: PurePosixPath) -> str:
    """Return where a file of the repository is on the site."""
    if file.parts[0] == "docs":
        return str(file.relative_to("docs"))
    if file.parts[0] == "examples" and file.suffix in (".py", ".ipynb"):
        return f"{file}.md"
    return MOVED.get(str(file), str(file))


def origin(page: str) -> PurePosixPath:
    """Return the file of the repository that a page of the site shows."""
    outside = {place: file for file, place in MOVED.items()}
    if page in outside:
        return PurePosixPath(outside[page])
    if page.startswith("examples/"):
        return PurePosixPath(page.removesuffix(".md"))
    return PurePosixPath("docs", page)


def on_config(config: MkDocsConfig) -> None:
    """Set the navigation: README's table, the examples and the reference."""
    nav: list[dict[str, Any]] = [{"Home": "index.md"}]
    for group, title, link in ROW.findall(README):
        if group:
            nav.append({group: []})
        else:
            next(iter(nav[-1].values())).append({title: place(PurePosixPath(link))})
    files = examples()
    notebooks = [it for it in files if it.suffix == ".ipynb"]
    programs = [it for it in files if it not in notebooks]
    nav[-1:-1] = [
        {"Notebooks": [{_title(it): place(it)} for it in notebooks]},
        {"Examples": [{str(it.relative_to("examples")): place(it)} for it in programs]},
        {"Reference": sorted(_reference())},
    ]
    config.nav = nav


def _reference() -> Iterator[str]:
    for page in (ROOT / "docs" / "reference").glob("*.md"):
        yield f"reference/{page.name}"
    if SCHEMAS.is_dir():
        yield "schemas/index.md"


def _title(notebook: PurePosixPath) -> str:
    first = json.loads((ROOT / notebook).read_text())["cells"][0]["source"]
    return "".join(first).splitlines()[0].removeprefix("# ")


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages that lie outside ``docs``."""
    for name, page in MOVED.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    files.append(File.generated(config, "LICENSE", abs_src_path=str(ROOT / "LICENSE")))
    if SCHEMAS.is_dir():
        listed = _list_of_schemas()
        files.append(File.generated(config, "schemas/index.md", content=listed))
    for example in examples():
        text = (ROOT / example).read_text()
        shown = _program(example, text) if example.suffix == ".py" else _notebook(text)
        files.append(File.generated(config, place(example), content=shown))


def _list_of_schemas() -> str:
    lines = [
        "# JSON Schemas",
        "What each command prints with `--json`.",
        "[Command line](../command_line.md) describes the fields.",
        "",
        "| command | JSON Schema |",
        "| --- | --- |",
    ]
    for path in sorted(SCHEMAS.rglob("*.json")):
        file = path.relative_to(SCHEMAS)
        command = f"{file.parent} {file.stem.replace('_', ' ')}"
        lines.append(f"| `{command}` | [{file.name}]({file}) |")
    return "\n".join(lines)


def _program(file: PurePosixPath, text: str) -> str:
    described = ast.get_docstring(ast.parse(text)) or ""
    return f"# {file.name}\n\n{described}\n\n```python\n{text}```\n"


def _notebook(text: str) -> str:
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {"text/plain": output.get("text", "")})
            if "image/png" in data:
                image = "".join(data["image/png"]).replace("\n", "")
                parts.append(f"![What the cell draws](data:image/png;base64,{image})")
            else:
                parts.append("```text\n" + "".join(data["text/plain"]) + "\n```")
    return "\n\n".join(parts)


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let links lead to pages of the site, and list the names of a package."""
    file = origin(page.file.src_uri)

    def on_site(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(ROOT / file.parent / link[2]))
        if target == SCHEMAS:
            target /= "index.md"
        elif not target.is_file():
            return link[0]
        there = place(PurePosixPath(target.relative_to(ROOT)))
        relative = os.path.relpath(there, PurePosixPath(page.file.src_uri).parent)
        return f"{link[1]}{relative}{link[3] or ''}"

    return NAMES.sub(_names, LINK.sub(on_site, markdown))


def _names(line: re.Match[str]) -> str:
    exported = import_module(line[1]).__all__
    names = [name for name in exported if not name.startswith("__")]
    names.sort(key=str.swapcase)  # functions first
    return "\n\n".join(f"::: {line[1]}.{name}" for name in names)


def on_page_content(html: str, **_: object) -> str:
    """Remove what only other readers need.

    Sphinx reads the kind of a name in a docstring, and a forge the backslash before a
    bar in the code of a table.
    """
    html = ROLE.sub("", html)
    return CELL.sub(lambda cell: cell[0].replace(r"\|", "|"), html)
