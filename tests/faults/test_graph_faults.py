"""The whole graph against every fault: the right outcome, and exactly one job.

Each workflow runs with real processes, one for each task. ``docs/faults.md`` describes
what is shown here.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit

from local_nexus import Fault, LocalNexus

DRIVER = Path(__file__).with_name("forking.py")
QUICK = {
    "TKR_NEXUS_CONNECT_TIMEOUT": "5",
    "TKR_NEXUS_READ_TIMEOUT": "1",
    "TKR_NEXUS_RETRY_TIME": "60",
    "TKR_NEXUS_RETRY_WAIT": "0.2",
    "TKR_NEXUS_SETTLE_TIME": "0.2",
}
CIRCUITS = [
    Circuit(2, name="first").X(0).measure_all(),
    Circuit(2, name="second").X(1).measure_all(),
]

PROJECTS = ("GET", "/api/projects/*")
UPLOAD = ("POST", "/api/circuits/*")
SUBMIT = ("POST", "/api/jobs/*")
STATUS = ("GET", "/api/jobs/*/attributes/status")
JOB = ("GET", "/api/jobs/*")
RESULT = ("GET", "/api/results/*")
READS = [PROJECTS, STATUS, JOB, RESULT]
CHANGES = [UPLOAD, SUBMIT]


class Run(NamedTuple):
    """What the graph answered, the jobs that it made, and how often faults fired."""

    answer: dict
    jobs: list[dict]
    fired: int


type RunGraph = Callable[[], Run]


@pytest.fixture(scope="module")
def own_nexus() -> Iterator[LocalNexus]:
    with LocalNexus() as nexus:
        yield nexus


@pytest.fixture(scope="module")
def run_graph(own_nexus, tmp_path_factory) -> Iterator[RunGraph]:
    """Run the graph once, and remove all faults."""
    directory = tmp_path_factory.mktemp("checkpoints")
    with subprocess.Popen(
        [sys.executable, DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**own_nexus.env, **QUICK, "HOME": str(directory)},
    ) as driver:

        def run() -> Run:
            name = f"job {uuid4()}"
            request = {
                "circuits": [circuit.to_dict() for circuit in CIRCUITS],
                "job_name": name,
                "directory": str(directory),
            }
            driver.stdin.write(json.dumps(request) + "\n")
            driver.stdin.flush()
            answer = json.loads(driver.stdout.readline())
            fired = sum(fault.fired for fault in own_nexus.faults())
            own_nexus.clear_faults()
            jobs = [job for job in own_nexus.jobs() if job["name"] == name]
            return Run(answer, jobs, fired)

        run()  # makes the project
        yield run
        driver.stdin.close()


def assert_done_once(run: Run) -> None:
    assert "error" not in run.answer, run.answer
    results = [BackendResult.from_dict(output) for output in run.answer["outputs"]]
    assert [r.get_counts() for r in results] == [{(1, 0): 5}, {(0, 1): 5}]
    assert len(run.jobs) == 1
    assert run.fired > 0


def passing_faults() -> Iterator[Fault]:
    """Give each fault that passes, for each request of the graph."""
    for method, path in READS + CHANGES:
        where = {"method": method, "path": path, "times": 2}
        for form in ("seconds", "date"):
            yield Fault(
                "answer", status=429, retry_after=1, retry_after_form=form, **where
            )
        yield Fault("answer", status=500, when="after", **where)
        for when in ("before", "after"):
            yield Fault("drop", when=when, **where)
            yield Fault("hang", seconds=2, when=when, **{**where, "times": 1})
        yield Fault("delay", seconds=0.2, **where)
        yield Fault("expire", token="access", **{**where, "times": 1})
        for shape in ("truncated", "html"):
            yield Fault("malformed", shape=shape, **where)


def describe(fault: Fault) -> str:
    parts = [fault.action, fault.when, fault.method, fault.path.split("/")[2]]
    parts += [fault.status, fault.shape, fault.retry_after_form]
    return "-".join(str(part) for part in parts if part is not None)


@pytest.mark.parametrize("fault", list(passing_faults()), ids=describe)
def test_a_fault_that_passes_leaves_one_job_and_its_results(
    own_nexus, run_graph, fault
):
    own_nexus.add_fault(fault)
    assert_done_once(run_graph())


@pytest.mark.parametrize(("method", "path"), READS + CHANGES)
def test_each_status_that_may_pass_is_tried_again(own_nexus, run_graph, method, path):
    statuses = (408, 425, 429, 500, 502, 503, 504)
    for status in statuses:
        own_nexus.add_fault(
            Fault("answer", status=status, method=method, path=path, times=1)
        )
    run = run_graph()
    assert_done_once(run)
    assert run.fired == len(statuses)


def test_an_outage_of_everything_is_waited_for(own_nexus, run_graph):
    own_nexus.add_fault(Fault("answer", status=503, start=1, duration=4))
    assert_done_once(run_graph())


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 422])
@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_refusal_ends_the_workflow_with_the_reason_and_no_job(
    own_nexus, run_graph, status, method, path
):
    body = {"message": "the reason of Nexus"}
    own_nexus.add_fault(
        Fault("answer", status=status, method=method, path=path, body=body)
    )
    run = run_graph()
    assert "the reason of Nexus" in run.answer["error"]
    assert f"status {status}" in run.answer["error"]
    assert run.jobs == []


@given(faults=st.lists(st.sampled_from(list(passing_faults())), min_size=1, max_size=4))
@settings(
    max_examples=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_faults_together_leave_one_job_and_its_results(own_nexus, run_graph, faults):
    for fault in faults:
        own_nexus.add_fault(fault)
    assert_done_once(run_graph())
