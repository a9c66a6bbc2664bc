"""Find a job by what a person has of it: its id, the start of its id, or its name."""

import re
from functools import partial
from uuid import UUID

from qnexus.config import CONFIG
from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker.errors import InvalidInputError, NexusRefusedError
from tkr_nexus_worker.jobs.listing import (
    ListedJob,
    listed_jobs,
    only_execute_jobs,
    read_job,
)
from tkr_nexus_worker.jobs.status import JOBS_PATH
from tkr_nexus_worker.nexus.client import get_json
from tkr_runtime.times import age

NEWEST_JOBS = 1000
"""Among how many jobs, the newest first, the start of an id is looked for."""

_SHOWN_CANDIDATES = 10
_LEAST_DIGITS = 4
# That one of 10,000 other jobs has the same digits is a chance of 2 in a million.
_SAFE_DIGITS = 8
_START_OF_ID = re.compile(
    r"[0-9a-f]{1,8}|[0-9a-f]{8}(-[0-9a-f]{0,4}){1,3}(-[0-9a-f]*)?"
)
_NOT_THERE = frozenset({403, 404})


def find_job(text: str) -> ExecuteJobRef:
    """Find an execute job by its id, its name, or the start of its id.

    A name goes before the start of an id. Nexus filters by name and by id; for the
    start of an id the newest 1,000 jobs are looked through. Eight digits are taken as
    unique at the first job that has them, fewer only if no other of those jobs has them
    and there are no older ones.

    :param text: The id; or the whole name; or at least four digits of the start of the
        id.
    :returns: A reference to the job.
    :raises InvalidInputError: If several jobs fit, which the message lists, or the job
        compiles programs and does not run them, or the text is empty.
    :raises NexusRefusedError: If there is no such job that you may see.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidInputError(
            f"The job is {text!r}; give its id, the start of its id, or its name."
        )
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
        execute_jobs = [job for job in named if job.is_execute]
        return _the_one(text, execute_jobs or named, "are called")
    return _by_start(text)


def resolve_job(job: ExecuteJobRef | str) -> ExecuteJobRef:
    """Return a reference to a job, however it is named.

    :param job: The job, or its id, the start of its id, or its name.
    :raises NexusWorkerError: As :func:`find_job` does.
    """
    return job if isinstance(job, ExecuteJobRef) else find_job(job)


def _by_id(uuid: UUID) -> ExecuteJobRef:
    try:
        body = get_json(f"look up job {uuid}", f"{JOBS_PATH}/{uuid}")
    except NexusRefusedError as error:
        if error.status_code not in _NOT_THERE:
            raise
        raise NexusRefusedError(
            f"There is no job {uuid} that you may see on Nexus at {CONFIG.url}: it was "
            "deleted, or it belongs to somebody who has not shared it.",
            error.status_code,
        ) from error
    return _ref(read_job(body["data"], body["included"]))


def _by_start(text: str) -> ExecuteJobRef:
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
    looked_at = 0
    newest_first = {"sort": "-timestamps.created"} | only_execute_jobs()
    read = partial(get_json, f"look up the job whose id starts with {start}")
    for job in listed_jobs(newest_first, read, limit=NEWEST_JOBS):
        looked_at += 1
        if job.id.startswith(start):
            found.append(job)
            if digits >= _SAFE_DIGITS:
                break
    if found and looked_at == NEWEST_JOBS and digits < _SAFE_DIGITS:
        raise InvalidInputError(
            f"Only your newest {NEWEST_JOBS} jobs were looked at for an id that starts "
            f"with {text!r}, and an older one may have the same start: give at least "
            f"{_SAFE_DIGITS} digits. Found: {_list(found)}."
        )
    if not found:
        where = (
            f"your newest {NEWEST_JOBS} jobs, and older ones were not looked at: give "
            "the whole id for those"
            if looked_at == NEWEST_JOBS
            else "those that you may see"
        )
        raise _unknown(
            f"No job is called {text!r}, and no id starts with it among {where}"
        )
    return _the_one(text, found, "have an id that starts with")


def _the_one(text: str, jobs: list[ListedJob], relation: str) -> ExecuteJobRef:
    if len(jobs) == 1:
        return _ref(jobs[0])
    more = len(jobs) > _SHOWN_CANDIDATES
    raise InvalidInputError(
        f"{'More than ' if more else ''}{min(len(jobs), _SHOWN_CANDIDATES)} jobs "
        f"{relation} {text!r}; give the id of one: {_list(jobs[:_SHOWN_CANDIDATES])}."
    )


def _list(jobs: list[ListedJob]) -> str:
    return "; ".join(
        f"{job.name!r} {job.id} in project {job.project.annotations.name!r}, "
        f"{age(job.age_seconds)} old"
        for job in jobs
    )


def _ref(job: ListedJob) -> ExecuteJobRef:
    if not job.is_execute:
        raise InvalidInputError(
            f"Job {job.name!r} ({job.id}) compiles programs; it does not run them. "
            "Give a job that runs them."
        )
    return job.ref()


def _unknown(reason: str) -> NexusRefusedError:
    return NexusRefusedError(f"{reason}, on Nexus at {CONFIG.url}.", 404)


def _read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
