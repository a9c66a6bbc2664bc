"""Several jobs are waited for together, with few requests."""

import pytest
from tests.helpers.photonic_workflows import QPU, identity

from local_artemis import Progress
from tkr_lightworks_worker import jobs, results
from tkr_lightworks_worker.errors import JobFailedError
from tkr_lightworks_worker.jobs import wait
from tkr_lightworks_worker.jobs.models import Job
from tkr_runtime.jobs import waits
from tkr_runtime.tasks.context import TaskContext


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


SPECS = [identity(2, 1, n_samples=1) for _ in range(6)]


@pytest.fixture
def waiting(artemis):
    artemis.progress = Progress.seconds(queued=1e6)
    found = jobs.submit_jobs(QPU, "several", SPECS)
    artemis.clear_requests()
    return found


@pytest.mark.parametrize(("listing", "n_requests"), [("names", 2), ("ids", 7)])
def test_jobs_that_wait_are_read_from_one_list(artemis, waiting, listing, n_requests):
    artemis.set_listing(listing)
    found = wait.wait_for_change(waiting, 0.1)
    assert [job.job_id for job in found] == [job.job_id for job in waiting]
    assert {job.state.name for job in found} <= {"Accepted", "Scheduled"}
    assert len(artemis.requests()) <= n_requests


def test_a_change_of_one_job_ends_the_wait(artemis, waiting):
    known = wait.summarize(wait.wait_for_change(waiting, 0.1))
    artemis.set_job_status(waiting[4].job_id, "Running")
    found = wait.wait_for_change(waiting, 0.1, known)
    assert found[4].state.name == "Running"
    assert "1 Running" in wait.summarize(found)


def test_many_changes_are_few_passes(artemis, waiting, monkeypatch, tmp_path):
    clock = Clock()
    monkeypatch.setattr(waits, "time", clock)
    # Every five seconds of waiting, a job starts.
    monkeypatch.setattr(
        wait,
        "_look_at_all",
        lambda jobs: [
            Job(
                job_id=job.job_id,
                state="Scheduled",
                queue_position=max(1, 900 - int(clock.now / 5)),
            )
            for job in jobs
        ],
    )
    known, passes = "", 0
    while clock.now < 3 * 3600:
        location = f"-.N3.L0.N1.L{passes}.N0"
        task = TaskContext("workflow", location, None, tmp_path)
        monkeypatch.setattr(waits.context, "current", lambda task=task: task)
        known = wait.summarize(wait.wait_for_change(waiting, 5.0, known))
        passes += 1
    assert passes < 60


def test_failed_jobs_are_named_once_all_have_ended(artemis, waiting):
    for job in waiting:
        artemis.set_job_status(job.job_id, "Completed")
    artemis.set_job_status(waiting[1].job_id, "Failed", "The laser is off")
    artemis.set_job_status(waiting[2].job_id, "Cancelled")
    found = wait.wait_for_change(waiting, 0.1)
    with pytest.raises(JobFailedError, match="The laser is off") as raised:
        wait.raise_if_failed(found)
    message = str(raised.value)
    assert waiting[2].name in message
    assert str(waiting[0].job_id) in message


@pytest.mark.parametrize("listing", ["names", "ids"])
def test_results_of_all_kinds_stand_in_the_order_of_the_jobs(
    artemis, listing, monkeypatch
):
    monkeypatch.setattr(results, "_PAUSE", 0.01)
    found = jobs.submit_jobs(QPU, "results", SPECS)
    for job in found:
        jobs.wait_until_complete(job, poll_interval=0.05)
    artemis.set_job_status(found[1].job_id, "TimedOut")
    artemis.set_job_status(found[2].job_id, "Failed")
    artemis.expire_results(found[2].job_id)
    artemis.set_listing(listing)
    got = results.get_results(found, allow_failed=True)
    assert [it.job_id for it in got] == [job.job_id for job in found]
    states = ["Completed", "TimedOut", "Failed", *["Completed"] * 3]
    assert [it.state for it in got] == states
    assert [it.is_partial for it in got] == [state == "TimedOut" for state in states]
