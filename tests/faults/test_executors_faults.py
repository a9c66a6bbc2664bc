"""Faults while Tierkreis's own executors run the graph."""

import json
from uuid import uuid4

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit

from local_nexus import Fault

LOST_UPLOAD = Fault(
    "drop", when="after", method="POST", path="/api/circuits/*", times=1
)
LOST_SUBMISSION = Fault(
    "drop", when="after", method="POST", path="/api/jobs/*", times=1
)
OVERLOADED = Fault(
    "answer",
    status=429,
    retry_after=1,
    method="GET",
    path="/api/jobs/*/attributes/status",
    times=2,
)
EXPIRED = Fault("expire", token="access", method="POST", path="/api/jobs/*", times=1)
GARBLED = Fault(
    "malformed", shape="truncated", method="GET", path="/api/results/*", times=1
)
FAULTS = [LOST_UPLOAD, LOST_SUBMISSION, OVERLOADED, EXPIRED, GARBLED]


@pytest.mark.parametrize("executor", ["uv-ready", "uv-registry", "shell"])
def test_lost_answers_overload_and_expiry_leave_one_job(
    nexus, run_workflow, worker_environment, executor
):
    inputs = {
        "project_name": "tests of faults",
        "job_name": f"job {uuid4()}",
        "circuits": [Circuit(1, name="one").X(0).measure_all().to_dict()],
        "n_shots": [3],
    }
    for fault in FAULTS:
        nexus.add_fault(fault)
    environment = {**worker_environment, "TKR_NEXUS_SETTLE_TIME": "0.5"}
    result = run_workflow(executor, inputs, environment=environment)
    assert result.returncode == 0, result.stderr
    assert all(fault.fired == fault.fault.times for fault in nexus.faults())
    [output] = json.loads(result.stdout)
    assert BackendResult.from_dict(output).get_counts() == {(1,): 3}
    jobs = [job for job in nexus.jobs() if job["name"] == inputs["job_name"]]
    assert len(jobs) == 1
