import pytest

from local_nexus import Progress


def statuses(client, job: str, times: int) -> list[str]:
    return client.run(
        """
        job = qnx.jobs.get(id=job)
        result = [qnx.jobs.status(job).status.name for _ in range(times)]
        """,
        job=job,
        times=times,
    )


def test_wait_for_over_the_websocket_ends_with_results_in_order(nexus, client, submit):
    # A job that is done at the first read needs no websocket.
    nexus.set_progress(Progress.seconds(running=0.5), job="ordered")
    job = submit("ordered", n_shots=[5, 7, 9])
    status, shots = client.run(
        """
        job = qnx.jobs.get(id=job)
        status = qnx.jobs.wait_for(job, timeout=120)
        shots = [
            sum(ref.download_result().get_counts().values())
            for ref in qnx.jobs.results(job)
        ]
        result = [status.status.name, shots]
        """,
        job=job,
    )
    assert (status, shots) == ("COMPLETED", [5, 7, 9])


def test_a_job_has_the_time_of_every_state_it_went_through(client, submit):
    job = submit("times")
    times = client.run(
        """
        job = qnx.jobs.get(id=job)
        status = qnx.jobs.wait_for(job, timeout=120)
        result = [
            status.queued_time, status.submitted_time,
            status.running_time, status.completed_time,
        ]
        """,
        job=job,
    )
    assert None not in times
    assert times == sorted(times)


def test_each_stage_lasts_as_many_reads_as_asked_for(nexus, client, submit):
    nexus.progress = Progress.after_reads(2)
    job = submit("reads")
    # The first read is that of get(id=...).
    assert statuses(client, job, 6) == [
        "QUEUED",
        "SUBMITTED",
        "SUBMITTED",
        "RUNNING",
        "RUNNING",
        "COMPLETED",
    ]


def test_stages_follow_the_clock_of_the_server(nexus, client, submit):
    nexus.progress = Progress.seconds(queued=1000, running=1000)
    job = submit("seconds")
    assert statuses(client, job, 1) == ["QUEUED"]
    nexus.advance(1500)
    assert statuses(client, job, 1) == ["RUNNING"]
    nexus.progress = Progress.after_reads(1)
    assert statuses(client, job, 4)[-1] == "COMPLETED"


def test_the_websocket_shows_every_stage(nexus, client, submit):
    nexus.progress = Progress.after_reads(1)
    job = submit("websocket")
    status = client.run(
        """
        job = qnx.jobs.get(id=job)
        result = qnx.jobs.wait_for(job, timeout=120).status.name
        """,
        job=job,
    )
    assert status == "COMPLETED"


def test_queue_positions_count_from_one(nexus, client, submit):
    nexus.progress = Progress.seconds(queued=1000)
    jobs = [submit(f"place-{number}") for number in range(3)]
    places = client.run(
        """
        result = [qnx.jobs.status(qnx.jobs.get(id=job)).queue_position for job in jobs]
        """,
        jobs=jobs,
    )
    assert places == [1, 2, 3]


@pytest.mark.parametrize("status", ["ERROR", "CANCELLED", "DEPLETED", "TERMINATED"])
def test_a_job_can_be_put_into_any_final_state(nexus, client, submit, status):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit(f"forced-{status}")
    nexus.set_job_status(job, status, message="why", error_detail="in detail")
    shown = client.run(
        """
        status = qnx.jobs.status(qnx.jobs.get(id=job))
        result = [status.status.name, status.message, status.error_detail]
        """,
        job=job,
    )
    assert shown == [status, "why", "in detail"]


def test_a_state_that_nexus_does_not_have_yet_is_shown(nexus, http, submit):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("paused")
    nexus.set_job_status(job, "PAUSED")
    shown = http.get(f"/api/jobs/v1beta3/{job}/attributes/status").json()
    assert shown["status"] == "PAUSED"


def test_an_item_in_error_makes_the_job_end_in_error(nexus, client, submit):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("one-bad", n_shots=[1, 2])
    nexus.set_job_status(job, "ERROR", error_detail="second failed", item=1)
    nexus.set_job_status(job, "COMPLETED", item=0)
    assert nexus.jobs()[-1]["items"] == ["COMPLETED", "ERROR"]
    detail = client.run(
        "result = qnx.jobs.status(qnx.jobs.get(id=job)).error_detail", job=job
    )
    assert detail == "second failed"


def test_a_cancelled_job_can_be_retried(nexus, client, submit):
    nexus.progress = Progress.seconds(queued=1000)
    job = submit("again")
    seen = client.run(
        """
        job = qnx.jobs.get(id=job)
        qnx.jobs.cancel(job)
        result = [qnx.jobs.status(job).status.name]
        qnx.jobs.retry_submission(job, [qnx.models.JobStatusEnum.CANCELLED])
        result.append(qnx.jobs.status(job).status.name)
        """,
        job=job,
    )
    assert seen == ["CANCELLED", "QUEUED"]
    nexus.progress = Progress.immediate()
    ended = client.run(
        """
        job = qnx.jobs.get(id=job)
        result = qnx.jobs.wait_for(job, timeout=120).status.name
        """,
        job=job,
    )
    assert ended == "COMPLETED"


def test_a_deleted_job_is_gone(client, submit):
    job = submit("deleted")
    kind = client.run(
        """
        qnx.jobs.delete(qnx.jobs.get(id=job))
        try:
            qnx.jobs.get(id=job)
        except Exception as error:
            result = type(error).__name__
        """,
        job=job,
    )
    assert kind == "ZeroMatches"


def test_the_log_has_the_requests_of_the_client(nexus, submit):
    job = submit("logged")
    assert [(entry.method, entry.path) for entry in nexus.requests()][-1] == (
        "POST",
        "/api/jobs/v1beta3",
    )
    assert nexus.jobs()[-1]["id"] == job
    nexus.clear_requests()
    assert nexus.requests() == []


def test_a_look_at_a_job_does_not_change_it(nexus, client, submit):
    nexus.progress = Progress.seconds(queued=1000)
    submit("only looked at")
    before, after = client.run(
        """
        def modified():
            (job,) = qnx.jobs.get_all(name_exact=["only looked at"])
            return job.annotations.modified
        result = [modified(), modified()]
        """
    )
    assert before == after
