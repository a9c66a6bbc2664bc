"""The status of a job: ask Artemis for it, and describe it to a person."""

import logging
from http import HTTPStatus
from typing import Any

from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.artemis.client import get_json, limits
from tkr_lightworks_worker.artemis.states import TIMED_OUT, job_state
from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_lightworks_worker.errors import (
    ArtemisRefusedError,
    ArtemisUnavailableError,
    InvalidInputError,
    TokenError,
    UnknownJobError,
)
from tkr_lightworks_worker.jobs.models import Job, JobEvent, JobRef, JobStatus
from tkr_lightworks_worker.jobs.submissions import Doubt, digest_in
from tkr_runtime.jobs import waits
from tkr_runtime.tasks import context

logger = logging.getLogger(__name__)

# The answer is small: silence means that something is wrong.
_READ_TIMEOUT = 30.0


def describe(job: JobRef | JobStatus) -> str:
    """Name a job by its name and id, so that a person finds it.

    :param job: The job, or its status.
    :returns: For example ``job 'hom' (17)``.
    """
    return f"job {job.name!r} ({job.job_id})" if job.name else f"job {job.job_id}"


def check_server(job: JobRef) -> None:
    """Check that a job is on the Artemis of the current settings.

    :param job: The job.
    :raises InvalidInputError: If it is on another one, where its id means another job.
    """
    if job.url and not settings.is_same_server(job.url, settings.url()):
        raise InvalidInputError(
            f"The {describe(job)} is on Artemis at {job.url}, but the settings of "
            f"Lightworks in {settings.folder()} name {settings.url()}; use those of "
            "the other."
        )


def get_details(
    job: JobRef, *, retry_time: float | None = None, login_wait: float = 0.0
) -> Job:
    """Ask Artemis for all that it knows of a job.

    :param job: The job.
    :param retry_time: How long to retry, in seconds; by default as the time limits say.
    :param login_wait: How long to wait for a new token, in seconds.
    :returns: The job as it is now.
    :raises LightworksWorkerError: If there is no such job, or Artemis refuses or does
        not answer.
    """
    check_server(job)
    try:
        content = get_json(
            f"get the status of {describe(job)}",
            f"jobs/{job.job_id}",
            retry_time=retry_time,
            login_wait=login_wait,
            read_timeout=_READ_TIMEOUT,
        )
    except ArtemisRefusedError as error:
        if error.status_code != HTTPStatus.NOT_FOUND:
            raise
        raise UnknownJobError(
            f"There is no {describe(job)} on Artemis at {settings.url()}.",
            error.status_code,
        ) from error
    return read_details(job, content if isinstance(content, dict) else {})


def read_details(job: JobRef, content: dict[str, Any]) -> Job:
    """Return a job from what Artemis writes; fields that it lacks stay empty.

    :param job: The job.
    :param content: The decoded answer.
    """
    state = job_state(str(content.get("jobStatus")))
    position = content.get("queuePosition")
    return Job(
        job_id=job.job_id,
        name=job.name,
        qpu_name=job.qpu_name,
        url=settings.url(),
        state=state,
        # Artemis gives a position in other states as well, where it says nothing.
        queue_position=position if state.name == "Scheduled" else None,
        notes=str(content.get("userExecutionNotes") or ""),
        created=str(content.get("createdDate") or ""),
        updated=str(content.get("updatedDate") or ""),
        log=[_read_event(it) for it in content.get("logs") or []],
    )


def _read_event(line: dict[str, Any]) -> JobEvent:
    meta = line.get("meta") or {}
    errors = meta.get("CompilationErrors") or [] if isinstance(meta, dict) else []
    return JobEvent(
        time=str(line.get("createdDate") or ""),
        state=str(line.get("status") or ""),
        message=str(line.get("message") or ""),
        compilation_errors=[
            f"{error.get('Message')} (code {error.get('Code')})" for error in errors
        ],
    )


def await_status(job: JobRef, patience: float = float("inf")) -> Job:
    """Ask for a job, and wait for the end of an outage or for a new token.

    :param job: The job.
    :param patience: How long to wait for Artemis to answer, or for a new token, at
        most, in seconds; the time limits hold as well.
    :returns: The job as it is now.
    :raises ArtemisUnavailableError: If the outage lasts longer.
    :raises TokenError: If nobody saves a new token within that time.
    :raises LightworksWorkerError: If Artemis refuses.
    """
    times = limits()
    try:
        status = get_details(
            job,
            retry_time=min(times.outage_time, patience),
            login_wait=min(times.login_wait, patience),
        )
    except (ArtemisUnavailableError, TokenError) as error:
        raise type(error)(
            f"{error} The {describe(job)} is still on Artemis and nothing is lost: "
            f"once the problem is fixed, {_how_to_continue()}."
        ) from error
    waits.log_change(logger, f"artemis: {describe(job)}", str(status))
    return status


def _how_to_continue() -> str:
    task = context.current()
    if task is None:
        return "ask for its status again"
    return f"`{LIGHTWORKS.command} resume {task.workflow_id}` continues"


def failure_message(job: Job) -> str:
    """Return how a job failed or timed out, and what to do next.

    :param job: The job.
    :returns: One or two sentences for a person.
    """
    state = job.state
    message = f"{describe(job)} {state.meaning} ({state.name})".replace("job", "Job", 1)
    reasons = [*job.compilation_errors, job.notes]
    reason = "; ".join(it.strip().rstrip(".") for it in reasons if it.strip())
    if reason:
        message += f": {' '.join(reason.split())}"
    if state.name == TIMED_OUT and not reason:
        message += ": often a fault of the hardware"
    return f"{message}. Next: {state.advice}.{name_duplicates(job.name)}"


def name_duplicates(job_name: str) -> str:
    """Return a sentence about duplicates of a job that also ran; empty if none.

    :param job_name: The name of the job.
    """
    digest = digest_in(job_name)
    ids = [] if digest is None else Doubt(digest).noted("billed")
    if not ids:
        return ""
    return (
        " A request that arrived late submitted it more than once; also run: "
        f"{', '.join(ids)}."
    )
