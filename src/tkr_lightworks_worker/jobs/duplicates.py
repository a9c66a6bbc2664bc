"""Duplicates of a job: jobs that one submission made twice.

A request that a gateway held can arrive after the same job was submitted again. Where
that is possible, the submission is in doubt, and what waits for the job looks for its
digest in the list of jobs again: a duplicate is cancelled, and one that ran is named.
"""

import logging

from tkr_lightworks_worker.artemis.client import call, request
from tkr_lightworks_worker.artemis.states import Phase
from tkr_lightworks_worker.errors import ArtemisRefusedError, LightworksWorkerError
from tkr_lightworks_worker.jobs.listing import read_items
from tkr_lightworks_worker.jobs.models import Job, JobRef, JobStatus
from tkr_lightworks_worker.jobs.status import describe, get_details
from tkr_lightworks_worker.jobs.submissions import Doubt, digest_in
from tkr_runtime.jobs.idempotency import is_look_due

logger = logging.getLogger(__name__)

_LOOK_RETRY_TIME = 30.0


def settle_duplicates(job: JobRef, status: JobStatus) -> None:
    """Look for duplicates of a job and cancel them, if its submission is in doubt.

    Call it with each status that is seen: it looks when the state has changed, when the
    job has ended, and after 1, 5 and every 30 minutes. A look-up that fails is a
    warning, because the job itself is there.

    :param job: The job that is used.
    :param status: Its status now.
    """
    digest = digest_in(job.name)
    if digest is None or not Doubt(digest).exists:
        return
    state = status.state.name
    if not is_look_due(str(job.job_id), state, is_final=status.is_final):
        return
    doubt = Doubt(digest)
    try:
        items = call(
            f"look for duplicates of {describe(job)}",
            read_items,
            retry_time=_LOOK_RETRY_TIME,
        )
        for item in items:
            is_own = any(f"[{digest}]" in text for text in item.texts())
            if is_own and item.job_id != job.job_id:
                duplicate = job.model_copy(update={"job_id": item.job_id})
                cancel_duplicate(duplicate, job.job_id, doubt)
    except LightworksWorkerError as error:
        logger.warning(
            "artemis: could not look for duplicates of %s: %s", describe(job), error
        )


def cancel_duplicate(duplicate: JobRef, kept: int, doubt: Doubt) -> None:
    """Cancel a job unless it has ended, and note it if it ran.

    :param duplicate: The job.
    :param kept: The id of the job that is used.
    :param doubt: The doubt about their submission.
    :raises LightworksWorkerError: If Artemis refuses or does not answer.
    """
    seen = get_details(duplicate)
    status = seen
    if not seen.is_final:
        logger.warning(
            "artemis: cancelling %s, a duplicate of %s", describe(duplicate), kept
        )
        doubt.note("cancelled", str(duplicate.job_id))
        status = cancel(duplicate)
    if not (_has_run(seen) or _has_run(status)):
        return
    if str(duplicate.job_id) not in doubt.noted("billed"):
        doubt.note("billed", str(duplicate.job_id))
        logger.warning(
            "artemis: %s ran as a duplicate of %s, because a request arrived late",
            describe(duplicate),
            kept,
        )


def cancel(job: JobRef) -> Job:
    """Cancel a job unless it has ended meanwhile, and return it as it is then.

    Two requests to cancel have the effect of one: a lost answer is retried.

    :param job: The job.
    :raises LightworksWorkerError: If Artemis refuses or does not answer.
    """
    path = f"jobs/{job.job_id}/cancel"
    try:
        call(f"cancel {describe(job)}", lambda: request("PUT", path))
    except ArtemisRefusedError:
        found = get_details(job)
        if not found.is_final:
            raise
        logger.info("artemis: %s ended before it was cancelled", describe(job))
        return found
    return get_details(job)


def _has_run(job: Job) -> bool:
    return job.phase is Phase.SUCCEEDED or job.state.name == "Running"
