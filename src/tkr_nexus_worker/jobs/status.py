"""The status of a job: ask Nexus for it, and describe it to a person."""

import logging
from typing import Any

from qnexus.models.references import JobRef

from tkr_nexus_worker.errors import NexusUnavailableError, NotLoggedInError
from tkr_nexus_worker.jobs.items import call_programs, describe_failures
from tkr_nexus_worker.jobs.models import Job, JobStatus
from tkr_nexus_worker.nexus.client import get_json, limits
from tkr_nexus_worker.nexus.idempotency import billed_duplicates
from tkr_runtime.jobs import waits
from tkr_runtime.tasks import context

logger = logging.getLogger(__name__)

JOBS_PATH = "/api/jobs/v1beta3"
"""The path of jobs below the address of Nexus."""

_TIME_SUFFIX = "_time"
# The answer is small: silence means that something is wrong.
_READ_TIMEOUT = 30.0


def status_fields(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a :class:`Status` from what the Nexus API writes.

    :param attributes: The ``status`` of a job or job item.
    """
    return {
        "state": str(attributes.get("status")),
        "message": attributes.get("message") or "",
        "error_detail": attributes.get("error_detail"),
        "queue_position": attributes.get("queue_position"),
        "cost": attributes.get("cost"),
        "times": {
            name.removesuffix(_TIME_SUFFIX): str(moment)
            for name, moment in attributes.items()
            if name.endswith(_TIME_SUFFIX) and moment is not None
        },
    }


def read_status(job: JobRef, attributes: dict[str, Any]) -> JobStatus:
    """Return the status of a job from what the Nexus API writes.

    :param job: The job.
    :param attributes: The ``status`` of the job.
    """
    return JobStatus(
        job_id=str(job.id),
        name=job.annotations.name or "",
        project=job.project.annotations.name or "",
        **status_fields(attributes),
    )


def describe(job: JobRef | JobStatus) -> str:
    """Name a job by its name and id, so that a person finds it on Nexus.

    :param job: The job, or its status.
    :returns: For example ``job 'bell' (0f3c…)``.
    """
    if isinstance(job, JobStatus):
        return f"job {job.name!r} ({job.job_id})"
    return f"job {job.annotations.name!r} ({job.id})"


def get_status(
    job: JobRef, *, retry_time: float | None = None, login_wait: float = 0.0
) -> JobStatus:
    """Ask Nexus for the status of a job.

    :param job: The job.
    :param retry_time: How long to retry, in seconds; by default as the time limits say.
    :param login_wait: How long to wait for a new login if the login has expired, in
        seconds.
    :returns: The current status.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    attributes = get_json(
        f"get the status of {describe(job)}",
        f"{JOBS_PATH}/{job.id}/attributes/status",
        retry_time=retry_time,
        login_wait=login_wait,
        read_timeout=_READ_TIMEOUT,
    )
    return read_status(job, attributes)


def await_status(job: JobRef, patience: float = float("inf")) -> JobStatus:
    """Ask for the status of a job, and wait for the end of an outage or for a login.

    :param job: The job.
    :param patience: How long to wait for Nexus to answer, or for a new login, at most,
        in seconds; the time limits hold as well.
    :returns: The current status.
    :raises NexusUnavailableError: If the outage lasts longer.
    :raises NotLoggedInError: If nobody logs in within that time.
    :raises NexusWorkerError: If Nexus refuses.
    """
    times = limits()
    try:
        status = get_status(
            job,
            retry_time=min(times.outage_time, patience),
            login_wait=min(times.login_wait, patience),
        )
    except (NexusUnavailableError, NotLoggedInError) as error:
        raise type(error)(
            f"{error} The {describe(job)} is still on Nexus and nothing is lost: once "
            f"the problem is fixed, {_how_to_continue()}."
        ) from error
    waits.log_change(logger, f"nexus: {describe(job)}", str(status))
    return status


def _how_to_continue() -> str:
    task = context.current()
    if task is None:
        return "ask for its status again"
    return f"`tkr-nexus resume {task.workflow_id}` continues"


def name_duplicates(description: str | None) -> str:
    """Return a sentence about duplicates of a job that may be billed; empty if none.

    :param description: The description of the job.
    """
    ids = billed_duplicates(description)
    if not ids:
        return ""
    return (
        f" A request that arrived late submitted it more than once; also run, and "
        f"perhaps billed: {', '.join(ids)}."
    )


def failure_message(job: JobStatus) -> str:
    """Return how a job failed and what to do next.

    :param job: The status of a job that failed; of a whole job, each item without a
        complete result is named with its reason.
    :returns: One or two sentences for a person.
    """
    state = job.state
    items = job.items if isinstance(job, Job) else []
    failed = [item for item in items if not item.succeeded]
    noun = call_programs(item.program_type for item in items)
    message = f"{describe(job)} {state.meaning} ({state.name})".replace("job", "Job", 1)
    # Nexus often says of a job what it says of one of its items.
    if job.reason not in {"", *(item.reason for item in failed)}:
        message += f": {job.reason}"
    if not isinstance(job, Job):
        return f"{message}. Next: {state.advice}."
    if failed:
        missing = "were not compiled" if job.compiles else "gave no complete result"
        message += (
            f"; {len(failed)} of its {len(job.items)} {noun}s {missing}: "
            f"{describe_failures(failed)}"
        )
    message += f". Next: {state.advice or f'submit these {noun}s again as a new job'}."
    if len(failed) < len(job.items) and not job.compiles:
        message += " The task get_item_results fetches the results of the others."
    return message + name_duplicates(job.description)
