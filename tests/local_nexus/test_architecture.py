import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
CLOUD, NEXUS = SOURCE / "local_cloud", SOURCE / "local_nexus"
HEAVY = ("pytket", "qulacs", "qiskit", "selene_sim", "numpy", "hugr")
MOST_MODULES = 15


def modules(*folders: Path) -> list[Path]:
    found = [path for folder in folders for path in folder.rglob("*.py")]
    assert found
    return found


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def importers(*prefixes: str) -> set[str]:
    """The modules of both packages, simulators apart, that import something."""
    return {
        str(path.relative_to(SOURCE))
        for path in modules(CLOUD, NEXUS)
        if "simulators" not in path.parts
        and any(name.startswith(prefixes) for name in imports(path))
    }


def test_what_knows_no_cloud_names_none():
    for path in CLOUD.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text().lower()
            assert not [it for it in ("nexus", "quantinuum", "artemis") if it in text]


def test_a_server_imports_no_worker_and_no_client():
    assert not importers("tkr_", "qnexus")


def test_simulators_import_nothing_of_the_server():
    for path in modules(NEXUS / "simulators"):
        own = {name for name in imports(path) if name.startswith("local_")}
        assert all(name.startswith("local_nexus.simulators") for name in own), path


def test_only_the_server_speaks_http():
    assert importers("uvicorn") == {
        "local_cloud/server/connections.py",
        "local_cloud/server/process.py",
    }
    assert {path.split("/")[0] for path in importers("starlette")} == {
        "local_cloud",
        "local_nexus",
    }
    assert {path for path in importers("starlette") if "nexus" in path} == {
        "local_nexus/application.py",
        "local_nexus/jobs/status_socket.py",
    }


def test_routes_leave_the_database_to_services():
    assert not [path for path in importers("sqlalchemy") if path.endswith("routes.py")]


def test_services_know_no_routes():
    above = ("local_nexus.application", "local_nexus.resource", "local_nexus.services")
    for path in modules(NEXUS):
        if path.name in ("service.py", "queries.py", "tables.py", "models.py"):
            known = imports(path)
            assert not [it for it in known if it.endswith("routes")], path
            assert not [it for it in known if it.startswith(above)], path


@pytest.mark.parametrize("package", [CLOUD, NEXUS])
def test_a_folder_is_small_and_says_what_belongs_in_it(package):
    for folder in {path.parent for path in modules(package)}:
        if "simulators" in folder.parts:
            continue
        assert len(list(folder.glob("*.py"))) <= MOST_MODULES, folder
        doc = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
        assert doc, folder


def loaded(code: str, names: tuple[str, ...]) -> list[str]:
    """Which of these modules are loaded after some code ran in a new interpreter."""
    code = f"import sys\n{code}\nprint(*(it for it in {names!r} if it in sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return ended.stdout.split()


def test_the_server_process_loads_no_simulator():
    assert not loaded(
        "import local_cloud.server.process, local_nexus.application", HEAVY
    )


def test_a_client_of_a_server_loads_neither_web_nor_database_libraries():
    code = "from local_nexus import LocalNexus; LocalNexus()"
    assert not loaded(code, ("starlette", "sqlalchemy", "uvicorn"))
