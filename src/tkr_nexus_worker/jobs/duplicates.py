"""Duplicates of a job: jobs that one submission made twice.

A request that a gateway held can arrive after the same job was submitted again. Where
that is possible, the key of the submission is in doubt, and what waits for the job
looks the key up again: a duplicate is cancelled, and one that has run is named.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import httpx
import qnexus as qnx
from qnexus.models.references import CompileJobRef, JobRef, JobType, ProjectRef

from tkr_nexus_worker.costs.limits import bill, settle
from tkr_nexus_worker.errors import NexusRefusedError, NexusWorkerError
from tkr_nexus_worker.jobs.find import get_job_details
from tkr_nexus_worker.jobs.listing import listed_jobs, of_type
from tkr_nexus_worker.jobs.models import Job, JobStatus
from tkr_nexus_worker.jobs.status import describe, get_status
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.idempotency import Doubt, Key, digest_in
from tkr_nexus_worker.nexus.states import Phase
from tkr_runtime.jobs.idempotency import is_look_due
from tkr_runtime.jobs.ledger import Ledger

logger = logging.getLogger(__name__)

_LOOK_RETRY_TIME = 30.0
# How far the clocks of the servers of Nexus may differ.
_SERVERS_DIFFER_BY = timedelta(days=1)


def find_submitted[T: JobRef](
    kind: type[T], name: str, project: ProjectRef, key: Key, *, adopt_failed: bool
) -> T | None:
    """Find the job that an earlier try of the same task has submitted, if it is of use.

    A job that ended badly is of use only where the caller deals with it, a duplicate
    that was cancelled never. Of several jobs the best is used, and the key is in doubt,
    so that :func:`settle_duplicates` deals with the others.

    :param kind: The class of references to such jobs, which says what they do.
    :param name: The name of the job.
    :param project: Its project.
    :param key: The key of the submission.
    :param adopt_failed: Whether a job that ended badly is of use.
    :returns: The job; None if there is none.
    """
    doubt = Doubt(key.digest)
    cancelled = doubt.noted("cancelled")
    useful = []
    for listed in _with_key(kind, name, project, key.since, key.is_in):
        state = listed.state
        if listed.job_id in cancelled:
            continue
        if state.phase is Phase.FAILED and not adopt_failed:
            settle_budgets(listed.description, listed)
            logger.warning(
                "nexus: %s, submitted by this task before, %s (%s)",
                describe(listed.ref()),
                state.meaning,
                state.name,
            )
        else:
            useful.append(listed)
    if not useful:
        return None
    if len(useful) > 1:
        doubt.record()
    best = min(useful, key=lambda job: (_rank(job), job.created, job.job_id)).ref()
    logger.info("nexus: found %s, submitted by this task before", describe(best))
    assert isinstance(best, kind)  # noqa: S101 (it was listed by its type)
    return best


def _rank(status: JobStatus) -> int:
    """Return which of several duplicates to keep: the lowest costs least from now."""
    state = status.state
    if state.name in {"CANCELLING", "CANCELLED"}:
        return 4
    if state.phase is Phase.SUCCEEDED:
        return 0
    if state.phase is Phase.FAILED:
        return 2
    return 1 if has_run(status) else 3


def has_run(status: JobStatus) -> bool:
    """Return whether a job has run, so that it may be billed.

    :param status: Its status.
    """
    return (
        status.state.phase is Phase.SUCCEEDED
        or status.state.name == "RUNNING"
        or "running" in status.times
        or bool(status.cost)
    )


def settle_duplicates(job: JobRef, status: JobStatus | None = None) -> None:
    """Look for duplicates of a job and cancel them, if its submission is in doubt.

    Call it with each status that is seen: it settles the budgets of the job, and looks
    for duplicates when the state has changed, when the job has ended, and after the
    times in ``LOOK_AFTER``. A duplicate that has run is named in the log, and its id is
    kept for errors and the receipt. A look-up that fails is a warning, because the job
    itself is there.

    :param job: The job that is used.
    :param status: Its status now, where it is known.
    """
    if status is not None:
        settle_budgets(job.annotations.description, status)
    doubt = Doubt.about(job.annotations.description)
    state = "" if status is None else status.state.name
    is_final = status is not None and status.state.is_final
    if doubt is None or not is_look_due(str(job.id), state, is_final=is_final):
        return
    try:
        _settle(job, doubt)
    except NexusWorkerError as error:
        logger.warning(
            "nexus: could not look for duplicates of %s: %s", describe(job), error
        )


def settle_budgets(description: str | None, status: JobStatus) -> None:
    """Let a job that has ended hold nothing of its budgets but what it cost.

    :param description: The description of the job, which carries its key.
    :param status: Its status; with its items, if Nexus reports no cost of the job.
    """
    settle(
        digest_in(description),
        status.job_id,
        status.name,
        _billed(status),
        is_final=status.state.is_final,
        succeeded=status.state.phase is Phase.SUCCEEDED,
        has_run=has_run(status),
    )


def settle_ledger(ledger: Ledger) -> None:
    """Ask Nexus for the jobs of a ledger that are not settled, and settle those ended.

    :param ledger: The ledger. A job that Nexus does not show keeps what it holds, which
        is a warning in the log.
    :raises NexusWorkerError: If Nexus does not answer, or there is no login.
    """
    for entry in ledger.balance().entries:
        if entry.state != "submitted" or entry.job_id is None:
            continue
        try:
            status = get_job_details(entry.job_id)
        except NexusRefusedError as error:
            logger.warning("nexus: %s keeps what it holds: %s", entry.what, error)
            continue
        cost = _billed(status)
        if status.state.is_final and (cost is not None or not has_run(status)):
            bill(ledger, entry.job_id, status.name, cost)


def _billed(status: JobStatus) -> float | None:
    """Return what Nexus has billed for a job; None if it reports nothing."""
    if status.cost is None and isinstance(status, Job):
        costs = [item.cost for item in status.items if item.cost is not None]
        return sum(costs) if costs else None
    return status.cost


def _settle(job: JobRef, doubt: Doubt) -> None:
    created = job.annotations.created
    since = None if created is None else created - _SERVERS_DIFFER_BY
    digest = digest_in(job.annotations.description)
    found = call(
        f"look for duplicates of {describe(job)}",
        lambda: list(
            _with_key(
                type(job),
                job.annotations.name or "",
                job.project,
                since,
                lambda description: digest_in(description) == digest,
            )
        ),
        retry_time=_LOOK_RETRY_TIME,
    )
    for listed in found:
        if listed.job_id == str(job.id):
            continue
        is_older = created is not None and listed.created < created
        if listed.state.phase is Phase.FAILED and is_older:
            continue  # it ended before this job was submitted for it
        duplicate = listed.ref()
        status: JobStatus = listed
        if not status.state.is_final and status.state.name != "CANCELLING":
            logger.warning(
                "nexus: cancelling %s, a duplicate of %s", describe(duplicate), job.id
            )
            doubt.note("cancelled", listed.job_id)
            status = _cancel(duplicate)
        settle_budgets(listed.description, status if status.cost else listed)
        if (has_run(status) or has_run(listed)) and (
            listed.job_id not in doubt.noted("billed")
        ):
            doubt.note("billed", listed.job_id)
            logger.warning(
                "nexus: %s has run as a duplicate of %s, because a request arrived "
                "late; both may be billed",
                describe(duplicate),
                job.id,
            )


def _cancel(job: JobRef) -> JobStatus:
    """Cancel a job unless it has ended meanwhile; return its status afterwards."""
    try:
        call(
            f"cancel {describe(job)}",
            lambda: qnx.jobs.cancel(job),
            retry_time=_LOOK_RETRY_TIME,
        )
    except NexusRefusedError as error:
        if error.status_code != httpx.codes.CONFLICT:
            raise
        logger.info("nexus: %s ended before it was cancelled", describe(job))
    return get_status(job, retry_time=_LOOK_RETRY_TIME)


def _with_key(
    kind: type[JobRef],
    name: str,
    project: ProjectRef,
    since: datetime | None,
    is_in: Callable[[str | None], bool],
) -> Iterator[Job]:
    """List the jobs of a name whose description carries a key, the oldest first."""
    query = {"filter[name_exact]": name, "sort": "timestamps.created"}
    compiles = issubclass(kind, CompileJobRef)
    job_type = JobType.COMPILE if compiles else JobType.EXECUTE
    query |= of_type(job_type, project=project, created_after=since)
    seen = set()
    for listed in listed_jobs(query):
        # A list that grows between two pages can show a job twice.
        if is_in(listed.description) and listed.job_id not in seen:
            seen.add(listed.job_id)
            yield listed
