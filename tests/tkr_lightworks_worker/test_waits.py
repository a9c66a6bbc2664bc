"""Several jobs are waited for together, with few requests."""

import pytest
from tests.helpers.photonic_workflows import QPU, identity

from local_artemis import Progress
from tkr_lightworks_worker import jobs, results
from tkr_lightworks_worker.errors import JobFailedError
from tkr_lightworks_worker.jobs import wait

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
