"""Lists of jobs, and what Nexus tells of one."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.find import resolve_job
from tkr_nexus_worker.jobs.listing import (
    ListedJob,
    listed_jobs,
    only_execute_jobs,
    read_job,
)
from tkr_nexus_worker.jobs.models import (
    JobDetails,
    JobEvent,
    JobItemReport,
    JobStatusReport,
    JobSummary,
)
from tkr_nexus_worker.jobs.record import JobItem, read_items
from tkr_nexus_worker.jobs.status import (
    JOBS_PATH,
    JobStatus,
    describe,
    get_status,
    status_report,
)
from tkr_nexus_worker.nexus.client import get_json
from tkr_nexus_worker.nexus.projects import find_project
from tkr_nexus_worker.nexus.states import JOB_STATES, Phase
from tkr_runtime.times import read_moment

WAITING_STATES = [state.name for state in JOB_STATES.values() if not state.is_final]
"""The states of jobs that wait or run, as far as this version knows them."""

_READS_AT_ONCE = 8
_LARGEST_PAGE = 100
_ORDER = {"queued": 0, "submitted": 1, "running": 2}


def list_jobs(
    *,
    project: str | None = None,
    states: Sequence[str] = (),
    limit: int = 20,
    items: bool = True,
) -> list[JobSummary]:
    """List the jobs that you may see, the newest first.

    Nexus is asked for as many jobs as are listed, and for each of them once more if
    their items are counted, because its listing does not tell of items.

    :param project: The name of a project, to list its jobs alone.
    :param states: States, to list the jobs that are in one of them alone.
    :param limit: How many jobs to list at most.
    :param items: Whether to count the items of each job.
    :returns: The jobs.
    :raises InvalidInputError: If the limit or a state is wrong.
    :raises NexusWorkerError: If there is no such project, or Nexus does not tell.
    """
    if limit < 1:
        raise InvalidInputError(f"The limit is {limit}; give at least 1 job.")
    query: dict[str, str | int | list[str]] = {"sort": "-timestamps.created"}
    if states:
        query["filter[status][status]"] = [_read_state(state) for state in states]
    ref = None if project is None else find_project(project)
    listed = list(
        listed_jobs(
            query | only_execute_jobs(project=ref),
            partial(get_json, "list jobs"),
            limit=limit,
            page_size=min(limit, _LARGEST_PAGE),
        )
    )
    if not items:
        return [JobSummary(**_summary(job)) for job in listed]
    # The listing comes alone: it renews an expired login once for all.
    with ThreadPoolExecutor(max_workers=_READS_AT_ONCE) as pool:
        return list(pool.map(_with_items, listed))


def list_scheduled_jobs(
    project: str | None = None, *, limit: int = 100, items: bool = True
) -> list[JobSummary]:
    """List the jobs that wait or run, the newest first.

    Nexus can be asked for states by their names alone: a job in a state that this
    version does not know is listed by :func:`list_jobs`.

    :param project: The name of a project, to list its jobs alone.
    :param limit: How many jobs to list at most.
    :param items: Whether to count the items of each job.
    :returns: The jobs.
    :raises NexusWorkerError: As :func:`list_jobs` does.
    """
    return list_jobs(project=project, states=WAITING_STATES, limit=limit, items=items)


def get_job_status(job: ExecuteJobRef | str) -> JobStatusReport:
    """Tell where a job stands.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: Its status now.
    :raises NexusWorkerError: If there is no such job, or Nexus does not tell.
    """
    ref = resolve_job(job)
    return status_report(ref, get_status(ref))


def get_job_details(job: ExecuteJobRef | str) -> JobDetails:
    """Tell everything about a job but its programs and results.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: What Nexus tells.
    :raises NexusWorkerError: If there is no such job, or Nexus does not tell.
    """
    ref = resolve_job(job)
    body = get_json(f"look up {describe(ref)}", f"{JOBS_PATH}/{ref.id}")
    listed, items = read_job(body["data"], body["included"]), read_items(body["data"])
    return JobDetails(
        **_summary(listed),
        **_counts(items),
        description=listed.description or "",
        project_id=str(listed.project.id),
        modified=listed.modified,
        backend_config=listed.attributes["definition"]["backend_config"],
        items=[_item_report(item) for item in items],
        log=_log(listed.status, items),
    )


def _read_state(name: str) -> str:
    if name.upper() not in JOB_STATES:
        raise InvalidInputError(
            f"{name!r} is no state of a job; take one of {', '.join(JOB_STATES)}."
        )
    return name.upper()


def _summary(job: ListedJob) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "name": job.name,
        "project": job.project.annotations.name or "",
        "backend": job.backend,
        "created": job.created,
        **job.status.fields(),
    }


def _counts(items: Sequence[JobItem]) -> dict[str, Any]:
    done = sum(item.status.state.is_final for item in items)
    return {"items_done": done, "items_total": len(items)}


def _with_items(job: ListedJob) -> JobSummary:
    data = get_json(f"look up job {job.name!r} ({job.id})", f"{JOBS_PATH}/{job.id}")
    return JobSummary(**_summary(job), **_counts(read_items(data["data"])))


def _item_report(item: JobItem) -> JobItemReport:
    return JobItemReport(
        index=item.index,
        program_id=item.program_id,
        program_type=item.program_type,
        n_shots=item.n_shots,
        result_id=item.result_id,
        **item.status.fields(),
    )


def _log(status: JobStatus, items: Iterable[JobItem]) -> list[JobEvent]:
    """Put in order when the job entered each state, and how its items failed."""
    events = _events("job", status)
    for item in items:
        if item.status.state.phase is Phase.FAILED:
            events += _events(f"item {item.index}", item.status)[-1:]
    return sorted(events, key=lambda event: event.time)


def _events(subject: str, status: JobStatus) -> list[JobEvent]:
    """Return the states that were entered; the latest has what Nexus says of it."""
    # States that were passed at the same moment come in their usual order.
    times = sorted(
        (read_moment(text), _ORDER.get(state, len(_ORDER)), state)
        for state, text in status.times.items()
    )
    return [
        JobEvent(
            time=moment,
            subject=subject,
            state=state,
            message=status.reason if number == len(times) else "",
        )
        for number, (moment, _, state) in enumerate(times, start=1)
    ]
