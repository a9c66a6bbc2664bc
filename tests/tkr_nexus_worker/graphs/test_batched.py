"""Many circuits run as several jobs, a few at once, and a failure costs one part."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.helpers.waiting import wait_for

from local_nexus import LocalNexus, Progress
from tkr_nexus_worker import (
    InProcessExecutor,
    InvalidInputError,
    WorkflowFailedError,
    jobs,
    resume,
    run,
)
from tkr_nexus_worker.graphs import (
    nexus_submit_and_poll_batched,
    nexus_submit_in_parts,
)
from tkr_nexus_worker.results import PartOutcome, part_results
from tkr_runtime.workflows.interrupt import unfinished_jobs

N_CIRCUITS = 5


@pytest.fixture
def inputs() -> dict:
    """Circuits with one name; the n-th has n + 1 shots."""
    circuits = [
        Circuit(3, name="same").X(n % 3).measure_all() for n in range(N_CIRCUITS)
    ]
    return {
        "project_name": "tests of parts",
        "job_name": f"run {uuid4()}",
        "circuits": circuits,
        "n_shots": list(range(1, N_CIRCUITS + 1)),
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }


def assert_all_results(outputs) -> None:
    counts = [BackendResult.from_dict(output).get_counts() for output in outputs]
    assert counts == [
        {tuple(int(bit == n % 3) for bit in range(3)): n + 1} for n in range(N_CIRCUITS)
    ]


def jobs_of(nexus: LocalNexus, inputs: dict) -> list[dict]:
    """The jobs of a run, by their parts."""
    found = [it for it in nexus.jobs() if it["name"].startswith(inputs["job_name"])]
    return sorted(found, key=lambda job: job["name"])


@contextmanager
def failing(nexus: LocalNexus, inputs: dict, part: int, item: int) -> Iterator[None]:
    """Let an item of a part fail as soon as its job is there."""
    name = f"{inputs['job_name']} (part {part} of 3)"
    nexus.set_progress(Progress(queued=3600.0), job=name)

    def operate() -> None:
        def failed() -> bool:
            for job in jobs_of(nexus, inputs):
                if job["name"] == name:
                    nexus.set_job_status(job["id"], "ERROR", "Broken laser.", item=item)
                    return True
            return False

        wait_for(failed)
        nexus.clear_progress()

    operator = threading.Thread(target=operate)
    operator.start()
    try:
        yield
    finally:
        operator.join()


def test_a_few_jobs_run_at_once_and_the_results_keep_the_order(
    connected, inputs, make_storage
):
    connected.progress = Progress.after_reads(1)
    storage = make_storage()
    graph = nexus_submit_and_poll_batched(1, max_jobs=2, polling_interval=0.05)
    assert_all_results(run(graph, inputs, storage, InProcessExecutor(storage)))
    found = jobs_of(connected, inputs)
    assert [job["name"] for job in found] == [
        f"{inputs['job_name']} (part {n} of 5)" for n in range(1, 6)
    ]
    details = [jobs.get_job_details(job["id"]) for job in found]
    for job in details:
        others = [
            other
            for other in details
            if other.created < job.created < other.times["completed"]
        ]
        assert len(others) < 2


def test_a_failed_job_costs_its_part_alone_and_is_resumed_alone(
    connected, inputs, make_storage
):
    storage = make_storage()
    graph = nexus_submit_in_parts(2, max_jobs=1, polling_interval=0.05)
    with (
        failing(connected, inputs, part=2, item=1),
        pytest.raises(WorkflowFailedError) as caught,
    ):
        run(graph, inputs, storage, InProcessExecutor(storage))
    submitted = jobs_of(connected, inputs)
    assert len(submitted) == 3
    message = str(caught.value)
    assert f"1 of the 3 parts of {inputs['job_name']!r} failed: part 2" in message
    assert "circuits 2-3" in message
    assert submitted[1]["id"] in message
    assert "circuit 3: it ended with an error (ERROR): Broken laser" in message
    assert [len(part) for part in part_results(storage)] == [2, 1]
    assert unfinished_jobs(storage) == []

    jobs.retry_job(submitted[1]["id"])
    connected.clear_requests()
    outputs = resume(storage, InProcessExecutor(storage))
    outcomes = [PartOutcome(**output) for output in outputs]
    assert [it.job_id for it in outcomes] == [job["id"] for job in submitted]
    assert len(jobs_of(connected, inputs)) == 3
    assert_all_results(
        one.backend_result.to_dict() for part in part_results(storage) for one in part
    )
    fetched = {
        it["id"]
        for it in submitted
        for request in connected.requests()
        if it["id"] in request.path
    }
    assert fetched == {submitted[1]["id"]}


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"max_programs": 0}, "max_programs"),
        ({"max_programs": 1.5}, "max_programs"),
        ({"max_cost": 0}, "max_cost"),
        ({"max_cost": "9"}, "max_cost"),
        ({"max_jobs": True}, "max_jobs"),
        ({"max_bytes": -1}, "max_bytes"),
        ({"polling_interval": 0}, "polling interval"),
    ],
)
def test_a_limit_that_allows_nothing_is_refused_when_the_graph_is_built(limits, named):
    with pytest.raises(InvalidInputError, match=named):
        nexus_submit_and_poll_batched(**limits)
