import ast
import subprocess
import sys
from pathlib import Path

import pytest

import local_nexus

SOURCE = Path(local_nexus.__file__).parent
HEAVY = ("pytket", "qulacs", "qiskit", "selene_sim", "numpy", "hugr")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def importers(*prefixes: str) -> set[str]:
    """The top-level parts of the package that import something."""
    return {
        path.relative_to(SOURCE).parts[0]
        for path in SOURCE.rglob("*.py")
        if any(name.startswith(prefixes) for name in imports(path))
    }


@pytest.mark.parametrize(
    ("imported", "allowed"),
    [
        ("sqlalchemy", {"store"}),
        ("starlette", {"app.py", "middleware.py"}),
        ("uvicorn", {"connections.py", "serving.py"}),
        ("local_nexus.app", {"serving.py"}),
        ("local_nexus.routes", {"app.py", "openapi.py", "routes"}),
        (
            "local_nexus.services",
            {
                *("app.py", "middleware.py", "routes", "scenario.py"),
                *("services", "serving.py"),
            },
        ),
    ],
)
def test_imports_point_downward(imported, allowed):
    assert importers(imported) <= allowed


def test_the_store_and_the_simulators_know_nothing_above_them():
    for place in ("store", "simulators"):
        for path in (SOURCE / place).rglob("*.py"):
            own = {name for name in imports(path) if name.startswith("local_nexus")}
            known = (f"local_nexus.{place}", "local_nexus.errors")
            assert all(name.startswith(known) for name in own), path


def test_the_server_process_loads_no_simulator():
    code = f"""
import sys
import local_nexus.serving
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


def test_importing_the_package_loads_neither_web_nor_database_libraries():
    code = """
import sys
import local_nexus
print([name for name in ("starlette", "sqlalchemy") if name in sys.modules])
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"
