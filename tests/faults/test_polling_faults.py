"""Faults while a job waits: outages, an expired login, unknown states, killed tasks."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from pytket.backends.backendresult import BackendResult
from tests.conftest import in_every_way
from tests.faults.conftest import COUNTS, Run
from tests.helpers.preloaded import kill, preloaded_processes
from tests.helpers.waiting import wait_until

from local_nexus import Fault, Progress
from tkr_nexus_worker import resume, uv_executor

STATUS = {"method": "GET", "path": "/api/jobs/*/attributes/status"}
LIMIT = 100

type Start = Callable[..., Future[Run]]


@in_every_way
def test_an_outage_beyond_the_time_for_retries_is_waited_for(faulty_nexus, run_graph):
    faulty_nexus.add_fault(Fault("answer", status=503, times=8, **STATUS))
    run = run_graph(TKR_NEXUS_RETRY_TIME="0.1")
    run.assert_done_once()
    assert run.fired == 8
    assert "trying again" in run.log()


def test_an_outage_that_lasts_too_long_names_the_job_and_resume_fetches_its_results(
    faulty_nexus, run_graph
):
    faulty_nexus.add_fault(Fault("answer", status=503, **STATUS))
    run = run_graph(TKR_NEXUS_OUTAGE_TIME="0.5")
    [job] = run.jobs
    assert job["id"] in run.error
    assert f"tkr-nexus resume {run.storage.workflow_id}" in run.error
    run.assert_nothing_is_left()
    outputs = resume(run.storage, uv_executor(run.storage))
    assert [BackendResult.from_dict(it).get_counts() for it in outputs] == COUNTS
    assert [it["id"] for it in faulty_nexus.jobs() if it["name"] == job["name"]] == [
        job["id"]
    ]


@pytest.fixture
def start_waiting(faulty_nexus, run_graph) -> Iterator[Start]:
    """Run the graph beside the test until its job waits in the queue."""

    def start() -> Future[Run]:
        before = len(faulty_nexus.jobs())
        faulty_nexus.clear_requests()
        faulty_nexus.set_progress(Progress(queued=3600.0))
        running = pool.submit(run_graph)
        assert wait_until(lambda: len(faulty_nexus.jobs()) > before)
        assert wait_until(lambda: n_requests(faulty_nexus, "/attributes/status") > 1)
        return running

    with ThreadPoolExecutor(1) as pool:
        yield start
        faulty_nexus.clear_faults()
        faulty_nexus.clear_progress()


def n_requests(nexus, end_of_path: str) -> int:
    return sum(request.path.endswith(end_of_path) for request in nexus.requests())


@in_every_way
def test_a_login_that_expires_parks_the_workflow_until_there_is_a_new_one(
    faulty_nexus, start_waiting, connect_qnexus
):
    running = start_waiting()
    for token in ("refresh", "access"):
        faulty_nexus.add_fault(Fault("expire", token=token, times=1, **STATUS))
    assert wait_until(lambda: n_requests(faulty_nexus, "/auth/tokens/refresh"))
    faulty_nexus.log_in()
    connect_qnexus(faulty_nexus.env)
    faulty_nexus.clear_progress()
    run = running.result(LIMIT)
    run.assert_done_once()
    assert "until you run `qnx login`" in run.log()
    assert "logged in again; going on" in run.log()


def test_a_state_of_the_future_is_waited_in_with_a_warning(faulty_nexus, start_waiting):
    running = start_waiting()
    job = faulty_nexus.jobs(1)[-1]
    faulty_nexus.set_job_status(job["id"], "PAUSED")
    looks = n_requests(faulty_nexus, "/attributes/status")
    assert wait_until(
        lambda: n_requests(faulty_nexus, "/attributes/status") > looks + 2
    )
    assert not running.done()
    faulty_nexus.set_job_status(job["id"], "ERROR", "the reason of Nexus")
    run = running.result(LIMIT)
    assert "the reason of Nexus" in run.error
    assert "PAUSED" in run.log()
    assert len(run.jobs) == 1
    run.assert_nothing_is_left()


def test_a_wait_outlives_the_preloaded_process(
    faulty_nexus, start_waiting, warm_worker
):
    running = start_waiting()
    kill(preloaded_processes(warm_worker))
    looks = n_requests(faulty_nexus, "/attributes/status")
    assert wait_until(lambda: n_requests(faulty_nexus, "/attributes/status") > looks)
    faulty_nexus.clear_progress()
    running.result(LIMIT).assert_done_once()
