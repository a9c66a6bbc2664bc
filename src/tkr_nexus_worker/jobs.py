"""Execute jobs of Nexus: submit them, and tell where they stand."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Literal
from uuid import UUID

import qnexus as qnx
from qnexus.config import CONFIG
from qnexus.models import BackendConfig
from qnexus.models.annotations import Annotations
from qnexus.models.job_status import JobStatusEnum
from qnexus.models.references import (
    CircuitRef,
    ExecuteJobRef,
    HUGRRef,
    JobType,
    ProjectRef,
    QIRRef,
)

from tkr_nexus_worker import context
from tkr_nexus_worker.calls import Limits, call, get_json, read_json
from tkr_nexus_worker.checks import check_name, check_shots
from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    NexusUnavailableError,
    NotLoggedInError,
)
from tkr_nexus_worker.once import Key, key_of, make_once
from tkr_nexus_worker.projects import get_or_create_project
from tkr_nexus_worker.states import JobState, Phase, job_state

logger = logging.getLogger(__name__)

# Each region of Nexus has a Helios system of its own (qnexus.models.region).
_COSTING_SYSTEMS: dict[str, Literal["Helios-1", "Helios-2"]] = {
    "nexus.quantinuum.com": "Helios-1",
    "nexus.quantinuum.sg": "Helios-2",
}

_JOBS_PER_PAGE = 100
_TIME_SUFFIX = "_time"

type Program = CircuitRef | HUGRRef | QIRRef


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

    def __str__(self) -> str:
        parts = [self.state.name]
        if self.queue_position is not None and not self.state.is_final:
            parts.append(f"queue position {self.queue_position}")
        parts += [text for text in (self.message, self.error_detail) if text]
        return ", ".join(parts)


def start_execute_job(
    project_name: str,
    job_name: str,
    programs: Sequence[Program],
    n_shots: list[int],
    backend_config: BackendConfig,
    *,
    adopt_failed: bool = False,
) -> ExecuteJobRef:
    """Submit programs that are on Nexus already, as one job.

    A task that is started again takes the job that it has submitted before.

    :param project_name: The project of the job; it is made if it does not exist.
    :param job_name: A name for the job.
    :param programs: The programs, at least one.
    :param n_shots: One number of shots for each program, in the same order.
    :param backend_config: Where and how to run them.
    :param adopt_failed: Whether to take an earlier job also where it ended badly,
        instead of submitting a new one.
    :returns: A reference to the job, which then waits or runs unless it is an earlier
        one.
    :raises InvalidInputError: If an input is wrong; nothing is submitted then.
    :raises NexusWorkerError: If the job cannot be submitted.
    """
    check_name("project", project_name)
    check_name("job", job_name)
    if not programs:
        raise InvalidInputError(f"Job {job_name!r} has no circuits; give at least one.")
    check_shots(n_shots, len(programs))
    project = get_or_create_project(project_name)
    key = key_of(
        "job",
        str(project.id),
        job_name,
        [str(program.id) for program in programs],
        n_shots,
        backend_config.model_dump(mode="json"),
    )

    def submit() -> ExecuteJobRef:
        job = qnx.start_execute_job(
            programs=list(programs),
            n_shots=n_shots,
            backend_config=backend_config,
            name=job_name,
            description=key.description,
            project=project,
        )
        logger.info("nexus: submitted %s", describe(job))
        return job

    job = make_once(
        f"submit job {job_name!r}",
        find=lambda: _find_submitted(job_name, project, key, adopt_failed),
        make=submit,
        marker=key.marker,
        look_first=True,
    )
    return job.model_copy(update={"backend_config_store": backend_config})


def _find_submitted(
    name: str, project: ProjectRef, key: Key, adopt_failed: bool
) -> ExecuteJobRef | None:
    """Find the job that an earlier try of the same task has submitted, if it is of use.

    A job that ended badly is of use only where the caller deals with it. Should there
    be several of use, because a request arrived late, the oldest is kept and the others
    are cancelled.
    """
    useful = []
    for attributes in _list_jobs(name, project, key.since):
        if not key.is_in(attributes["description"]):
            continue
        job = _to_ref(attributes, project)
        state = job_state(attributes["status"]["status"])
        if state.phase is Phase.FAILED and not adopt_failed:
            logger.warning(
                "nexus: %s, submitted by this task before, %s (%s)",
                describe(job),
                state.meaning,
                state.name,
            )
        else:
            useful.append(job)
    for late in useful[1:]:
        logger.warning("nexus: cancelling %s, a double", describe(late))
        qnx.jobs.cancel(late)
    if not useful:
        return None
    logger.info("nexus: found %s, submitted by this task before", describe(useful[0]))
    return useful[0]


def _list_jobs(
    name: str, project: ProjectRef, since: datetime | None
) -> Iterator[dict[str, Any]]:
    """List the execute jobs of a name, the oldest first, by their attributes.

    qnexus cannot list a job in a state that it does not know.
    """
    query: dict[str, str | int] = {
        "filter[name_exact]": name,
        "filter[project][id]": str(project.id),
        "filter[job_type]": JobType.EXECUTE.value,
        "sort": "timestamps.created",
        "page[size]": _JOBS_PER_PAGE,
    }
    if since is not None:
        query["filter[timestamps][created][after]"] = since.isoformat()
    for number in count():
        page = read_json("/api/jobs/v1beta3", query | {"page[number]": number})["data"]
        yield from ({**job["attributes"], "id": job["id"]} for job in page)
        if len(page) < _JOBS_PER_PAGE:
            return


def _to_ref(attributes: dict[str, Any], project: ProjectRef) -> ExecuteJobRef:
    return ExecuteJobRef(
        id=attributes["id"],
        annotations=Annotations.from_dict(attributes),
        last_status=JobStatusEnum.SUBMITTED,
        last_message="",
        project=project,
    )


def get_status(job: ExecuteJobRef) -> JobStatus:
    """Ask Nexus for the status of a job.

    :param job: The job.
    :returns: Its status now.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    return _get_status(job)


def _get_status(
    job: ExecuteJobRef, *, retry_time: float | None = None, login_wait: float = 0.0
) -> JobStatus:
    attributes = get_json(
        f"get the status of {describe(job)}",
        f"/api/jobs/v1beta3/{job.id}/attributes/status",
        retry_time=retry_time,
        login_wait=login_wait,
    )
    return JobStatus.from_dict(attributes)


def is_running(job: ExecuteJobRef) -> bool:
    """Tell whether a job still waits or runs.

    A job may wait for days: an outage of Nexus is waited for, and so is a new login
    where the old one has expired.

    :param job: The job.
    :returns: False once it has completed, True before.
    :raises JobFailedError: If it ended in any other way.
    :raises NexusUnavailableError: If the outage lasts longer than the limit.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    status = _await_status(job)
    if status.state.phase is Phase.FAILED:
        raise JobFailedError(failure_message(job, status))
    return status.state.phase is Phase.WAITING


def is_unfinished(job: ExecuteJobRef) -> bool:
    """Tell whether a job still waits or runs, however it ends.

    Outages and expired logins are waited for as in :func:`is_running`.

    :param job: The job.
    :returns: False once it has ended, well or badly; True before.
    :raises NexusUnavailableError: If the outage lasts longer than the limit.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    return _await_status(job).state.phase is Phase.WAITING


def _await_status(job: ExecuteJobRef) -> JobStatus:
    """Ask for the status of a job that may wait for days, and be patient with it."""
    limits = Limits.from_environment()
    try:
        status = _get_status(
            job, retry_time=limits.outage_time, login_wait=limits.login_wait
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


def failure_message(job: ExecuteJobRef, status: JobStatus) -> str:
    """Say how a job failed and what to do next.

    :param job: The job.
    :param status: Its status, which is one of failure.
    :returns: One or two sentences for a person.
    """
    state, reason = status.state, status.reason
    return (
        f"{describe(job)} {state.meaning} ({state.name})"
        f"{': ' + reason if reason else ''}. Next: {state.advice}."
    ).replace("job ", "Job ", 1)


def describe(job: ExecuteJobRef) -> str:
    """Name a job by its name and id, so that a person can find it on Nexus.

    :param job: The job.
    :returns: For example ``job 'bell' (0f3c…)``.
    """
    return f"job {job.annotations.name!r} ({job.id})"


def get_hugr_cost(programs: list[HUGRRef], n_shots: int, project_name: str) -> float:
    """Estimate the cost of HUGR programs on the Helios system of the region.

    Nexus runs a costing job on a device made for this, which is free of charge.

    :param programs: The programs.
    :param n_shots: The number of shots of each program.
    :param project_name: The project for the costing job; made if it does not exist.
    :returns: The sum of the costs in HQC.
    :raises NexusWorkerError: If the cost cannot be found.
    """
    if not programs:
        raise InvalidInputError("There are no programs to estimate the cost of.")
    check_shots([n_shots], 1)
    project = get_or_create_project(project_name)
    costs = call(
        f"estimate the cost of {len(programs)} HUGR programs",
        lambda: qnx.hugr.cost_confidence(
            programs,
            n_shots,
            project=project,
            system_name=_COSTING_SYSTEMS.get(CONFIG.domain, "Helios-1"),
        ),
        changes=True,
    )
    return sum(cost for cost, _confidence in costs)


def find_job(job_id: str) -> ExecuteJobRef:
    """Find an execute job by its id.

    :param job_id: The id of the job on Nexus.
    :returns: A reference to the job.
    :raises InvalidInputError: If this is no id, or the id of a job of another kind.
    :raises NexusWorkerError: If Nexus does not have it or does not tell.
    """
    try:
        uuid = UUID(job_id)
    except ValueError as error:
        raise InvalidInputError(
            f"{job_id!r} is not the id of a job; ids look like "
            "0f3c2a51-7a0e-4b0c-9a55-6d1b0c9d2e11."
        ) from error
    job = call(f"look up job {uuid}", lambda: qnx.jobs.get(id=uuid))
    if not isinstance(job, ExecuteJobRef):
        raise InvalidInputError(f"Job {uuid} compiles circuits; it does not run them.")
    return job


def cancel_job(job: ExecuteJobRef) -> JobStatus:
    """Ask Nexus to cancel a job, unless it has ended already.

    :param job: The job.
    :returns: Its status afterwards; a device may take some time to cancel.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    status = get_status(job)
    if status.state.is_final:
        return status
    # To cancel twice is to cancel once: a lost answer is no reason to give up.
    call(f"cancel {describe(job)}", lambda: qnx.jobs.cancel(job))
    return get_status(job)
