import gc
import logging
import os
import signal
import threading
import time
from asyncio.sslproto import SSLProtocol

import pytest

from local_nexus import Fault, Progress
from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    WaitTimeoutError,
)
from tkr_nexus_worker.jobs import (
    check_job_complete,
    is_unfinished,
    wait_until_complete,
)
from tkr_nexus_worker.jobs.models import WaitProgress
from tkr_runtime.jobs.waits import QueueSpeed

STATUS_PATH = "/api/jobs/v1beta3/*/attributes/status"


@pytest.fixture
def seen() -> list[WaitProgress]:
    return []


def end_when_seen(nexus, job, seen, state="COMPLETED") -> threading.Thread:
    """End a job as soon as somebody has seen that it waits."""

    def end() -> None:
        while not seen:
            time.sleep(0.01)
        time.sleep(0.2)
        nexus.set_job_status(job.id, state, "as it was told")

    thread = threading.Thread(target=end)
    thread.start()
    return thread


def test_a_job_that_has_ended_is_not_waited_for(connected, submit):
    job = submit()
    connected.set_job_status(job.id, "COMPLETED")
    connected.clear_requests()
    assert wait_until_complete(job).state == "COMPLETED"
    assert len(connected.requests()) == 1


def test_the_end_is_told_by_a_websocket_without_polls(connected, waiting_job, seen):
    connected.clear_requests()
    ender = end_when_seen(connected, waiting_job, seen)
    status = wait_until_complete(
        waiting_job.annotations.name, poll_interval=60.0, on_progress=seen.append
    )
    ender.join()
    assert (status.state, status.message) == ("COMPLETED", "as it was told")
    assert seen[0].status.state == "QUEUED"
    assert len(connected.requests(method="WEBSOCKET")) == 1
    assert len(connected.requests(path=STATUS_PATH)) == 2


@pytest.mark.parametrize("use_websocket", [True, False])
def test_without_a_websocket_the_status_is_polled(
    connected, waiting_job, seen, use_websocket
):
    connected.clear_requests()
    with connected.fault(Fault("answer", status=503, method="WEBSOCKET")):
        ender = end_when_seen(connected, waiting_job, seen)
        status = wait_until_complete(
            waiting_job,
            poll_interval=0.1,
            use_websocket=use_websocket,
            on_progress=seen.append,
        )
    ender.join()
    assert status.state == "COMPLETED"
    assert len(connected.requests(method="WEBSOCKET")) == use_websocket
    assert len(connected.requests(path=STATUS_PATH)) >= 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault("close", method="WEBSOCKET", when="after"),
        Fault("close", code=1011, method="WEBSOCKET", when="after"),
        Fault("drop", method="WEBSOCKET", when="after"),
        Fault("answer", status=401, method="WEBSOCKET"),
    ],
)
def test_a_websocket_that_ends_early_is_no_end_of_the_job(
    connected, waiting_job, seen, fault
):
    with connected.fault(fault):
        ender = end_when_seen(connected, waiting_job, seen)
        status = wait_until_complete(
            waiting_job, poll_interval=0.1, on_progress=seen.append
        )
    ender.join()
    assert status.state == "COMPLETED"


def test_a_silent_websocket_is_not_trusted(connected, waiting_job, seen):
    connected.clear_requests()

    def end(_progress: WaitProgress) -> None:
        if len(connected.requests(path=STATUS_PATH)) >= 3:
            connected.set_job_status(waiting_job.id, "COMPLETED")

    wait_until_complete(waiting_job, timeout=60.0, poll_interval=0.1, on_progress=end)


def test_no_socket_is_left_where_time_runs_out_as_tls_begins(
    connected, waiting_job, monkeypatch
):
    begin = SSLProtocol.connection_made

    def begin_slowly(*args) -> None:
        begin(*args)
        time.sleep(0.3)  # the answer and the end of the time then come at once
        os.kill(connected.pid, signal.SIGSTOP)  # and TLS is not ended by the server
        threading.Timer(0.5, os.kill, (connected.pid, signal.SIGCONT)).start()

    monkeypatch.setattr(SSLProtocol, "connection_made", begin_slowly)
    with pytest.raises(WaitTimeoutError):
        wait_until_complete(waiting_job, timeout=0.2)
    gc.collect()  # an open socket is a warning here, and thus an error


def test_a_job_that_does_not_end_in_time_is_named_and_goes_on(connected, waiting_job):
    with pytest.raises(WaitTimeoutError, match=r"0\.2 seconds.*QUEUED.*on") as error:
        wait_until_complete(waiting_job, timeout=0.2)
    assert str(waiting_job.id) in str(error.value)
    assert not check_job_complete(waiting_job)


def test_a_job_that_ends_badly_is_an_error_with_its_reason(connected, submit):
    job = submit()
    connected.set_job_status(job.id, "ERROR", "the reason")
    with pytest.raises(JobFailedError, match="the reason"):
        wait_until_complete(job)
    with pytest.raises(JobFailedError, match="the reason"):
        check_job_complete(job)
    assert wait_until_complete(job, allow_failed=True).state == "ERROR"


def test_a_state_that_is_not_known_is_waited_for(connected, waiting_job):
    connected.set_job_status(waiting_job.id, "PAUSED")
    with pytest.raises(WaitTimeoutError, match="PAUSED"):
        wait_until_complete(waiting_job, timeout=0.2, use_websocket=False)


def test_an_outage_is_waited_for(connected, waiting_job, seen, quick_retries):
    connected.set_job_status(waiting_job.id, "COMPLETED")
    with connected.fault(Fault("answer", status=503, path=STATUS_PATH, times=2)):
        assert wait_until_complete(waiting_job).state == "COMPLETED"


@pytest.mark.parametrize("name", ["timeout", "poll_interval"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_times_are_above_zero(connected, name, seconds):
    with pytest.raises(InvalidInputError, match=f"The {name} is"):
        wait_until_complete("any job", **{name: seconds})
    assert connected.requests() == []


def test_the_end_of_the_queue_is_estimated_from_its_pace(connected, submit, seen):
    connected.progress = Progress.after_reads(8, queue=4)
    job = submit()
    wait_until_complete(
        job, poll_interval=0.05, use_websocket=False, on_progress=seen.append
    )
    queued = [it for it in seen if it.status.state == "QUEUED"]
    assert queued[0].starts_in_seconds is None
    assert queued[-1].starts_in_seconds is not None
    assert queued[-1].waited_seconds > queued[0].waited_seconds
    assert seen[-1].starts_in_seconds is None


def test_no_token_is_logged_by_a_websocket(connected, waiting_job, caplog):
    caplog.set_level(logging.DEBUG)

    def end(_progress: WaitProgress) -> None:
        if connected.requests(method="WEBSOCKET"):
            connected.set_job_status(waiting_job.id, "COMPLETED")

    wait_until_complete(waiting_job, timeout=60.0, poll_interval=0.1, on_progress=end)
    assert "status/ws" not in caplog.text
    assert "myqos_id" not in caplog.text


def places(*seen: tuple[float, int | None]) -> QueueSpeed:
    pace = QueueSpeed()
    for moment, position in seen:
        pace.add(position, moment)
    return pace


def test_ten_places_a_minute_are_six_seconds_a_place():
    pace = places((0.0, 30), (60.0, 20))
    assert pace.seconds_to_start(60.0) == pytest.approx(120.0)
    assert pace.seconds_to_start(90.0) == pytest.approx(90.0)
    assert pace.seconds_to_start(1000.0) == 0.0


@pytest.mark.parametrize(
    "seen",
    [
        [],
        [(0.0, 5)],
        [(0.0, 5), (60.0, 5)],
        [(0.0, None)],
        [(0.0, 5), (1.0, 4), (2.0, None)],
        [(0.0, 5), (1.0, 4), (2.0, 9)],
    ],
)
def test_where_nothing_is_known_of_the_pace_nothing_is_said(seen):
    assert places(*seen).seconds_to_start(100.0) is None


def test_a_status_is_logged_only_when_it_has_changed(connected, waiting_job, caplog):
    caplog.set_level(logging.INFO)
    for _ in range(3):
        is_unfinished(waiting_job)
    connected.set_job_status(waiting_job.id, "RUNNING")
    is_unfinished(waiting_job)
    told = [line for line in caplog.messages if line.startswith("nexus: job")]
    assert [line.rsplit(": ", 1)[1].split(",")[0] for line in told] == [
        "QUEUED",
        "RUNNING",
    ]
