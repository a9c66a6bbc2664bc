"""Jobs as the Nexus API writes them, one by one and in lists."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache, partial
from itertools import count
from typing import Any, Literal
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from qnexus.config import CONFIG
from qnexus.models import BackendConfig
from qnexus.models.annotations import Annotations
from qnexus.models.job_status import JobStatusEnum
from qnexus.models.references import (
    CompileJobRef,
    ExecuteJobRef,
    JobRef,
    JobType,
    ProjectRef,
)

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.jobs.models import Job, JobEvent, JobItem, Status
from tkr_nexus_worker.jobs.status import JOBS_PATH, describe, status_fields
from tkr_nexus_worker.nexus.client import Query, get_json, read_json
from tkr_nexus_worker.nexus.projects import find_project
from tkr_nexus_worker.nexus.states import JOB_STATES, Phase

WAITING_STATES = [state.name for state in JOB_STATES.values() if not state.is_final]
"""The states of jobs that wait or run, as far as this version knows them."""

_READS_AT_ONCE = 8
_LARGEST_PAGE = 100
_KNOWN_TO_QNEXUS = {status.name for status in JobStatusEnum}
_STATE_ORDER = {"queued": 0, "submitted": 1, "running": 2}


def list_jobs(
    *,
    project: str | None = None,
    states: Sequence[str] = (),
    limit: int = 20,
    items: bool = True,
    job_type: Literal["execute", "compile"] = "execute",
) -> list[Job]:
    """List the jobs that you may see, the newest first.

    It asks Nexus for as many jobs as it returns, and once more for each of them if
    their items are counted, because Nexus lists jobs without items.

    :param project: The name of a project, to list only its jobs.
    :param states: States, to list only jobs in one of them.
    :param limit: The largest number of jobs to list.
    :param items: Whether to count the items of each job.
    :param job_type: Whether to list the jobs that run programs, or those that compile
        them.
    :returns: The jobs, without their items and logs.
    :raises InvalidInputError: If the limit is below 1, or a state or the type is
        unknown.
    :raises NexusWorkerError: If there is no such project, or Nexus does not answer.
    """
    if limit < 1:
        raise InvalidInputError(f"The limit is {limit}; give at least 1 job.")
    if job_type not in {"execute", "compile"}:
        raise InvalidInputError(
            f"The type of jobs is {job_type!r}; give 'execute' or 'compile'."
        )
    query: dict[str, str | int | list[str]] = {"sort": "-timestamps.created"}
    if states:
        query["filter[status][status]"] = [_check_state(state) for state in states]
    ref = None if project is None else find_project(project)
    listed = list(
        listed_jobs(
            query | of_type(JobType(job_type), project=ref),
            partial(get_json, "list jobs"),
            limit=limit,
            page_size=min(limit, _LARGEST_PAGE),
        )
    )
    if not items:
        return listed
    # The list is read first and alone: it renews an expired login once for all.
    with ThreadPoolExecutor(max_workers=_READS_AT_ONCE) as pool:
        return list(pool.map(_count_items, listed))


def list_scheduled_jobs(
    project: str | None = None,
    *,
    limit: int = 100,
    items: bool = True,
    job_type: Literal["execute", "compile"] = "execute",
) -> list[Job]:
    """List the jobs that wait or run, the newest first.

    Nexus filters states by their names alone: :func:`list_jobs` lists jobs in states
    that this version does not know.

    :param project: The name of a project, to list only its jobs.
    :param limit: The largest number of jobs to list.
    :param items: Whether to count the items of each job.
    :param job_type: As for :func:`list_jobs`.
    :returns: The jobs, without their items and logs.
    :raises NexusWorkerError: As :func:`list_jobs` does.
    """
    return list_jobs(
        project=project,
        states=WAITING_STATES,
        limit=limit,
        items=items,
        job_type=job_type,
    )


def listed_jobs(
    query: Query,
    read: Callable[[str, Query], dict[str, Any]] = read_json,
    *,
    limit: int | None = None,
    page_size: int = _LARGEST_PAGE,
) -> Iterator[Job]:
    """Iterate over jobs page by page, each job once.

    A page is not requested before it is needed. Where a job is submitted between two
    pages, the second page repeats the last job of the first.

    :param query: The filters and the order.
    :param read: The function that reads a page; by default it tries once, for use
        inside ``call``.
    :param limit: The largest number of jobs; all by default.
    :param page_size: The number of jobs of each page.
    :raises qnexus.exceptions.ResourceFetchFailed: If Nexus refuses.
    """
    seen: set[str] = set()
    for number in count():
        page = {"page[size]": page_size, "page[number]": number}
        body = read(JOBS_PATH, {**query, **page})
        jobs = body["data"]
        for data in jobs:
            if data["id"] in seen:
                continue
            seen.add(data["id"])
            yield read_job(data, body["included"])
            if len(seen) == limit:
                return
        if len(jobs) < page_size:
            return


def fetch_job(job: JobRef | Job) -> Job:
    """Ask Nexus for all that it knows of a job, its items included.

    :param job: The job.
    :returns: The job as it is now.
    :raises NexusWorkerError: If Nexus refuses or does not answer.
    """
    job_id = job.job_id if isinstance(job, Job) else job.id
    body = get_json(f"look up {describe(job)}", f"{JOBS_PATH}/{job_id}")
    return read_job(body["data"], body["included"])


def read_job(data: dict[str, Any], included: list[dict[str, Any]]) -> Job:
    """Return a job from what the Nexus API writes.

    :param data: The job; its items are read if it has any.
    :param included: What the answer includes beside the job.
    """
    related = {entry["id"]: entry["attributes"] for entry in included}
    attributes, relationships = data["attributes"], data["relationships"]
    definition = attributes.get("definition", {})
    project_id = relationships["project"]["data"]["id"]
    system_id = relationships.get("system", {}).get("data", {}).get("id")
    status = status_fields(attributes["status"])
    items = _read_items(data)
    job = Job(
        **status,
        job_id=data["id"],
        name=attributes["name"] or "",
        project=related[project_id]["name"] or "",
        job_type=attributes["job_type"],
        backend=related.get(system_id, {}).get("name"),
        created=attributes["timestamps"]["created"],
        items_done=None if items is None else sum(item.is_final for item in items),
        items_total=None if items is None else len(items),
        nexus_url=CONFIG.url,
        description=attributes.get("description") or "",
        project_id=project_id,
        modified=attributes["timestamps"]["modified"],
        backend_config=definition.get("backend_config") or {},
        items=items or [],
        log=[] if items is None else _log(Status(**status), items),
    )
    make_ref = partial(_reference, data, project_id, related[project_id])
    return job.with_source(attributes, make_ref)


def of_type(
    job_type: JobType,
    *,
    project: ProjectRef | None = None,
    created_after: datetime | None = None,
) -> dict[str, str]:
    """Return the filters for jobs that run programs, or for those that compile them.

    :param job_type: Which of the two.
    :param project: The project, to list only its jobs.
    :param created_after: A moment, to list only jobs that were submitted after it.
    """
    query = {"filter[job_type]": job_type.value}
    if project is not None:
        query["filter[project][id]"] = str(project.id)
    if created_after is not None:
        query["filter[timestamps][created][after]"] = created_after.isoformat()
    return query


def _check_state(name: str) -> str:
    if name.upper() not in JOB_STATES:
        raise InvalidInputError(
            f"{name!r} is not a state of a job; give one of {', '.join(JOB_STATES)}."
        )
    return name.upper()


def _count_items(job: Job) -> Job:
    counted = fetch_job(job)
    counts = {"items_done": counted.items_done, "items_total": counted.items_total}
    return job.model_copy(update=counts)


def _read_items(data: dict[str, Any]) -> list[JobItem] | None:
    """Return the items of a job; None where the answer is without them."""
    items = data["attributes"].get("definition", {}).get("items", [{}])
    if not all("status" in item for item in items):
        return None
    programs = data["relationships"]["programs"]["data"]
    types = {program["id"]: program["type"] for program in programs}
    return [
        JobItem(
            index=index,
            program_id=item["program_id"],
            program_type=types[item["program_id"]],
            n_shots=item.get("n_shots"),
            result_id=item.get("result_id"),
            result_type=item.get("result_type"),
            compilation_id=item.get("compilation_id"),
            **status_fields(item["status"]),
        )
        for index, item in enumerate(items)
    ]


def _log(status: Status, items: Iterable[JobItem]) -> list[JobEvent]:
    """Order when the job entered each state, and how its items failed, by time."""
    events = _events("job", status)
    for item in items:
        if item.phase is Phase.FAILED:
            events += _events(f"item {item.index}", item)[-1:]
    return sorted(events, key=lambda event: event.time)


def _events(subject: str, status: Status) -> list[JobEvent]:
    """Return the states that were entered; the latest has what Nexus says of it."""
    # States that were entered at the same moment come in their usual order.
    times = sorted(
        (moment, _STATE_ORDER.get(state, len(_STATE_ORDER)), state)
        for state, moment in status.times.items()
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


def _reference(
    data: dict[str, Any], project_id: str, project: dict[str, Any]
) -> JobRef:
    """Make the reference of qnexus to a job that runs programs or compiles them.

    A state that qnexus does not know becomes SUBMITTED: the job still waits.
    """
    attributes = data["attributes"]
    state = str(attributes["status"].get("status"))
    known = state if state in _KNOWN_TO_QNEXUS else JobStatusEnum.SUBMITTED.name
    compiles = attributes["job_type"] == JobType.COMPILE.value
    return (CompileJobRef if compiles else ExecuteJobRef)(
        id=UUID(data["id"]),
        annotations=Annotations.from_dict(attributes),
        last_status=JobStatusEnum[known],
        last_message=attributes["status"].get("message") or "",
        project=ProjectRef(
            id=UUID(project_id),
            annotations=Annotations.from_dict(project),
            contents_modified=project["contents_modified"],
            archived=project["archived"],
        ),
        backend_config_store=_backend_config(attributes),
    )


def _backend_config(attributes: dict[str, Any]) -> BackendConfig | None:
    """Return the backend config where it is there and of a known type."""
    config = attributes.get("definition", {}).get("backend_config")
    try:
        backend_config: BackendConfig = _config_reader().validate_python(config)
    except ValidationError:
        return None
    return backend_config


@cache
def _config_reader() -> TypeAdapter[BackendConfig]:
    return TypeAdapter(BackendConfig)
