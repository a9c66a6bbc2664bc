"""The same graph under every way in which Tierkreis starts a worker."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import certifi
import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from tests.helpers.pages import blocks

UV = os.environ.get("UV") or shutil.which("uv") or "uv"
PROJECT = Path(__file__).parents[2]


def one(n_qubits: int, qubit: int) -> Circuit:
    return Circuit(n_qubits, name=f"one-{qubit}").X(qubit).measure_all()


@pytest.fixture
def worker_environment(worker_environment, one_authority, tmp_path) -> dict[str, str]:
    """The same, but uv reaches its index."""
    file = tmp_path / "authorities.pem"
    names = {worker_environment["SSL_CERT_FILE"], one_authority or certifi.where()}
    file.write_text("\n".join(Path(name).read_text() for name in names))
    return {**worker_environment, "SSL_CERT_FILE": str(file)}


CIRCUITS = [one(3, 2), one(3, 0)]
INPUTS = {
    "project_name": "tests of executors",
    "job_name": "a job",
    "circuits": [circuit.to_dict() for circuit in CIRCUITS],
    "n_shots": [7, 5],
}


def assert_results(result: subprocess.CompletedProcess) -> None:
    assert result.returncode == 0, result.stderr
    counts = [
        BackendResult.from_dict(output).get_counts()
        for output in json.loads(result.stdout)
    ]
    assert counts == [{(0, 0, 1): 7}, {(1, 0, 0): 5}]


def without_worker(environment: dict[str, str]) -> dict[str, str]:
    """Take every environment with a worker off the PATH; uv stays."""
    folders = [
        folder
        for folder in environment["PATH"].split(os.pathsep)
        if not (Path(folder) / "tkr_nexus_worker").exists()
    ]
    # A shim of pyenv finds uv inside the checkout only; uv run names the program.
    folders.insert(0, str(Path(UV).parent))
    changed = {**environment, "PATH": os.pathsep.join(folders)}
    changed.pop("VIRTUAL_ENV", None)
    return changed


@pytest.mark.parametrize(
    "executor",
    ["uv-registry", "uv-ready", "shell", "in-process", "memory", "multiple", "task"],
)
def test_the_graph_gives_its_results_under(executor, run_workflow):
    assert_results(run_workflow(executor, INPUTS))


@pytest.mark.parametrize("graph", ["retrying", "tierkreis"])
def test_other_graphs_run_on_this_worker(graph, run_workflow):
    """``tierkreis`` is the graph that ships with Tierkreis itself."""
    assert_results(run_workflow("uv-ready", INPUTS, graph=graph))


def test_without_uv_executor_the_worker_is_found_when_not_on_the_path(
    run_workflow, worker_environment
):
    environment = without_worker(worker_environment)
    assert_results(run_workflow("uv-registry", INPUTS, environment=environment))


@pytest.fixture(scope="module")
def installation(tmp_path_factory, one_authority) -> Path:
    """An environment into which the wheel is installed, apart from the checkout."""
    folder = tmp_path_factory.mktemp("installation")
    requirements, local = folder / "requirements.txt", "--extra local"
    install = (
        f"{UV} pip install --no-compile-bytecode --python {folder}/venv/bin/python"
    )
    commands = [
        f"{UV} build --wheel --out-dir {folder} {PROJECT}",
        f"{UV} export --frozen --no-dev --no-emit-project {local} -o {requirements}",
        f"{UV} venv --python {sys.executable} {folder}/venv",
        f"{install} -r {requirements}",
    ]
    own = os.environ | {"SSL_CERT_FILE": one_authority or certifi.where()}
    for command in commands:
        subprocess.run(
            command.split(), check=True, cwd=PROJECT, env=own, capture_output=True
        )
    [wheel] = folder.glob("*.whl")
    subprocess.run([*install.split(), wheel], check=True, env=own, capture_output=True)
    return folder / "venv"


def installed_files(installation: Path) -> set[Path]:
    return {p for p in installation.rglob("*") if "__pycache__" not in p.parts}


def test_the_wheel_has_the_files_that_are_not_python(installation):
    source = PROJECT / "src" / "local_nexus"
    files = {p.relative_to(source) for p in source.rglob("*") if p.is_file()}
    wanted = {path for path in files if path.suffix not in {".py", ".pyc"}}
    assert {path.suffix for path in wanted} >= {".c", ".html", ".json"}
    [package] = installation.glob("lib/python*/site-packages/local_nexus")
    assert all((package / path).is_file() for path in wanted)


def test_the_metadata_of_the_wheel_name_every_extra_that_is_documented(installation):
    [site_packages] = installation.glob("lib/python*/site-packages")
    [found] = distributions(name="tkr-nexus-worker", path=[str(site_packages)])
    page = (PROJECT / "docs" / "installation.md").read_text()
    documented = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert sorted(found.metadata.get_all("Provides-Extra")) == sorted(documented)
    assert found.metadata["License-Expression"] == "Apache-2.0"
    assert found.metadata["Description"].startswith("# tkr-nexus-worker")


def test_the_readme_runs_from_an_installed_wheel(installation, tmp_path):
    readme = PROJECT / "README.md"
    (tmp_path / "bell.py").write_text(blocks(readme, "python")[0])
    [commands] = [it for it in blocks(readme, "console") if "bell.py" in it]
    before = installed_files(installation)
    environment = without_worker(dict(os.environ))
    path = f"{installation / 'bin'}{os.pathsep}{environment['PATH']}"
    # A project runs programs by `uv run`; here the environment is on the PATH.
    uv_run = 'uv() { shift; case "$1" in *.py) python "$@";; *) "$@";; esac; }'
    result = subprocess.run(
        ["bash", "-c", f"set -e\n{uv_run}\n{commands}"],
        capture_output=True,
        text=True,
        env={**environment, "PATH": path, "HOME": str(tmp_path)},
        cwd=tmp_path,
        timeout=250,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Counter({")
    # What writes nothing needs no permission to write.
    assert installed_files(installation) == before


def test_the_graph_runs_from_an_installed_wheel(
    installation, run_workflow, worker_environment
):
    python = installation / "bin" / "python"
    environment = without_worker(worker_environment)
    result = run_workflow("uv-registry", INPUTS, python=python, environment=environment)
    assert_results(result)
