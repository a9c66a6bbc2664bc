"""The code on the pages runs as it stands, or is named with what runs it instead."""

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
import qnexus
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.helpers import run_pages
from tests.helpers.pages import PAGES, ROOT, blocks, commands

import local_artemis as artemis_package
import local_nexus as nexus_package
from local_nexus import Fault

EXECUTABLES = Path(sys.executable).parent
EMBEDDED_NEXUS = ROOT / "docs" / "local_nexus.md"
EMBEDDED_ARTEMIS = ROOT / "docs" / "local_artemis.md"
PHOTONIC = ROOT / "docs" / "lightworks.md"
# What pages take as given.
BEFORE = {
    "hpc": (
        "from uuid import uuid4\n"
        "from tierkreis.storage import FileStorage\n"
        "storage = FileStorage(uuid4())\n"
    )
}
# Fewer circuits, and fewer of them in a job.
SMALLER = {"large_jobs": {"2000": "4", "500": "2"}}
PRINTED = {
    "README": ["Counter({", "1 result"],
    "graphs": ["Counter({"],
    "programs": ["Counter({"],
    "lightworks": ["1000 samples", "1 result", "True"],
}
# The start of a command -> what runs it instead, or why nothing does.
NOT_RUN = {
    "pip install ": "installs: tests/tkr_nexus_worker/test_executors.py",
    "uv sync": "installs: .ci/run",
    "uv tool install ": "installs",
    "TIERKREIS_PATH=": "serves: tests/tkr_nexus_worker/graphs/test_visualiser.py",
    "uv export ": "tests/test_constraints.py",
    "uv run benchmarks/": "takes minutes",
    "uv run examples/vqe_loop.py": (
        "tests/tkr_nexus_worker/graphs/test_expectation_values.py"
    ),
    "tkr-nexus run bell.qasm --device H2-1": "tests/tkr_nexus_worker/cli/test_run.py",
    "uv run --isolated --python 3.13": "needs a second Python, and installs",
    "tkr-nexus login": "waits for a person",
    "uv run tkr-nexus login": "waits for a person",
    "uv run examples/nexus_polling.py --nexus": "needs a login",
    "tkr-lightworks token save": "needs a token",
    "uv run tkr-lightworks token save": "needs a token",
    "uv run examples/lightworks_polling.py --artemis": "needs a token",
    "tkr-nexus resume 4f1c": "tests/tkr_runtime/workflows/test_resume.py",
    "tkr-nexus serve": "serves until Ctrl-C: tests/tkr_nexus_worker/cli/test_serve.py",
    'eval "$(uv run tkr-nexus serve': "tests/tkr_nexus_worker/test_executors.py",
    'eval "$(tkr-nexus serve': "tests/tkr_nexus_worker/cli/test_serve.py",
    "python mine.py": "tests/tkr_nexus_worker/cli/test_serve.py",
    'eval "$(tkr-lightworks serve': "tests/tkr_lightworks_worker/cli/test_account.py",
    "python hom_graph.py": "runs with the Python of its page",
    "uv run tkr-lightworks run hom.py": "tests/tkr_lightworks_worker/cli/test_run.py",
    "uv run bell.py": "tests/tkr_nexus_worker/test_executors.py",
}


def test_the_python_of_the_pages_runs_as_it_stands(
    submit, worker_environment, photonic_environment, tmp_path
):
    submit("ghz states", circuits=2)  # the job of docs/job_operations.md
    photonic = ("TKR_LIGHTWORKS_HOME", "NO_PROXY", "no_proxy")
    pages = {it.stem: it for it in PAGES if blocks(it, "python")}
    del pages[EMBEDDED_NEXUS.stem], pages[EMBEDDED_ARTEMIS.stem]
    for name, page in pages.items():
        code = "\n".join([BEFORE.get(name, ""), *blocks(page, "python")])
        for many, few in SMALLER.get(name, {}).items():
            code = code.replace(many, few)
        (tmp_path / f"{name}.py").write_text(code)
    result = subprocess.run(
        [sys.executable, "-P", run_pages.__file__, *(f"{it}.py" for it in pages)],
        capture_output=True,
        text=True,
        env=worker_environment | {it: photonic_environment[it] for it in photonic},
        cwd=tmp_path,
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout)
    assert len(printed) == len(pages)
    for file, text in printed.items():
        assert "Traceback" not in text, text
        assert all(it in text for it in PRINTED.get(Path(file).stem, ())), text


def shared(kind: type, server: Any) -> Callable[..., AbstractContextManager[Any]]:
    """Return what stands in for a class of servers: one that has started already."""

    def start(**options: Any) -> AbstractContextManager[Any]:
        inspect.signature(kind).bind(**options)
        server.progress = options.get("progress", server.progress)
        return nullcontext(server)

    return start


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty working directory, where ``python`` is that of the tests."""
    monkeypatch.chdir(tmp_path)
    path = f"{EXECUTABLES}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setenv("PATH", path)
    return tmp_path


def execute(code: str, names: dict[str, Any], server: Any) -> None:
    """Run a block, and the tests of a server that it defines."""
    before = set(names)
    exec(code, names)  # noqa: S102 - our own pages
    for name in names.keys() - before:
        if name.startswith("test_"):
            server.clear_requests()
            names[name](server)


def test_the_python_of_the_embedded_nexus_runs(local_nexus, folder, monkeypatch):
    kind = nexus_package.LocalNexus
    monkeypatch.setattr(nexus_package, "LocalNexus", shared(kind, local_nexus))
    (folder / "mine.py").write_text("import os\nos.environ['NEXUS_PORT']\n")
    names: dict[str, Any] = {}
    for block in blocks(EMBEDDED_NEXUS, "python")[:-1]:
        execute(block, names, local_nexus)


def test_the_requests_of_the_embedded_nexus_are_those_of_its_page(local_nexus):
    lose_the_answer_to_a_submission(local_nexus)
    requests = blocks(EMBEDDED_NEXUS, "python")[-1]
    execute(requests, {"nexus": local_nexus}, local_nexus)


def lose_the_answer_to_a_submission(nexus: nexus_package.LocalNexus) -> None:
    """Submit a job with a client that asks a second time."""
    bell = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
    AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(bell)
    project = qnexus.projects.create(name="of the page")
    job: dict[str, Any] = {
        "name": "of the page",
        "programs": [qnexus.circuits.upload(circuit=bell, project=project)],
        "n_shots": [10],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
        "project": project,
    }
    nexus.clear_requests()
    lost = Fault("drop", method="POST", path="/api/jobs/*", when="after")
    with nexus.fault(lost), pytest.raises(httpx.HTTPError):
        qnexus.start_execute_job(**job)
    qnexus.start_execute_job(**job)


def test_the_python_of_the_embedded_artemis_runs(local_artemis, folder, monkeypatch):
    kind = artemis_package.LocalArtemis
    monkeypatch.setattr(artemis_package, "LocalArtemis", shared(kind, local_artemis))
    start, program, *more = blocks(EMBEDDED_ARTEMIS, "python")
    (folder / "mine.py").write_text(program)
    names: dict[str, Any] = {}
    for block in (start, *more):
        execute(block, names, local_artemis)


def runs_elsewhere(command: str) -> bool:
    example = re.fullmatch(r"uv run (examples/\w+\.py)", command)
    in_integration = (ROOT / ".ci" / "run").read_text()
    return bool(example and f" {example[1]}\n" in in_integration) or any(
        command.startswith(start) for start in NOT_RUN
    )


def runnable() -> list[list[str]]:
    """Return the commands of each block that a test can run."""
    found = [
        [line for line in commands(block) if not runs_elsewhere(line)]
        for page in PAGES
        for block in blocks(page, "console")
    ]
    return [lines for lines in found if lines]


def test_the_commands_of_the_pages_run(
    worker_environment, photonic_environment, tmp_path
):
    (tmp_path / "hom.py").write_text(blocks(PHOTONIC, "python")[0])
    # Each block in a shell of its own, and in the environment of the tests.
    script = ["set -ex", 'uv() { shift; "$@"; }']
    script += ["(\n{}\n)".format("\n".join(lines)) for lines in runnable()]
    result = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        capture_output=True,
        text=True,
        env=photonic_environment | worker_environment,
        cwd=tmp_path,
        timeout=200,
    )
    assert result.returncode == 0, result.stderr


def test_no_reason_is_given_for_commands_that_no_page_shows():
    shown = {
        command
        for page in PAGES
        for block in blocks(page, "console")
        for command in commands(block)
    }
    for start in NOT_RUN:
        assert any(command.startswith(start) for command in shown), start
