"""Change jobs that are on Nexus: cancel them, try them again, delete them."""

import logging

import httpx
import qnexus as qnx
from qnexus.models.job_status import JobStatusEnum
from qnexus.models.references import ExecuteJobRef

from tkr_nexus_worker.errors import InvalidInputError, NexusRefusedError
from tkr_nexus_worker.jobs.find import resolve_job
from tkr_nexus_worker.jobs.models import JobStatusReport
from tkr_nexus_worker.jobs.record import JobRecord, get_record
from tkr_nexus_worker.jobs.status import describe, get_status, status_report
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.states import JOB_STATES, Phase

logger = logging.getLogger(__name__)

_FAILED_STATES = [
    JobStatusEnum[state.name]
    for state in JOB_STATES.values()
    if state.phase is Phase.FAILED
]


def cancel_job(job: ExecuteJobRef | str) -> JobStatusReport:
    """Ask Nexus to cancel a job, unless it has ended already.

    :param job: The job, or its id, the start of its id, or its name.
    :returns: Its status afterwards; a device may take some time to cancel.
    :raises NexusWorkerError: If there is no such job, or Nexus refuses or does not
        answer.
    """
    ref = resolve_job(job)
    status = get_status(ref)
    if status.state.is_final:
        return status_report(ref, status)
    try:
        # To cancel twice is to cancel once: a lost answer is no reason to give up.
        call(f"cancel {describe(ref)}", lambda: qnx.jobs.cancel(ref))
    except NexusRefusedError as error:
        if error.status_code != httpx.codes.CONFLICT:
            raise
        logger.info("nexus: %s ended before it was cancelled", describe(ref))
    return status_report(ref, get_status(ref))


def cancel_by_id(job_id: str) -> str:
    """Cancel a job, for a person who has stopped its workflow.

    :param job_id: The id of the job.
    :returns: Its state afterwards.
    :raises NexusWorkerError: If it cannot be cancelled.
    """
    return cancel_job(job_id).state


def retry_job(job: ExecuteJobRef | str, *, force: bool = False) -> JobStatusReport:
    """Let Nexus run again those programs of a job that ended badly, in the same job.

    They are billed again. A job of which a program waits or runs is refused, because
    Nexus may still finish, and bill, what would be run a second time.

    :param job: The job, or its id, the start of its id, or its name.
    :param force: Whether to do so although some programs wait or run, or are in a state
        that this version does not know. Those are not submitted again, but a program
        that Nexus counts as failed and a device still runs is then billed twice.
    :returns: Its status afterwards.
    :raises InvalidInputError: If it could still run, or nothing of it ended badly.
    :raises NexusWorkerError: If there is no such job, or Nexus refuses or does not
        answer.
    """
    ref = resolve_job(job)
    record = get_record(ref)
    if not force:
        _refuse_if_alive(record, "tried again")
    if not any(item.status.state.phase is Phase.FAILED for item in record.items):
        raise InvalidInputError(
            f"Nothing of {describe(ref)} ended badly: it {record.status.state.meaning} "
            f"({record.status.state.name}); to run it once more, submit it again."
        )
    call(
        f"retry {describe(ref)}",
        lambda: qnx.jobs.retry_submission(ref, retry_status=_FAILED_STATES),
        changes=True,
    )
    return status_report(ref, get_status(ref))


def delete_job(job: ExecuteJobRef | str, *, force: bool = False) -> str:
    """Delete a job with its results; there is no way back.

    :param job: The job, or its id, the start of its id, or its name.
    :param force: Whether to delete it also while it waits or runs. What a device has
        begun is billed all the same, and its results are lost.
    :returns: The id of the job that there was.
    :raises InvalidInputError: If it could still run.
    :raises NexusWorkerError: If there is no such job, or Nexus refuses or does not
        answer.
    """
    ref = resolve_job(job)
    if not force:
        _refuse_if_alive(get_record(ref), "deleted")
    try:
        # To delete twice is to delete once: a lost answer is no reason to give up.
        call(f"delete {describe(ref)}", lambda: qnx.jobs.delete(ref))
    except NexusRefusedError as error:
        if error.status_code != httpx.codes.NOT_FOUND or _is_there(ref):
            raise
        logger.info("nexus: %s is deleted already", describe(ref))
    return str(ref.id)


def _is_there(job: ExecuteJobRef) -> bool:
    try:
        get_status(job)
    except NexusRefusedError as error:
        return error.status_code != httpx.codes.NOT_FOUND
    return True


def _refuse_if_alive(record: JobRecord, change: str) -> None:
    alive = [item for item in record.items if not item.status.state.is_final]
    if record.status.state.is_final and not alive:
        return
    state = record.status.state
    total = len(record.items)
    programs = f", and {len(alive)} of its {total} programs" if alive else ", and"
    raise InvalidInputError(
        f"The {describe(record.job)} cannot be {change}: it {state.meaning} "
        f"({state.name}){programs} could still run. Wait, or cancel it first; force "
        "does it all the same, and what then still runs is billed as well."
    )
