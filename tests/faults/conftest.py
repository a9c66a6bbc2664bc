"""The whole graph, run again and again while faults are brought about."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest
import qnexus as qnx
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from tests.conftest import EXECUTABLES, WAYS, qnexus_connected
from tests.helpers import preloaded
from tests.helpers.waiting import wait_until
from tierkreis.storage import FileStorage

from local_nexus import LocalNexus
from tkr_nexus_worker.receipts import find_receipts, read_receipt
from tkr_runtime.workflows.controller_lock import control_workflow
from tkr_runtime.workflows.liveness import live_tasks

DRIVER = Path(__file__).with_name("workflows.py")
PROJECT = "tests of faults"
# On this machine what was cut off has long arrived after the settle time.
QUICK = {
    "TKR_NEXUS_CONNECT_TIMEOUT": "5",
    "TKR_NEXUS_READ_TIMEOUT": "1",
    "TKR_NEXUS_RETRY_TIME": "60",
    "TKR_NEXUS_RETRY_WAIT": "0.2",
    "TKR_NEXUS_SETTLE_TIME": "0.2",
}
CIRCUITS = {
    "first": Circuit(2).X(0).measure_all(),
    "second": Circuit(2).X(1).measure_all(),
}
COUNTS = [{(1, 0): 5}, {(0, 1): 5}]


@dataclass(frozen=True)
class Run:
    """One run of the graph.

    :param storage: The storage of the workflow.
    :param error: What it said when it failed; empty if it did not.
    :param outputs: Its outputs.
    :param jobs: The jobs that it made.
    :param n_circuits: How many circuits it made under each name.
    :param fired: How often faults were brought about.
    :param places: The methods and paths of these faults.
    """

    storage: FileStorage
    error: str
    outputs: list[dict]
    jobs: list[dict]
    n_circuits: dict[str, int]
    fired: int
    places: set[tuple[str | None, str | None]]

    def log(self) -> str:
        return self.storage.logs_path.read_text()

    def assert_done_once(self) -> None:
        """It ended well, made each thing once, and left nothing behind."""
        assert self.error == "", self.log()
        results = [BackendResult.from_dict(output) for output in self.outputs]
        assert [result.get_counts() for result in results] == COUNTS
        assert len(self.jobs) == 1
        assert set(self.n_circuits.values()) == {1}, self.n_circuits
        receipts = [read_receipt(path) for path in find_receipts(self.storage)]
        assert {str(receipt.job_id) for receipt in receipts} == {self.jobs[0]["id"]}
        assert any("completed" in receipt.times for receipt in receipts)
        self.assert_nothing_is_left()

    def assert_nothing_is_left(self) -> None:
        assert wait_until(lambda: not processes_of(self.storage))
        assert live_tasks(self.storage) == set()
        with control_workflow(self.storage):  # no controller has it any more
            pass
        projects = Counter(p.annotations.name for p in qnx.projects.get_all())
        assert projects[PROJECT] == 1


def processes_of(storage: FileStorage) -> list[psutil.Process]:
    """Find the processes of a workflow, and the forks that run its tasks."""
    workflow = str(storage.workflow_id)
    return preloaded.workers(storage.workflow_dir) + [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(workflow in word for word in process.info["cmdline"] or [])
    ]


type RunGraph = Callable[..., Run]


@pytest.fixture(scope="session")
def faulty_nexus() -> Iterator[LocalNexus]:
    """A server for these tests alone, with their project."""
    with LocalNexus(strict=False) as nexus:
        with qnexus_connected(nexus.env):
            qnx.projects.create(name=PROJECT)
        yield nexus


@pytest.fixture(scope="session")
def driver(faulty_nexus, warm_worker, tmp_path_factory) -> Iterator[subprocess.Popen]:
    home = tmp_path_factory.mktemp("home")
    path = f"{EXECUTABLES}{os.pathsep}{os.environ['PATH']}"
    own = {"HOME": str(home), "PATH": path}
    with subprocess.Popen(
        [sys.executable, DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **faulty_nexus.env, **QUICK, **own},
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def run_graph(
    driver, faulty_nexus, connect_qnexus, way, tmp_path
) -> Iterator[RunGraph]:
    """Run the graph once, and remove all faults and all progress."""
    connect_qnexus(faulty_nexus.env)

    def run(
        executor: str = "in-process" if way == "in-process" else "uv",
        *,
        project: str = PROJECT,
        **environment: str,
    ) -> Run:
        token = uuid4()
        job_name = f"job {token}"
        circuits = [
            {**circuit.to_dict(), "name": f"{name} {token}"}
            for name, circuit in CIRCUITS.items()
        ]
        request = {
            "inputs": {
                "project_name": project,
                "job_name": job_name,
                "circuits": circuits,
                "n_shots": [5, 5],
            },
            "directory": str(tmp_path),
            "executor": executor,
            "environment": WAYS[way] | environment,
        }
        driver.stdin.write(json.dumps(request) + "\n")
        driver.stdin.flush()
        answer = json.loads(driver.stdout.readline())
        fired = [fault for fault in faulty_nexus.faults() if fault.fired]
        faulty_nexus.clear_faults()
        faulty_nexus.clear_progress()
        return Run(
            storage=FileStorage(UUID(answer["workflow"]), tierkreis_directory=tmp_path),
            error=answer.get("error", ""),
            outputs=answer.get("outputs", []),
            jobs=[job for job in faulty_nexus.jobs() if job["name"] == job_name],
            n_circuits={
                circuit["name"]: qnx.circuits.get_all(
                    name_exact=[circuit["name"]]
                ).count()
                for circuit in circuits
            },
            fired=sum(fault.fired for fault in fired),
            places={(it.fault.method, it.fault.path) for it in fired},
        )

    yield run
    faulty_nexus.clear_faults()
