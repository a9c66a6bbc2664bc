import pytest

from local_nexus import Fault, Progress
from tkr_nexus_worker.errors import InvalidInputError, NexusRefusedError
from tkr_nexus_worker.jobs.submit import (
    cancel_job,
    delete_job,
    find_job,
    get_job_status,
    retry_job,
)


def test_a_waiting_job_is_cancelled_by_its_name(waiting_job):
    assert cancel_job(waiting_job.annotations.name).state == "CANCELLED"
    assert get_job_status(waiting_job).state == "CANCELLED"


def test_a_job_that_has_ended_is_not_cancelled(connected, submit):
    job = submit()
    connected.set_job_status(job.id, "ERROR")
    connected.clear_requests()
    assert cancel_job(job).state == "ERROR"
    assert connected.requests(method="POST") == []


def test_a_job_that_ends_just_before_it_is_cancelled_is_no_error(
    connected, waiting_job
):
    refusal = Fault(
        "answer", status=409, body={"message": "It has ended."}, path="*/rpc/cancel"
    )
    with connected.fault(refusal):
        assert cancel_job(waiting_job).state == "QUEUED"


def test_a_failed_job_runs_again_where_it_failed(connected, submit):
    job = submit(circuits=2)
    connected.set_job_status(job.id, "COMPLETED", item=0)
    connected.set_job_status(job.id, "DEPLETED", item=1)
    connected.progress = Progress.seconds(running=1e6)
    assert retry_job(str(job.id)).phase == "waiting"
    states = connected.jobs(latest=1)[0]["items"]
    assert states[0] == "COMPLETED"
    assert states[1] != "DEPLETED"


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "CANCELLING", "PAUSED"])
def test_a_job_that_could_still_run_is_neither_retried_nor_deleted(
    connected, waiting_job, state
):
    connected.set_job_status(waiting_job.id, state)
    connected.clear_requests()
    for change in (retry_job, delete_job):
        with pytest.raises(InvalidInputError, match="could still run"):
            change(waiting_job)
    assert {it.method for it in connected.requests()} == {"GET"}


def test_one_program_that_could_still_run_keeps_a_failed_job_from_a_retry(
    connected, waiting_job
):
    connected.set_job_status(waiting_job.id, "ERROR", item=0)
    with pytest.raises(InvalidInputError, match="1 of its 2 programs could still run"):
        retry_job(waiting_job)


def test_by_force_only_what_ended_badly_runs_again(connected, waiting_job):
    connected.set_job_status(waiting_job.id, "ERROR", item=0)
    connected.set_job_status(waiting_job.id, "RUNNING", item=1)
    retry_job(waiting_job, force=True)
    assert connected.jobs(latest=1)[0]["items"][0] != "ERROR"
    assert connected.jobs(latest=1)[0]["items"][1] == "RUNNING"


@pytest.mark.parametrize("force", [False, True])
def test_a_completed_job_is_not_retried(connected, submit, force):
    job = submit()
    connected.set_job_status(job.id, "COMPLETED")
    with pytest.raises(InvalidInputError, match=r"ended badly.*submit it again"):
        retry_job(job, force=force)


def test_a_retry_whose_answer_is_lost_is_not_sent_twice(
    connected, submit, quick_retries
):
    job = submit()
    connected.set_job_status(job.id, "ERROR")
    connected.clear_requests()
    with (
        connected.fault(Fault("drop", path="*/rpc/retry", when="after")),
        pytest.raises(Exception, match="may have been carried out"),
    ):
        retry_job(job)
    assert len(connected.requests(path="*/rpc/retry")) == 1


def test_a_deleted_job_is_gone(connected, submit):
    job = submit()
    connected.set_job_status(job.id, "COMPLETED")
    assert delete_job(job.annotations.name) == str(job.id)
    with pytest.raises(NexusRefusedError, match="There is no job"):
        find_job(str(job.id))


def test_a_waiting_job_is_deleted_by_force(waiting_job):
    delete_job(waiting_job, force=True)
    with pytest.raises(NexusRefusedError, match="There is no job"):
        find_job(str(waiting_job.id))


def test_a_deletion_whose_answer_is_lost_is_done(connected, submit, quick_retries):
    job = submit()
    connected.set_job_status(job.id, "COMPLETED")
    with connected.fault(Fault("drop", method="DELETE", when="after", times=1)):
        assert delete_job(job) == str(job.id)


def test_a_job_that_is_there_and_may_not_be_deleted_is_not_taken_for_deleted(
    connected, submit
):
    job = submit()
    connected.set_job_status(job.id, "COMPLETED")
    hidden = {"message": "There is no such job."}
    with (
        connected.fault(Fault("answer", method="DELETE", status=404, body=hidden)),
        pytest.raises(NexusRefusedError, match="no such job"),
    ):
        delete_job(job)
