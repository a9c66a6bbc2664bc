"""Wait inside one task until there is news of a job.

A loop of Tierkreis costs a pass for each look at the job: files, a process and the time
of the controller. Here a pass ends with a piece of news, or after an hour without.
"""

import re
import time

from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.duplicates import settle_duplicates
from tkr_nexus_worker.jobs.status import JobStatus, await_status
from tkr_runtime.tasks import concurrency, context

_LONGEST_WAIT = 3600.0
_FIRST_PAUSE = 0.5
# So many passes may end with a mere change of the place in the queue.
_PASSES_WITH_PLACES = 50
_PASS_NUMBER = re.compile(r"\.L(\d+)(?!.*\.L\d)")


def await_news(job: ExecuteJobRef, polling_interval: float, seen: str) -> JobStatus:
    """Wait until a job has ended or something has changed, an hour at most.

    The first looks come soon after each other, so that a quick job need not wait for
    the interval; then the pauses double up to it. Outages and expired logins are waited
    for. In the first 50 passes of a loop a new place in the queue is news; later only
    a new state is, so that a long queue does not fill the disk.

    :param job: The job.
    :param polling_interval: The longest time between two looks, in seconds.
    :param seen: The news that the caller knows, as :func:`headline` gives it; empty if
        none, so that the first look brings news.
    :returns: The status of the job.
    :raises InvalidInputError: If the interval is not above 0.
    :raises NexusUnavailableError: If an outage lasts longer than the limit.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    if not 0 < polling_interval < float("inf"):
        raise InvalidInputError(
            f"The polling interval is {polling_interval!r}; "
            "give a number of seconds above 0."
        )
    concurrency.release_slot()
    deadline = time.monotonic() + _LONGEST_WAIT
    pause = min(_FIRST_PAUSE, polling_interval)
    while True:
        status = await_status(job)
        settle_duplicates(job, status)
        if status.state.is_final or _is_news(status, seen):
            return status
        if time.monotonic() + pause > deadline:
            return status
        time.sleep(pause)
        pause = min(2 * pause, polling_interval)


def headline(status: JobStatus) -> str:
    """Return what counts as news of a job: its state and its place in the queue.

    :param status: The status of the job.
    :returns: For example ``QUEUED, queue position 3``.
    """
    if status.queue_position is None or status.state.is_final:
        return status.state.name
    return f"{status.state.name}, queue position {status.queue_position}"


def _is_news(status: JobStatus, seen: str) -> bool:
    if _pass_number() < _PASSES_WITH_PLACES:
        return headline(status) != seen
    return status.state.name != seen.partition(",")[0]


def _pass_number() -> int:
    """Return the number of the pass of the innermost loop that the task is part of."""
    task = context.current()
    found = None if task is None else _PASS_NUMBER.search(task.location)
    return 0 if found is None else int(found[1])
