"""The status of a job at one moment, as Nexus tells it."""

import logging
from dataclasses import dataclass, field
from typing import Any

from qnexus.models.references import JobRef

from tkr_nexus_worker.errors import NexusUnavailableError, NotLoggedInError
from tkr_nexus_worker.jobs.models import JobStatusReport
from tkr_nexus_worker.nexus.client import get_json, limits
from tkr_nexus_worker.nexus.idempotency import billed_duplicates
from tkr_nexus_worker.nexus.states import JobState, job_state
from tkr_runtime.tasks import context
from tkr_runtime.times import read_moment

logger = logging.getLogger(__name__)

JOBS_PATH = "/api/jobs/v1beta3"
"""Where Nexus keeps jobs, below its address."""

# The answer is small: silence means that something is wrong.
_READ_TIMEOUT = 30.0
_TIME_SUFFIX = "_time"


@dataclass(frozen=True)
class JobStatus:
    """The status of a job at one moment.

    :param state: Its state, from the table of states.
    :param message: What Nexus says about it; may be empty.
    :param error_detail: What went wrong, where Nexus tells.
    :param queue_position: Its place in the queue, where Nexus tells.
    :param cost: What it has cost so far in HQC, where Nexus tells.
    :param times: When it entered each state, by the lower-case name of the state, as
        ISO 8601 texts.
    """

    state: JobState
    message: str = ""
    error_detail: str | None = None
    queue_position: int | None = None
    cost: float | None = None
    times: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, attributes: dict[str, Any]) -> "JobStatus":
        """Read a status as the Nexus API writes it.

        :param attributes: The ``status`` of a job or job item.
        :returns: The status.
        """
        return cls(
            state=job_state(str(attributes.get("status"))),
            message=attributes.get("message") or "",
            error_detail=attributes.get("error_detail"),
            queue_position=attributes.get("queue_position"),
            cost=attributes.get("cost"),
            times={
                name.removesuffix(_TIME_SUFFIX): str(moment)
                for name, moment in attributes.items()
                if name.endswith(_TIME_SUFFIX) and moment is not None
            },
        )

    @property
    def reason(self) -> str:
        """What Nexus says about it, without a full stop; may be empty."""
        return "; ".join(
            text.strip().rstrip(".")
            for text in (self.message, self.error_detail)
            if text
        )

    def fields(self) -> dict[str, Any]:
        """Return it as the fields of a ``StatusReport``."""
        return {
            "state": self.state.name,
            "phase": self.state.phase.value,
            "message": self.message,
            "error_detail": self.error_detail,
            "queue_position": self.queue_position,
            "cost": self.cost,
            "times": {name: read_moment(text) for name, text in self.times.items()},
        }

    def __str__(self) -> str:
        parts = [self.state.name]
        if self.queue_position is not None and not self.state.is_final:
            parts.append(f"queue position {self.queue_position}")
        parts += [text for text in (self.message, self.error_detail) if text]
        return ", ".join(parts)


def describe(job: JobRef) -> str:
    """Name a job by its name and id, so that a person can find it on Nexus.

    :param job: The job.
    :returns: For example ``job 'bell' (0f3c…)``.
    """
    return f"job {job.annotations.name!r} ({job.id})"


def get_status(
    job: JobRef, *, retry_time: float | None = None, login_wait: float = 0.0
) -> JobStatus:
    """Ask Nexus for the status of a job.

    :param job: The job.
    :param retry_time: For how long to try again, in seconds; by default as the limits
        of time say.
    :param login_wait: How long to wait for a new login if the old one has expired, in
        seconds.
    :returns: Its status now.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    attributes = get_json(
        f"get the status of {describe(job)}",
        f"{JOBS_PATH}/{job.id}/attributes/status",
        retry_time=retry_time,
        login_wait=login_wait,
        read_timeout=_READ_TIMEOUT,
    )
    return JobStatus.from_dict(attributes)


def status_report(job: JobRef, status: JobStatus) -> JobStatusReport:
    """Return where a job stands, as a value that workflows carry.

    :param job: The job.
    :param status: Its status.
    """
    return JobStatusReport(
        job_id=str(job.id),
        name=job.annotations.name or "",
        project=job.project.annotations.name or "",
        **status.fields(),
    )


def await_status(job: JobRef, patience: float = float("inf")) -> JobStatus:
    """Ask for the status of a job that may wait for days, and be patient with it.

    :param job: The job.
    :param patience: How long to wait for the end of an outage, or for a new login, at
        most, in seconds; the limits of time hold as well.
    :returns: Its status now.
    :raises NexusUnavailableError: If the outage lasts longer.
    :raises NotLoggedInError: If there is no new login in that time.
    :raises NexusWorkerError: If Nexus does not tell.
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
            f"that is mended, {_how_to_go_on()}."
        ) from error
    logger.info("nexus: %s: %s", describe(job), status)
    return status


def _how_to_go_on() -> str:
    task = context.current()
    if task is None:
        return "ask for its status again"
    return f"`tkr-nexus resume {task.workflow_id}` goes on"


def failure_message(job: JobRef, status: JobStatus) -> str:
    """Say how a job failed and what to do next.

    :param job: The job.
    :param status: Its status, which is one of failure.
    :returns: One or two sentences for a person.
    """
    state, reason = status.state, status.reason
    return (
        f"{describe(job)} {state.meaning} ({state.name})"
        f"{': ' + reason if reason else ''}. Next: {state.advice}."
        f"{name_duplicates(job)}"
    ).replace("job ", "Job ", 1)


def name_duplicates(job: JobRef) -> str:
    """Return a sentence about duplicates of a job that may be billed; empty if none.

    :param job: The job.
    """
    ids = billed_duplicates(job.annotations.description)
    if not ids:
        return ""
    return (
        f" A request that arrived late submitted it more than once; also run, and "
        f"perhaps billed: {', '.join(ids)}."
    )
