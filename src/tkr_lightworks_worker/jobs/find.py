"""Find a job by what a person knows of it: its id, its name, or how its name starts."""

from tkr_lightworks_worker.artemis import settings
from tkr_lightworks_worker.artemis.client import call
from tkr_lightworks_worker.errors import InvalidInputError, UnknownJobError
from tkr_lightworks_worker.jobs.listing import JobItem, read_items
from tkr_lightworks_worker.jobs.models import Job, JobRef, JobStatus
from tkr_lightworks_worker.jobs.receipt import receipts_of_jobs
from tkr_lightworks_worker.jobs.status import get_details
from tkr_lightworks_worker.jobs.submissions import without_digest

_SHOWN_CANDIDATES = 10
# Of an id; Python does not convert numbers of any length.
_MOST_DIGITS = 100


def find_job(text: str) -> JobRef:
    """Find a job by its id, its name, or how its name starts.

    A number is an id. Names are those in the list of jobs, with or without the digest
    that the worker adds; where the list has no names, those in the receipts of the
    workflows on this machine.

    :param text: The id, or the name, or how it starts.
    :raises InvalidInputError: If several jobs match, which the message lists, or the
        text is empty.
    :raises UnknownJobError: If there is no such job.
    :raises LightworksWorkerError: If Artemis does not answer.
    """
    if not isinstance(text, str) or not text.strip():
        raise InvalidInputError(f"The job is {text!r}; give its id or its name.")
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return _with_name(JobRef(job_id=int(text), url=settings.url()))
    items = call(f"look up job {text!r}", read_items)
    refs = [item.ref() for item in items if item.name] or _from_receipts(items)
    for matches in (
        [ref for ref in refs if text in (ref.name, without_digest(ref.name))],
        [ref for ref in refs if ref.name.startswith(text)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise InvalidInputError(
                f"Several jobs match {text!r}; give the id of one: "
                + "; ".join(
                    f"{it.name!r} {it.job_id}" for it in matches[:_SHOWN_CANDIDATES]
                )
                + "."
            )
    raise UnknownJobError(
        f"There is no job called {text!r} on Artemis at {settings.url()}.", 404
    )


def resolve_job(job: JobRef | int | str) -> JobRef:
    """Return a reference to a job, however it is named.

    :param job: The job, or its id, or its name.
    :raises LightworksWorkerError: As :func:`find_job` does.
    """
    if isinstance(job, JobRef):
        return job
    return find_job(str(job))


def get_job_status(job: JobRef | int | str) -> JobStatus:
    """Return the current status of a job.

    :param job: The job, or its id, or its name.
    :raises LightworksWorkerError: If there is no such job, or Artemis does not answer.
    """
    return get_details(resolve_job(job)).status


def get_job_details(job: JobRef | int | str) -> Job:
    """Return all that Artemis knows of a job, without its payload and results.

    :param job: The job, or its id, or its name.
    :raises LightworksWorkerError: If there is no such job, or Artemis does not answer.
    """
    return get_details(resolve_job(job))


def _from_receipts(items: list[JobItem]) -> list[JobRef]:
    listed = {item.job_id for item in items}
    return [kept.ref() for kept in receipts_of_jobs() if kept.job_id in listed]


def _with_name(ref: JobRef) -> JobRef:
    """Add the name of a job where a receipt on this machine has it."""
    kept = next(receipts_of_jobs(ref.job_id), None)
    return ref if kept is None else kept.ref()
