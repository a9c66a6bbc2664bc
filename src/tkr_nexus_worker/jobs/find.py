"""Find a job by what a person knows of it: its id, the start of its id, or its name."""

import re
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from qnexus.config import CONFIG
from qnexus.models.references import JobRef

from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    UnknownNameError,
)
from tkr_nexus_worker.jobs.listing import (
    fetch_job,
    listed_jobs,
    read_job,
)
from tkr_nexus_worker.jobs.models import Job, JobStatus
from tkr_nexus_worker.jobs.status import JOBS_PATH, get_status
from tkr_nexus_worker.nexus.client import get_json
from tkr_runtime.jobs.names import check_unicode
from tkr_runtime.times import age

NEWEST_JOBS = 1000
"""The number of jobs, the newest, among which the start of an id is looked for."""

_SHOWN_CANDIDATES = 10
_LEAST_DIGITS = 4
# That one of 10,000 other jobs has the same digits is a chance of 2 in a million.
_SAFE_DIGITS = 8
_START_OF_ID = re.compile(
    r"[0-9a-f]{1,8}|[0-9a-f]{8}(-[0-9a-f]{0,4}){1,3}(-[0-9a-f]*)?"
)
_NOT_THERE = frozenset({403, 404})


def find_job(text: str) -> JobRef:
    """Find a job by its id, its name, or the start of its id.

    A name has precedence over the start of an id, and of a job and its compilation with
    the same name the job is meant. Nexus filters by name and by id; the
    start of an id is looked for among the newest 1,000 jobs. Eight digits are taken as
    unique at the first job that has them, fewer only if no other of those jobs has them
    and there are no older ones.

    :param text: The id; or the whole name; or at least four digits of the start of the
        id.
    :returns: A reference to the job, a ``CompileJobRef`` if it compiles programs.
    :raises InvalidInputError: If several jobs match, which the message lists, or the
        text is empty.
    :raises UnknownNameError: If there is no such job that you may see.
    :raises NexusWorkerError: If Nexus does not answer.
    """
    return _find(text).ref()


def resolve_job(job: JobRef | str) -> JobRef:
    """Return a reference to a job, however it is named.

    :param job: The job, or its id, the start of its id, or its name.
    :raises NexusWorkerError: As :func:`find_job` does.
    """
    return job if isinstance(job, JobRef) else find_job(job)


def get_job_status(job: JobRef | str) -> JobStatus:
    """Return the current status of a job.

    :param job: The job, or its id, the start of its id, or its name.
    :raises NexusWorkerError: If there is no such job, or Nexus does not answer.
    """
    if isinstance(job, JobRef):
        return get_status(job)
    return _find(job).status


def get_job_details(job: JobRef | str) -> Job:
    """Return all that Nexus knows of a job, without its programs and results.

    :param job: The job, or its id, the start of its id, or its name.
    :raises NexusWorkerError: If there is no such job, or Nexus does not answer.
    """
    if isinstance(job, JobRef):
        return fetch_job(job)
    found = _find(job)
    # A lookup by id reads the items as well, a list does not.
    return fetch_job(found) if found.items_total is None else found


def _find(text: str) -> Job:
    if not isinstance(text, str) or not text.strip():
        raise InvalidInputError(
            f"The job is {text!r}; give its id, the start of its id, or its name."
        )
    check_unicode("The job", text)
    text = text.strip()
    uuid = _read_id(text)
    if uuid is not None:
        return _by_id(uuid)
    named = list(
        listed_jobs(
            {"filter[name_exact]": text, "sort": "-timestamps.created"},
            partial(get_json, f"look up job {text!r}"),
            limit=_SHOWN_CANDIDATES + 1,
            page_size=_SHOWN_CANDIDATES + 1,
        )
    )
    if named:
        # A name that a job shares with its own compilation means the job.
        execute_jobs = [job for job in named if not job.compiles]
        return _the_one(text, execute_jobs or named, "are called")
    return _by_start(text)


def _by_id(uuid: UUID) -> Job:
    try:
        body = get_json(f"look up job {uuid}", f"{JOBS_PATH}/{uuid}")
    except NexusRefusedError as error:
        if error.status_code not in _NOT_THERE:
            raise
        raise UnknownNameError(
            f"There is no job {uuid} that you may see on Nexus at {CONFIG.url}: it was "
            "deleted, or it belongs to somebody who has not shared it.",
            error.status_code,
        ) from error
    return read_job(body["data"], body["included"])


def _by_start(text: str) -> Job:
    start = text.lower()
    digits = len(start.replace("-", ""))
    if not _START_OF_ID.fullmatch(start):
        raise _unknown(f"There is no job called {text!r} that you may see")
    if digits < _LEAST_DIGITS:
        raise _unknown(
            f"There is no job called {text!r} that you may see, and as the start of an "
            f"id it is too short: give at least {_LEAST_DIGITS} digits"
        )
    found = []
    n_searched = 0
    newest_first = {"sort": "-timestamps.created"}
    read = partial(get_json, f"look up the job whose id starts with {start}")
    for job in listed_jobs(newest_first, read, limit=NEWEST_JOBS):
        n_searched += 1
        if job.job_id.startswith(start):
            found.append(job)
            if digits >= _SAFE_DIGITS:
                break
    if found and n_searched == NEWEST_JOBS and digits < _SAFE_DIGITS:
        raise InvalidInputError(
            f"Only your newest {NEWEST_JOBS} jobs were searched for an id that starts "
            f"with {text!r}, and an older one may start alike: give at least "
            f"{_SAFE_DIGITS} digits. Found: {_list(found)}."
        )
    if not found:
        where = (
            f"your newest {NEWEST_JOBS} jobs, and older ones were not searched: give "
            "the whole id of those"
            if n_searched == NEWEST_JOBS
            else "those that you may see"
        )
        raise _unknown(
            f"No job is called {text!r}, and no id starts with it among {where}"
        )
    return _the_one(text, found, "have an id that starts with")


def _the_one(text: str, jobs: list[Job], relation: str) -> Job:
    if len(jobs) == 1:
        return jobs[0]
    more = len(jobs) > _SHOWN_CANDIDATES
    raise InvalidInputError(
        f"{'More than ' if more else ''}{min(len(jobs), _SHOWN_CANDIDATES)} jobs "
        f"{relation} {text!r}; give the id of one: {_list(jobs[:_SHOWN_CANDIDATES])}."
    )


def _list(jobs: list[Job]) -> str:
    now = datetime.now(UTC)
    return "; ".join(
        f"{job.name!r} {job.job_id} in project {job.project!r}, "
        f"{age((now - job.created).total_seconds())} old"
        for job in jobs
    )


def _unknown(reason: str) -> UnknownNameError:
    return UnknownNameError(f"{reason}, on Nexus at {CONFIG.url}.", 404)


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
