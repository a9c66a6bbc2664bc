"""The operations on jobs as tasks of real graphs."""

from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.conftest import PROJECT
from tierkreis.builder import Graph
from tierkreis.controller.executor.in_memory_executor import InMemoryExecutor
from tierkreis.models import TKR, OpaqueType
from tierkreis.storage import InMemoryStorage

from tkr_nexus_worker import REGISTRY_PATH, programs, run, stubs
from tkr_nexus_worker.errors import JobFailedError
from tkr_nexus_worker.jobs import find_job
from tkr_nexus_worker.jobs.models import (
    JobDetails,
    JobPayload,
    JobStatusReport,
    JobSummary,
)
from tkr_runtime.workflows.interrupt import unfinished_jobs

JobRef = OpaqueType["qnexus.models.references.ExecuteJobRef"]


def run_in_memory(graph: Any, inputs: Any) -> Any:
    storage = InMemoryStorage(uuid4())
    return run(graph, inputs, storage, InMemoryExecutor(REGISTRY_PATH, storage))


def only(task: Any, *values: Any) -> Any:
    """Build a graph of one task whose one input is the text that names a job."""
    g = Graph(TKR[str], TKR[Any])
    return g.finish_with_outputs(g.task(task(g.inputs, *map(g.const, values))))


class Told(NamedTuple):
    """What a graph tells of jobs."""

    listed: TKR[Any]
    status: TKR[Any]
    details: TKR[Any]
    payload: TKR[Any]
    complete: TKR[bool]


class Names(NamedTuple):
    """A job by a reference and by its name."""

    ref: TKR[JobRef]
    name: TKR[str]


def test_a_graph_looks_at_a_job_by_reference_and_by_name(connected, waiting_job):
    g = Graph(Names, Told)
    graph = g.finish_with_outputs(
        Told(
            g.task(stubs.list_scheduled_jobs()),
            g.task(stubs.get_job_status(g.inputs.name)),
            g.task(stubs.get_job_details(g.inputs.ref)),
            g.task(stubs.get_job_payload(g.inputs.ref)),
            g.task(stubs.check_job_complete(g.inputs.name)),
        )
    )
    names = {"ref": waiting_job, "name": waiting_job.annotations.name}
    told = run_in_memory(graph, names)
    job_id = str(waiting_job.id)
    assert [JobSummary(**it).job_id for it in told["listed"]] == [job_id]
    assert JobStatusReport(**told["status"]).state == "QUEUED"
    assert JobDetails(**told["details"]).items_total == 2
    assert [it.name for it in JobPayload(**told["payload"]).programs] == ["bell"] * 2
    assert told["complete"] is False


def test_a_graph_changes_a_job(connected, waiting_job):
    name = waiting_job.annotations.name
    cancelled = run_in_memory(only(stubs.cancel_job), name)
    assert cancelled["state"] == "CANCELLED"
    assert run_in_memory(only(stubs.retry_job), name)["phase"] == "waiting"
    assert run_in_memory(only(stubs.delete_job, True), name) == str(waiting_job.id)
    with pytest.raises(Exception, match="There is no job"):
        find_job(name)


class Submission(NamedTuple):
    """A program, and where it runs."""

    program: TKR[Any]
    config: TKR[Any]


def test_a_graph_submits_a_job_and_waits_for_it(make_executor, make_storage):
    g = Graph(Submission, TKR[Any])
    name = g.const("waited for")
    submitted = g.task(
        stubs.start_single_job(
            g.const(PROJECT), name, g.inputs.program, g.const(5), g.inputs.config
        )
    )
    waited = g.task(stubs.wait_until_complete(submitted, g.const(60.0)))
    graph = g.finish_with_outputs(waited)
    bell = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
    inputs = {
        "program": programs.upload_circuit(bell, PROJECT),
        "config": QuantinuumConfig(device_name="H2-1LE"),
    }
    storage = make_storage()
    report = JobStatusReport(**run(graph, inputs, storage, make_executor(storage)))
    assert (report.name, report.state) == ("waited for", "COMPLETED")
    # Ctrl-C after it has nothing to tell of this job.
    assert unfinished_jobs(storage) == []


def test_a_job_that_ended_badly_fails_the_task_that_waits_for_it(connected, submit):
    job = submit()
    connected.set_job_status(job.id, "ERROR", "no luck")
    with pytest.raises(JobFailedError, match="no luck"):
        run_in_memory(only(stubs.wait_until_complete), str(job.id))
