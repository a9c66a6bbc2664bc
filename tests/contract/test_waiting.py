"""``wait_for`` with each strategy, and how it ends in each state."""

import asyncio
import functools

import pytest
import qnexus as qnx
from qnexus.client.jobs import HybridStrategy, PollingStrategy, WebsocketStrategy
from qnexus.exceptions import JobError
from qnexus.models import JobStatusEnum
from tests.contract.kinds import bell
from tests.contract.world import execute
from tests.helpers.contract import covers

from local_nexus import Progress

STRATEGIES = {
    "websocket": WebsocketStrategy,
    "polling": functools.partial(
        PollingStrategy, initial_interval=0.01, backoff_factor=1.0
    ),
    "hybrid": HybridStrategy,
}
# How a wait for the end of a job ends in each final state.
ENDS = {
    "ERROR": "Job errored with detail: by hand",
    "CANCELLED": "Job was cancelled",
    "DEPLETED": "run out of account credits",
    "TERMINATED": "has been terminated",
}


@pytest.fixture(scope="module")
def circuit(project):
    return qnx.circuits.upload(bell(), project=project)


@covers("jobs.wait_for", "job", "strategy", "timeout")
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "progress",
    [Progress.immediate(), Progress.after_reads(1)],
    ids=["at once", "reads"],
)
def test_a_job_is_awaited_to_its_end(nexus, circuit, project, strategy, progress):
    nexus.progress = progress
    job = execute(circuit, project)
    status = qnx.jobs.wait_for(job, strategy=STRATEGIES[strategy](), timeout=250)
    assert status.status is JobStatusEnum.COMPLETED
    times = [
        status.queued_time,
        status.submitted_time,
        status.running_time,
        status.completed_time,
    ]
    assert times == sorted(times)


@covers("jobs.wait_for", "job", "wait_for_status")
@pytest.mark.parametrize("status", ENDS)
def test_any_final_state_can_be_waited_for(frozen, circuit, project, status):
    job = execute(circuit, project)
    frozen.set_job_status(job.id, status)
    wanted = JobStatusEnum[status]
    assert qnx.jobs.wait_for(job, wait_for_status=wanted).status is wanted


@covers("WebsocketStrategy.get_status", "job")
@covers("PollingStrategy.get_status", "job")
@covers("HybridStrategy.get_status", "job")
def test_a_state_on_the_way_can_be_waited_for(frozen, circuit, project):
    for make in STRATEGIES.values():
        job = execute(circuit, project)
        frozen.set_job_status(job.id, "RUNNING")
        strategy = make(wait_for_status=JobStatusEnum.RUNNING)
        status = asyncio.run(strategy.get_status(job))
        assert status.status is JobStatusEnum.RUNNING


@covers("jobs.wait_for", "job", "strategy", raises="JobError")
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("status", ENDS)
def test_a_job_that_ends_otherwise_raises(frozen, circuit, project, status, strategy):
    job = execute(circuit, project)
    frozen.set_job_status(job.id, status, error_detail="by hand")
    with pytest.raises(JobError, match=ENDS[status]):
        qnx.jobs.wait_for(job, strategy=STRATEGIES[strategy]())


@covers("jobs.wait_for", "timeout", raises="TimeoutError")
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_wait_ends_with_its_time_limit(frozen, circuit, project, strategy):
    job = execute(circuit, project)
    with pytest.raises(asyncio.TimeoutError):
        qnx.jobs.wait_for(job, strategy=STRATEGIES[strategy](), timeout=0.05)
    assert qnx.jobs.status(job).status is JobStatusEnum.QUEUED


@covers("jobs.wait_for", "job", raises="TimeoutError")
def test_the_environment_limits_a_wait(frozen, circuit, project, monkeypatch):
    monkeypatch.setenv("QNEXUS_DEFAULT_JOB_TIMEOUT_SECONDS", "0.05")
    with pytest.raises(asyncio.TimeoutError):
        qnx.jobs.wait_for(execute(circuit, project))


@covers("jobs.wait_for", "strategy")
def test_the_hybrid_strategy_falls_back_to_polling(nexus, circuit, project):
    nexus.progress = Progress.after_reads(5)
    job = execute(circuit, project)
    strategy = HybridStrategy(
        initial_interval=0.01, backoff_factor=1.0, websocket_timeout=0.01
    )
    nexus.clear_requests()
    status = qnx.jobs.wait_for(job, strategy=strategy, timeout=250)
    assert status.status is JobStatusEnum.COMPLETED
    assert nexus.requests()[-1].path.endswith("/attributes/status")


@covers("jobs.wait_for", "strategy")
def test_the_token_is_renewed_while_a_websocket_waits(nexus, circuit, project):
    """The websocket is refused without a good token; the client then gets one."""
    nexus.progress = Progress.after_reads(3)
    job = execute(circuit, project)
    nexus.clear_requests()
    qnx.client.get_nexus_client().auth.cookies.set(
        "myqos_id", "expired", domain="127.0.0.1"
    )
    strategy = WebsocketStrategy()
    assert qnx.jobs.wait_for(job, strategy=strategy, timeout=250).status.name
    paths = [request.path for request in nexus.requests()]
    assert "/auth/tokens/refresh" in paths
