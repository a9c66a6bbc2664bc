"""Change jobs on Artemis: cancel and retry them."""

from tkr_lightworks_worker.artemis.states import TIMED_OUT, Phase
from tkr_lightworks_worker.errors import InvalidInputError
from tkr_lightworks_worker.jobs.duplicates import cancel
from tkr_lightworks_worker.jobs.find import resolve_job
from tkr_lightworks_worker.jobs.models import JobRef, JobStatus
from tkr_lightworks_worker.jobs.payload import get_job_payload
from tkr_lightworks_worker.jobs.status import describe, get_details
from tkr_lightworks_worker.jobs.submissions import without_digest
from tkr_lightworks_worker.jobs.submit import resubmit


def cancel_job(job: JobRef | int | str) -> JobStatus:
    """Cancel a job, unless it has ended.

    :param job: The job, or its id, or its name.
    :returns: The status afterwards.
    :raises LightworksWorkerError: If there is no such job, or Artemis refuses or does
        not answer.
    """
    ref = resolve_job(job)
    details = get_details(ref)
    return details.status if details.is_final else cancel(ref).status


def cancel_by_id(job_id: str) -> str:
    """Cancel a job after its workflow was interrupted.

    :param job_id: The id of the job.
    :returns: The state afterwards.
    :raises LightworksWorkerError: If the job cannot be cancelled.
    """
    return cancel_job(int(job_id)).state.name


def retry_job(job: JobRef | int | str, *, force: bool = False) -> JobRef:
    """Submit a job again that failed, was cancelled or timed out, as a new job.

    That is what a retry is in Lightworks. The payload is that of the receipt of the
    workflow which submitted the job.

    :param job: The job, or its id, or its name.
    :param force: Whether to submit it again also where it waits, runs or has completed.
    :returns: A reference to the new job.
    :raises InvalidInputError: If the job did not fail, or its payload is not known.
    :raises LightworksWorkerError: If there is no such job, or Artemis refuses or does
        not answer.
    """
    ref = resolve_job(job)
    details = get_details(ref)
    is_over = details.phase is Phase.FAILED or details.state.name == TIMED_OUT
    if not (is_over or force):
        raise InvalidInputError(
            f"The {describe(ref)} is not submitted again: it {details.state.meaning} "
            f"({details.state.name}). Retry a job that failed, was cancelled or timed "
            "out; with force it is done anyway."
        )
    kept = get_job_payload(ref)
    return resubmit(ref, kept.payload, without_digest(kept.name))
