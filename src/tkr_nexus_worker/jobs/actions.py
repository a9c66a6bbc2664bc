"""Change jobs on Nexus: cancel, retry and delete them."""

import logging

import httpx
import qnexus as qnx
from qnexus.models.job_status import JobStatusEnum
from qnexus.models.references import JobRef

from tkr_nexus_worker.costs.limits import Again
from tkr_nexus_worker.errors import (
    InvalidInputError,
    NexusRefusedError,
    NotLoggedInError,
)
from tkr_nexus_worker.jobs.duplicates import settle_budgets
from tkr_nexus_worker.jobs.find import get_job_details, resolve_job
from tkr_nexus_worker.jobs.models import Job, JobStatus
from tkr_nexus_worker.jobs.status import describe, get_status
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.states import JOB_STATES, Phase

logger = logging.getLogger(__name__)

_FAILED_STATES = [
    JobStatusEnum[state.name]
    for state in JOB_STATES.values()
    if state.phase is Phase.FAILED
]


def cancel_job(job: JobRef | str) -> JobStatus:
    """Ask Nexus to cancel a job, unless it has ended.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: The status afterwards; a device may take some time to cancel.
    :raises NexusWorkerError: If there is no such job, or Nexus refuses or does not
        answer.
    """
    ref = resolve_job(job)
    status = get_status(ref)
    if status.is_final:
        return status
    try:
        # Two requests to cancel have the effect of one: a lost answer is retried.
        call(f"cancel {describe(ref)}", lambda: qnx.jobs.cancel(ref))
    except NexusRefusedError as error:
        if error.status_code != httpx.codes.CONFLICT:
            raise
        logger.info("nexus: %s ended before it was cancelled", describe(ref))
    return get_status(ref)


def cancel_by_id(job_id: str) -> str:
    """Cancel a job after its workflow was interrupted.

    :param job_id: The id of the job.
    :returns: The state afterwards.
    :raises NexusWorkerError: If the job cannot be cancelled.
    """
    return cancel_job(job_id).state.name


def retry_job(job: JobRef | str, *, force: bool = False) -> JobStatus:
    """Let Nexus run the failed programs of a job again, in the same job.

    They are billed again, so under a budget they reserve again as much as the job has
    reserved before, and what they have cost so far stays spent. A job with a program
    that waits or runs is refused, because Nexus may still finish, and bill, what would
    run a second time.

    :param job: The job, or its id, the start of its id, or its name.
    :param force: Whether to retry although some programs wait or run, or are in a state
        that this version does not know. Those are not submitted again, but a program
        that Nexus counts as failed and a device still runs is then billed twice.
    :returns: The status afterwards.
    :raises InvalidInputError: If the job could still run, or none of its programs
        failed.
    :raises BudgetExceededError: If too little is left of a budget of the job.
    :raises NexusWorkerError: If there is no such job, or Nexus refuses or does not
        answer.
    """
    found = get_job_details(job)
    if not force:
        _refuse_if_alive(found, "retried")
    if not any(item.phase is Phase.FAILED for item in found.items):
        raise InvalidInputError(
            f"No program of {describe(found)} failed: it {found.state.meaning} "
            f"({found.state.name}); to run it once more, submit it again."
        )
    ref = found.ref()
    settle_budgets(found.description, found)
    failed = [item for item in found.items if item.phase is Phase.FAILED]
    again = Again(found.job_id, sum(item.cost or 0.0 for item in failed), found.name)
    again.reserve()
    try:
        call(
            f"retry {describe(ref)}",
            lambda: qnx.jobs.retry_submission(ref, retry_status=_FAILED_STATES),
            changes=True,
        )
    except (NexusRefusedError, NotLoggedInError):
        again.release()
        raise
    status = get_status(ref)
    settle_budgets(found.description, status)
    return status


def delete_job(job: JobRef | str, *, force: bool = False) -> str:
    """Delete a job with its results permanently.

    :param job: The job, or its id, the start of its id, or its name.
    :param force: Whether to delete the job also while it waits or runs. What a device
        has begun is billed all the same, and its results are lost.
    :returns: The id of the deleted job.
    :raises InvalidInputError: If the job could still run.
    :raises NexusWorkerError: If there is no such job, or Nexus refuses or does not
        answer.
    """
    if force:
        ref = resolve_job(job)
    else:
        found = get_job_details(job)
        _refuse_if_alive(found, "deleted")
        ref = found.ref()
    try:
        # Two requests to delete have the effect of one: a lost answer is retried.
        call(f"delete {describe(ref)}", lambda: qnx.jobs.delete(ref))
    except NexusRefusedError as error:
        if error.status_code != httpx.codes.NOT_FOUND or _exists(ref):
            raise
        logger.info("nexus: %s is deleted already", describe(ref))
    return str(ref.id)


def _exists(job: JobRef) -> bool:
    try:
        get_status(job)
    except NexusRefusedError as error:
        return error.status_code != httpx.codes.NOT_FOUND
    return True


def _refuse_if_alive(job: Job, change: str) -> None:
    alive = [item for item in job.items if not item.is_final]
    if job.is_final and not alive:
        return
    subject = f"{len(alive)} of its {len(job.items)} programs" if alive else "it"
    raise InvalidInputError(
        f"The {describe(job)} cannot be {change}: it {job.state.meaning} "
        f"({job.state.name}), and {subject} could still run. Wait, or cancel it first; "
        "with force it is done anyway, and what still runs is billed as well."
    )
