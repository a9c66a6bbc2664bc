"""Jobs as Nexus lists them, those in states that qnexus cannot read included."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from qnexus.models import BackendConfig
from qnexus.models.annotations import Annotations
from qnexus.models.job_status import JobStatusEnum
from qnexus.models.references import ExecuteJobRef, JobType, ProjectRef

from tkr_nexus_worker.jobs.status import JOBS_PATH, JobStatus
from tkr_nexus_worker.nexus.client import Query, read_json
from tkr_runtime.times import read_moment

_JOBS_PER_PAGE = 100
_KNOWN_TO_QNEXUS = {status.name for status in JobStatusEnum}


@dataclass(frozen=True)
class ListedJob:
    """A job as a listing shows it.

    :param id: Its id.
    :param name: Its name.
    :param description: Its description, where it has one.
    :param job_type: ``execute`` or ``compile``.
    :param status: Its status.
    :param project: Its project.
    :param backend: The name of the system that it is for, where Nexus tells.
    :param created: When it was submitted.
    :param modified: When it was changed last.
    :param attributes: Its attributes as Nexus writes them.
    """

    id: str
    name: str
    description: str | None
    job_type: str
    status: JobStatus
    project: ProjectRef
    backend: str | None
    created: datetime
    modified: datetime
    attributes: dict[str, Any]

    @property
    def is_execute(self) -> bool:
        """Whether it runs programs; other jobs compile them."""
        return self.job_type == JobType.EXECUTE.value

    @property
    def age_seconds(self) -> float:
        """For how long it has been on Nexus, in seconds."""
        return (datetime.now(UTC) - self.created).total_seconds()

    def ref(self) -> ExecuteJobRef:
        """Return a reference to the job.

        A state that qnexus does not know stands there as SUBMITTED: it still waits.
        """
        state = self.status.state.name
        known = state if state in _KNOWN_TO_QNEXUS else JobStatusEnum.SUBMITTED.name
        return ExecuteJobRef(
            id=UUID(self.id),
            annotations=Annotations.from_dict(self.attributes),
            last_status=JobStatusEnum[known],
            last_message=self.status.message,
            project=self.project,
            backend_config_store=_backend_config(self.attributes),
        )


def listed_jobs(
    query: Query,
    read: Callable[[str, Query], dict[str, Any]] = read_json,
    *,
    limit: int | None = None,
    page_size: int = _JOBS_PER_PAGE,
) -> Iterator[ListedJob]:
    """List jobs page by page, asking for no page before it is needed.

    :param query: The filters and the order.
    :param read: What reads a page; by default once, for use inside ``call``.
    :param limit: How many jobs to list at most; all by default.
    :param page_size: How many jobs to ask for at once.
    :raises qnexus.exceptions.ResourceFetchFailed: If Nexus refuses.
    """
    for number in count():
        page = {"page[size]": page_size, "page[number]": number}
        body = read(JOBS_PATH, {**query, **page})
        jobs = body["data"]
        for index, job in enumerate(jobs, start=number * page_size):
            if index == limit:
                return
            yield read_job(job, body["included"])
        if len(jobs) < page_size or (number + 1) * page_size == limit:
            return


def read_job(data: dict[str, Any], included: list[dict[str, Any]]) -> ListedJob:
    """Read a job as the Nexus API writes it.

    :param data: The job.
    :param included: What the answer includes beside it.
    """
    related = {entry["id"]: entry["attributes"] for entry in included}
    attributes, relationships = data["attributes"], data["relationships"]
    project_id = relationships["project"]["data"]["id"]
    system_id = relationships.get("system", {}).get("data", {}).get("id")
    return ListedJob(
        id=data["id"],
        name=attributes["name"] or "",
        description=attributes.get("description"),
        job_type=attributes["job_type"],
        status=JobStatus.from_dict(attributes["status"]),
        project=_read_project(project_id, related[project_id]),
        backend=related.get(system_id, {}).get("name"),
        created=read_moment(attributes["timestamps"]["created"]),
        modified=read_moment(attributes["timestamps"]["modified"]),
        attributes=attributes,
    )


def only_execute_jobs(
    *, project: ProjectRef | None = None, created_after: datetime | None = None
) -> dict[str, str]:
    """Return the filters for jobs that run programs.

    :param project: List the jobs of this project alone.
    :param created_after: List jobs submitted after this moment alone.
    """
    query = {"filter[job_type]": JobType.EXECUTE.value}
    if project is not None:
        query["filter[project][id]"] = str(project.id)
    if created_after is not None:
        query["filter[timestamps][created][after]"] = created_after.isoformat()
    return query


def _read_project(project_id: str, attributes: dict[str, Any]) -> ProjectRef:
    return ProjectRef(
        id=UUID(project_id),
        annotations=Annotations.from_dict(attributes),
        contents_modified=attributes["contents_modified"],
        archived=attributes["archived"],
    )


def _backend_config(attributes: dict[str, Any]) -> BackendConfig | None:
    """Read the backend config where it is there and of a kind that is known."""
    config = attributes.get("definition", {}).get("backend_config")
    try:
        backend_config: BackendConfig = _config_reader().validate_python(config)
    except ValidationError:
        return None
    return backend_config


@cache
def _config_reader() -> TypeAdapter[BackendConfig]:
    return TypeAdapter(BackendConfig)
