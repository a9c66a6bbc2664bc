"""What is where; import-linter holds which layer imports which (pyproject.toml)."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
MOST_MODULES = 15
FOLDERS = [
    file.parent
    for package in (
        "tkr_nexus_worker",
        "tkr_lightworks_worker",
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


@pytest.mark.parametrize("package", ["tkr_runtime", "local_cloud"])
def test_what_every_cloud_shares_names_none(package):
    sources = [
        path
        for path in (SOURCE / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    assert sources
    clouds = ("nexus", "quantinuum", "artemis", "lightworks")
    named = [
        path
        for path in sources
        if any(cloud in path.read_text().lower() for cloud in clouds)
    ]
    assert named == []


CLIENTS = "qnexus pytket"
PHOTONIC_CLIENTS = "lightworks lightworks_remote"
SIMULATORS = "pytket qulacs qiskit selene_sim numpy hugr"
SERVER_LIBRARIES = "starlette sqlalchemy uvicorn"
# What the process of a simulator would wait for before its first shot.
SLOW_LIBRARIES = "pytket.backends pytket.utils scipy sympy networkx"
RUN_A_CIRCUIT = """
import json
from pytket.circuit import Circuit
from local_nexus.simulators.dispatch import handle
from local_nexus.simulators.requests import RunRequest
bell = json.dumps(Circuit(2).H(0).CX(0, 1).measure_all().to_dict())
assert handle(RunRequest("circuit", bell, {"type": "QulacsConfig"}, 10)).result
"""


@pytest.mark.parametrize(
    ("code", "unused"),
    [
        ("import tkr_nexus_worker", CLIENTS),
        ("import tkr_nexus_worker.graphs", CLIENTS),
        ("import tkr_nexus_worker.stubs", CLIENTS),
        ("import tkr_lightworks_worker.graphs", f"{CLIENTS} {PHOTONIC_CLIENTS}"),
        ("import tkr_lightworks_worker.stubs", f"{CLIENTS} {PHOTONIC_CLIENTS}"),
        ("import tkr_lightworks_worker.tasks", f"{CLIENTS} {PHOTONIC_CLIENTS}"),
        (
            "import tkr_nexus_worker.cli as it; it.cli(['--help'], standalone_mode=0)",
            f"{CLIENTS} local_nexus",
        ),
        ("import local_cloud.server.process, local_nexus.application", SIMULATORS),
        (RUN_A_CIRCUIT, SLOW_LIBRARIES),
        ("from local_nexus import LocalNexus; LocalNexus()", SERVER_LIBRARIES),
        (
            "import local_cloud.server.process, local_artemis.application",
            f"{SIMULATORS} lightworks",
        ),
        ("from local_artemis import LocalArtemis; LocalArtemis()", SERVER_LIBRARIES),
    ],
)
def test_nothing_is_imported_that_is_not_used(code, unused):
    code += f"\nimport sys; print(sys.modules.keys() & {set(unused.split())!r})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    "package",
    [
        "tkr_nexus_worker",
        "tkr_nexus_worker.costs",
        "tkr_nexus_worker.jobs",
        "tkr_nexus_worker.results",
        "tkr_lightworks_worker",
        "tkr_lightworks_worker.jobs",
        "local_cloud",
        "local_nexus",
        "local_artemis",
    ],
)
def test_every_public_name_exists(package):
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert dir(module) == module.__all__
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'none'"):
        _ = module.none
