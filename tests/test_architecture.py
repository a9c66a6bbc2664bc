"""The rules of the layers: imports point one way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tkr_nexus_worker

SOURCE = Path(__file__).parent.parent / "src"

# What the modules below a path may import besides themselves; None means anything.
FORBIDDEN = {
    "local_nexus": {"tkr_nexus_worker", "tkr_nexus_worker_impl", "qnexus"},
    "tkr_nexus_worker": {"local_nexus"},
    "tkr_nexus_worker/graphs": {"local_nexus", "qnexus", "pytket", "hugr"},
    "tkr_nexus_worker/stubs.py": {"local_nexus", "qnexus", "pytket", "hugr"},
}
# The modules that join the two packages: they start the embedded Nexus.
STARTERS = {
    Path("tkr_nexus_worker/cli/run.py"),
    Path("tkr_nexus_worker/cli/serve.py"),
}
LAYERS = (
    {"errors", "_version", "context", "durations", "slots", "batches", "switches"},
    {"states", "checks", "causes", "files", "reports", "claims", "login", "deferred"},
    {"calls"},
    {"once", "statuses", "devices", "account"},
    {"projects", "listing", "records", "program_files"},
    {"selection"},
    {"summaries", "payloads"},
    {"drawings"},
    {"payload_files"},
    {"changes", "waiting"},
    {"programs", "jobs"},
    {"items"},
    {"outcomes", "attempts", "news", "validation"},
    {"receipts"},
    {"job_results"},
    {"saved_results", "plots"},
    {"results"},
    {"worker"},
    {"tasks"},
    {"doctor"},
)


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def sources_below(place: str) -> list[Path]:
    path = SOURCE / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("place", FORBIDDEN)
def test_no_module_imports_what_its_place_forbids(place):
    sources = [p for p in sources_below(place) if ".venv" not in p.parts]
    assert sources
    for source in sources:
        if source.relative_to(SOURCE) in STARTERS:
            continue
        packages = {module.split(".")[0] for module in imported_modules(source)}
        assert not packages & FORBIDDEN[place], source


def test_the_modules_of_the_worker_import_downward_only():
    level = {name: i for i, layer in enumerate(LAYERS) for name in layer}
    for name, own_level in level.items():
        source = SOURCE / "tkr_nexus_worker" / f"{name}.py"
        for module in imported_modules(source):
            if not module.startswith("tkr_nexus_worker."):
                continue
            imported = module.split(".")[1]
            assert level.get(imported, own_level) < own_level, (name, module)


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
