"""What is where; import-linter holds which layer imports which (pyproject.toml)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tkr_nexus_worker

SOURCE = Path(__file__).parent.parent / "src"
MOST_MODULES = 15
FOLDERS = [
    file.parent
    for package in (
        "tkr_nexus_worker",
        "tkr_runtime",
        "local_cloud",
        "local_nexus",
        "local_artemis",
    )
    for file in sorted((SOURCE / package).rglob("__init__.py"))
    if ".venv" not in file.parts
]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda it: str(it.relative_to(SOURCE)))
def test_each_folder_says_what_belongs_in_it_and_has_few_modules(folder):
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert len(list(folder.glob("*.py"))) - 1 <= MOST_MODULES


def test_the_runtime_names_no_cloud():
    sources = sorted((SOURCE / "tkr_runtime").rglob("*.py"))
    assert sources
    named = [path for path in sources if "nexus" in path.read_text().lower()]
    assert named == []


@pytest.mark.parametrize(
    "module",
    ["tkr_nexus_worker", "tkr_nexus_worker.graphs", "tkr_nexus_worker.stubs"],
)
def test_importing_the_public_package_loads_neither_qnexus_nor_pytket(module):
    code = (
        f"import {module}, sys; "
        "print([m for m in ('qnexus', 'pytket') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert (result.returncode, result.stdout.strip()) == (0, "[]"), result.stderr


def test_the_help_of_the_command_line_loads_no_command():
    code = (
        "import sys; from tkr_nexus_worker.cli import cli; "
        "cli(['--help'], standalone_mode=False); "
        "print([m for m in ('qnexus', 'pytket', 'local_nexus') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1] == "[]", result.stderr
    assert "serve" in result.stdout


def test_every_public_name_exists_and_is_sorted_into_all():
    public = set(tkr_nexus_worker.__all__)
    for name in public:
        assert getattr(tkr_nexus_worker, name) is not None
    assert set(tkr_nexus_worker._MODULES) == public - {"__version__"}
    assert dir(tkr_nexus_worker) == sorted(public)
