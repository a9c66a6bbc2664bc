"""The payload of a job: what was submitted, from the receipt of the workflow."""

from tkr_lightworks_worker.errors import InvalidInputError
from tkr_lightworks_worker.jobs.find import resolve_job
from tkr_lightworks_worker.jobs.models import JobPayload, JobRef
from tkr_lightworks_worker.jobs.receipt import find_receipt
from tkr_lightworks_worker.jobs.status import describe


def get_job_payload(job: JobRef | int | str) -> JobPayload:
    """Return what was submitted as a job.

    Artemis does not give it back: it is read from the receipt of the workflow that
    submitted the job from this machine.

    :param job: The job, or its id, or its name.
    :raises InvalidInputError: If no receipt on this machine has it.
    :raises LightworksWorkerError: If there is no such job, or Artemis does not answer.
    """
    ref = resolve_job(job)
    found = find_receipt(ref.job_id)
    if found is None:
        raise InvalidInputError(
            f"No receipt on this machine has the payload of {describe(ref)}, and "
            "Artemis does not give it back; look in the receipt.json of the workflow "
            "that submitted it, or set TKR_DIR to its directory."
        )
    kept, path = found
    return JobPayload(
        job_id=kept.job_id,
        name=kept.job_name,
        qpu_name=kept.qpu_name,
        url=kept.artemis_url,
        payload=kept.payload,
        receipt=str(path),
    )
