"""Wait for jobs, for days if necessary, and report their progress."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from tkr_lightworks_worker.artemis.client import call
from tkr_lightworks_worker.artemis.states import WAITING_STATES, Phase
from tkr_lightworks_worker.errors import (
    JobFailedError,
    LightworksWorkerError,
    WaitTimeoutError,
)
from tkr_lightworks_worker.jobs.duplicates import settle_duplicates
from tkr_lightworks_worker.jobs.find import resolve_job
from tkr_lightworks_worker.jobs.listing import read_items
from tkr_lightworks_worker.jobs.models import Job, JobRef, JobStatus, WaitProgress
from tkr_lightworks_worker.jobs.status import (
    await_status,
    check_server,
    describe,
    failure_message,
    read_details,
)
from tkr_runtime.jobs import waits
from tkr_runtime.tasks import concurrency

A_WEEK = waits.A_WEEK
"""The default time to wait for a job, in seconds."""

_READS_AT_ONCE = 8


def is_running(job: JobRef | int | str) -> bool:
    """Return whether a job still waits or runs.

    A job may wait for days: during an outage of Artemis, and after the token has
    expired, this waits as well.

    :param job: The job, or its id, or its name.
    :returns: False once the job has completed or timed out, True before.
    :raises JobFailedError: If the job failed or was cancelled.
    :raises ArtemisUnavailableError: If the outage lasts longer than the limit.
    :raises LightworksWorkerError: If Artemis refuses.
    """
    ref = resolve_job(job)
    status = _look(ref)
    raise_if_failed([status])
    return status.phase is Phase.WAITING


def check_job_complete(job: JobRef | int | str) -> bool:
    """Return whether a job has completed or timed out, so that it may have results.

    :param job: The job, or its id, or its name.
    :returns: True once it has, False while it waits or runs.
    :raises JobFailedError: If the job failed or was cancelled.
    :raises LightworksWorkerError: If there is no such job, or Artemis does not answer.
    """
    return not is_running(job)


def raise_if_failed(jobs: Sequence[Job]) -> None:
    """Raise an error if jobs failed.

    :param jobs: The jobs as they are now.
    :raises JobFailedError: If one of them failed or was cancelled; it names each.
    """
    failed = [job for job in jobs if job.phase is Phase.FAILED]
    if not failed:
        return
    message = " ".join(map(failure_message, failed))
    if len(failed) < len(jobs):
        others = ", ".join(str(job.job_id) for job in jobs if job not in failed)
        message += (
            f" The other jobs ({others}) are not affected: get_results with "
            "allow_failed fetches their results."
        )
    raise JobFailedError(message)


def wait_for_change(
    jobs: Sequence[JobRef], polling_interval: float, known: str = ""
) -> list[Job]:
    """Wait until all jobs have ended or their status has changed, an hour at most.

    Each pass of a loop of Tierkreis costs files, a process and time of the controller;
    with this, a loop takes one pass for each change instead of one for each request.
    It waits during outages, and for a new token.

    :param jobs: The jobs.
    :param polling_interval: The longest time between two looks, in seconds; the first
        follow each other more quickly.
    :param known: The status that the caller knows, as :func:`summarize` gives it; empty
        if none, so that the first answer is a change.
    :returns: The jobs as they are then.
    :raises InvalidInputError: If the interval is not above 0.
    :raises ArtemisUnavailableError: If an outage lasts longer than the limit.
    :raises LightworksWorkerError: If Artemis refuses.
    """
    ended: dict[int, Job] = {}

    def look() -> list[Job]:
        alive = [job for job in jobs if job.job_id not in ended]
        for found in _look_at_all(alive):
            latest[found.job_id] = found
            if found.is_final:
                ended[found.job_id] = found
        return [latest[job.job_id] for job in jobs]

    latest: dict[int, Job] = {}

    def is_end(found: list[Job]) -> bool:
        if all(job.is_final for job in found):
            return True
        if waits.positions_count():
            return summarize(found) != known
        return summarize(found).partition(",")[0] != known.partition(",")[0]

    return waits.wait_for_change(look, is_end, polling_interval)


def summarize(jobs: Sequence[JobStatus]) -> str:
    """Return the states of jobs, and the first place in the queue.

    :param jobs: The jobs.
    :returns: For one job as :attr:`JobStatus.summary`; for several, for example
        ``3 Completed; 1 Running; 12 Scheduled, queue position 2``.
    """
    if len(jobs) == 1:
        return jobs[0].summary
    counts = Counter(job.state.name for job in jobs)
    text = "; ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    places = [
        job.queue_position
        for job in jobs
        if job.queue_position is not None and not job.is_final
    ]
    return f"{text}, queue position {min(places)}" if places else text


def wait_until_complete(
    job: JobRef | int | str,
    *,
    timeout: float = A_WEEK,
    poll_interval: float = 30.0,
    allow_failed: bool = False,
    on_progress: Callable[[WaitProgress], None] = lambda _progress: None,
) -> JobStatus:
    """Wait until a job has ended.

    It waits during outages, and for a new token, within the time limits.

    :param job: The job, or its id, or its name.
    :param timeout: The longest time to wait, in seconds.
    :param poll_interval: The longest time between two requests, in seconds; the first
        follow each other more quickly.
    :param allow_failed: Whether to return also if the job failed.
    :param on_progress: Called with every status that arrives.
    :returns: The final status.
    :raises InvalidInputError: If a time is not above 0.
    :raises WaitTimeoutError: If the job has not ended in that time; it continues.
    :raises JobFailedError: If the job failed, unless that is allowed.
    :raises LightworksWorkerError: If there is no such job, or Artemis does not answer.
    """
    waits.check_seconds("timeout", timeout)
    waits.check_seconds("poll_interval", poll_interval)
    ref = resolve_job(job)
    concurrency.release_slot()
    started = time.monotonic()
    deadline = started + timeout
    pauses = waits.Pauses(poll_interval)
    queue_speed = waits.QueueSpeed()
    while True:
        status = _look(ref, max(deadline - time.monotonic(), 1.0))
        now = time.monotonic()
        queue_speed.add(status.queue_position, now)
        on_progress(
            WaitProgress(
                status=status.status,
                waited_seconds=now - started,
                starts_in_seconds=queue_speed.seconds_to_start(now),
            )
        )
        if status.is_final:
            break
        if now >= deadline:
            raise WaitTimeoutError(
                f"The {describe(ref)} has not ended within {timeout:g} seconds: it "
                f"{status.state.meaning} ({status.state.name}). It continues; wait for "
                "it again."
            )
        pauses.sleep(status.state.name, deadline - now)
    if not allow_failed:
        raise_if_failed([status])
    return status.status


def _look(job: JobRef, patience: float = float("inf")) -> Job:
    status = await_status(job, patience)
    settle_duplicates(job, status)
    return status


def _look_at_all(jobs: Sequence[JobRef]) -> list[Job]:
    """Look at several jobs: at those that wait by one list, at the others one by one.

    A list gives no place in the queue; it is that of the first job that waits there.
    """
    if not jobs:
        return []
    for job in jobs:
        check_server(job)
    # This look comes alone: it waits for a new token once for all.
    found = {jobs[0].job_id: _look(jobs[0])}
    if len(jobs) > 1:
        found |= _listed_as_waiting(jobs[1:])
    asked = [job for job in jobs if job.job_id not in found]
    if asked:
        n_threads = max(1, min(_READS_AT_ONCE, len(asked) // 4))
        with ThreadPoolExecutor(n_threads) as pool:
            # Each thread belongs to the task, whose folder says what is in doubt.
            looks = [pool.submit(copy_context().run, _look, job) for job in asked]
            found |= {
                job.job_id: look.result()
                for job, look in zip(asked, looks, strict=True)
            }
    return [found[job.job_id] for job in jobs]


def _listed_as_waiting(jobs: Sequence[JobRef]) -> dict[int, Job]:
    """Return those of some jobs that a list of waiting jobs gives with their states."""
    try:
        items = call("list jobs", lambda: read_items(WAITING_STATES))
    except LightworksWorkerError:
        return {}  # they are asked for one by one, which waits and explains
    states = {item.job_id: item.state for item in items if item.state}
    waiting = {
        job.job_id: read_details(job, {"jobStatus": states[job.job_id]})
        for job in jobs
        if job.job_id in states
    }
    waiting = {job_id: job for job_id, job in waiting.items() if not job.is_final}
    for job in jobs:
        if job.job_id in waiting:
            settle_duplicates(job, waiting[job.job_id])
    return waiting
