"""Circuits that failed for a passing reason are submitted again, and those alone.

A thread plays the operator of Nexus: it decides how each job ends. The workflows run in
this process, where a poll takes milliseconds.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.controller.executor.in_memory_executor import InMemoryExecutor
from tierkreis.storage import InMemoryStorage

from local_nexus import LocalNexus, Progress
from tkr_nexus_worker import (
    REGISTRY_PATH,
    InvalidInputError,
    JobFailedError,
    run,
    tasks,
)
from tkr_nexus_worker.graphs import nexus_submit_and_poll_retrying

PASSING = ("ERROR", "Internal server error.")
HOPELESS = ("ERROR", "Invalid gate in the circuit.")
CANCELLED = ("CANCELLED", "Cancelled by the user.")
QUEUED_SECONDS = 60


def one(qubit: int) -> Circuit:
    return Circuit(3, name=f"one-{qubit}").X(qubit).measure_all()


def jobs_named(nexus: LocalNexus, name: str) -> list[dict]:
    """The jobs of all attempts, the oldest first."""
    jobs = [job for job in nexus.jobs() if job["name"].startswith(name)]
    return sorted(jobs, key=lambda job: (len(job["name"]), job["name"]))


def wait_until[T](look: Callable[[], T]) -> T:
    """Return the first thing seen that is true, within a minute."""
    for _ in range(3000):
        if seen := look():
            return seen
        time.sleep(0.02)
    raise TimeoutError


@contextmanager
def jobs_that_end(
    nexus: LocalNexus, name: str, *plans: dict[int, tuple[str, str]]
) -> Iterator[None]:
    """Let the items of each job end as planned; those not in its plan complete."""
    nexus.progress = Progress.seconds(queued=QUEUED_SECONDS)
    stopped = threading.Event()

    def operate() -> None:
        n_seen = 0
        while not stopped.wait(0.02):
            for job in jobs_named(nexus, name)[n_seen:]:
                for item, (state, message) in dict(enumerate(plans))[n_seen].items():
                    nexus.set_job_status(job["id"], state, message, item=item)
                nexus.advance(QUEUED_SECONDS + 1)
                n_seen += 1

    operator = threading.Thread(target=operate)
    operator.start()
    try:
        yield
    finally:
        stopped.set()
        operator.join()


@pytest.fixture
def name() -> str:
    return f"retried {uuid4()}"


@pytest.fixture
def run_retrying(connected, name, monkeypatch):
    """Run the graph with three circuits, the n-th of which measures a one in bit n."""

    def run_graph(max_attempts: int) -> list[BackendResult]:
        storage = InMemoryStorage(uuid4())
        outputs = run(
            nexus_submit_and_poll_retrying(max_attempts, polling_interval=0.01),
            {
                "project_name": "tests of retries",
                "job_name": name,
                "circuits": [one(0), one(1), one(2)],
                "n_shots": [5, 6, 7],
                "backend_config": QuantinuumConfig(device_name="H2-1LE"),
            },
            storage,
            InMemoryExecutor(REGISTRY_PATH, storage),
            polling_interval_seconds=0.01,
        )
        return [BackendResult.from_dict(output) for output in outputs]

    return run_graph


def assert_all_results(results: list[BackendResult]) -> None:
    counts = [result.get_counts() for result in results]
    assert counts == [{(1, 0, 0): 5}, {(0, 1, 0): 6}, {(0, 0, 1): 7}]


def test_a_job_without_failures_is_submitted_once(connected, name, run_retrying):
    assert_all_results(run_retrying(3))
    assert [job["name"] for job in jobs_named(connected, name)] == [name]


def test_only_the_failed_circuits_are_submitted_again_and_not_uploaded_again(
    connected, name, run_retrying
):
    with jobs_that_end(connected, name, {0: PASSING, 2: PASSING}, {1: PASSING}, {}):
        assert_all_results(run_retrying(3))
    jobs = jobs_named(connected, name)
    assert [len(job["items"]) for job in jobs] == [3, 2, 1]
    assert [job["name"] for job in jobs[1:]] == [
        f"{name} (attempt 2)",
        f"{name} (attempt 3)",
    ]
    uploads = [
        request
        for request in connected.requests()
        if request.method == "POST" and request.path.startswith("/api/circuits")
    ]
    assert len(uploads) == 3


def test_when_the_attempts_are_used_up_the_error_names_each_failed_circuit(
    connected, name, run_retrying
):
    with (
        jobs_that_end(connected, name, {0: PASSING, 2: PASSING}, {1: PASSING}),
        pytest.raises(JobFailedError) as caught,
    ):
        run_retrying(2)
    assert len(jobs_named(connected, name)) == 2
    assert "1 of the 3 circuits" in str(caught.value)
    assert "circuit 2: " in str(caught.value)
    assert "Internal server error" in str(caught.value)
    for job in jobs_named(connected, name):
        assert job["id"] in str(caught.value)


@pytest.mark.parametrize("failure", [HOPELESS, CANCELLED, ("DEPLETED", "No credits.")])
def test_a_circuit_that_would_fail_again_is_not_submitted_again(
    failure, connected, name, run_retrying
):
    with (
        jobs_that_end(connected, name, {1: failure}),
        pytest.raises(JobFailedError, match=f"circuit 1: .*{failure[1][:-1]}"),
    ):
        run_retrying(5)
    assert len(jobs_named(connected, name)) == 1


def test_circuits_that_fail_for_good_do_not_keep_the_others_from_their_retry(
    connected, name, run_retrying
):
    with (
        jobs_that_end(connected, name, {0: HOPELESS, 1: PASSING}, {}),
        pytest.raises(JobFailedError, match=r"1 of the 3 circuits.*circuit 0: "),
    ):
        run_retrying(5)
    assert [len(job["items"]) for job in jobs_named(connected, name)] == [3, 1]


def test_nothing_is_submitted_again_while_a_circuit_could_still_run(
    connected, name, run_retrying
):
    connected.progress = Progress.seconds(queued=QUEUED_SECONDS)
    n_jobs_seen = []

    def operate() -> None:
        [job] = wait_until(lambda: jobs_named(connected, name))
        connected.set_job_status(job["id"], *PASSING, item=0)
        connected.clear_requests()
        status = f"/api/jobs/v1beta3/{job['id']}/attributes/status"
        wait_until(
            lambda: [r.path for r in connected.requests()].count(status) >= 5,
        )
        n_jobs_seen.append(len(jobs_named(connected, name)))
        connected.progress = Progress.immediate()

    operator = threading.Thread(target=operate)
    operator.start()
    assert_all_results(run_retrying(2))
    operator.join()
    assert n_jobs_seen == [1]
    assert len(jobs_named(connected, name)) == 2


@pytest.mark.parametrize("attempts", [0, -1, 1.5, True, None, "3"])
def test_a_number_of_attempts_that_is_none_is_refused_when_the_graph_is_built(attempts):
    with pytest.raises(InvalidInputError, match="number of attempts"):
        nexus_submit_and_poll_retrying(attempts)


def test_a_bad_interval_is_refused_when_the_graph_is_built():
    with pytest.raises(InvalidInputError, match="polling interval"):
        nexus_submit_and_poll_retrying(2, polling_interval=0)


def test_an_attempt_that_is_started_again_takes_its_job_however_that_ended(
    node, connected, name, monkeypatch
):
    monkeypatch.setenv("TKR_NEXUS_SETTLE_TIME", "0.01")
    config = QuantinuumConfig(device_name="H2-1LE")
    project = "tests of retries"
    programs = [tasks.upload_circuit(project, one(0))]
    inputs = (project, name, programs, [5], config, [], 1)
    first = tasks.start_attempt(*inputs)
    connected.set_job_status(first.id, *PASSING)
    assert tasks.start_attempt(*inputs).id == first.id
    assert len(jobs_named(connected, name)) == 1
