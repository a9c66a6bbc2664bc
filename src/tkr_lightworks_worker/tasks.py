"""The tasks of the worker, as Tierkreis sees them.

Each is a thin layer over a function of this package.
"""
# Tierkreis reads the annotations at run time: no postponed evaluation in this module.

from typing import Any, NamedTuple, cast

from pydantic import BaseModel
from tierkreis.models import portmapping

from tkr_lightworks_worker import jobs, results, samplers, validation
from tkr_lightworks_worker.artemis import qpus
from tkr_lightworks_worker.artemis.qpus import QpuDetails, QpuSummary
from tkr_lightworks_worker.cloud import LIGHTWORKS
from tkr_lightworks_worker.errors import InvalidInputError
from tkr_lightworks_worker.jobs import wait
from tkr_lightworks_worker.jobs.models import Job, JobPayload, JobRef, JobStatus
from tkr_lightworks_worker.results import SamplingResult
from tkr_lightworks_worker.samplers import SamplerSpec
from tkr_lightworks_worker.validation import JobValidation
from tkr_runtime.tasks.worker import TaskWorker


def _encode_model(value: Any) -> bytes | None:
    if isinstance(value, BaseModel):
        return value.model_dump_json().encode()
    return None


def _describe_job(value: Any) -> str | None:
    if isinstance(value, JobRef):
        return jobs.describe(value).replace("job", "Job", 1)
    return None


worker = TaskWorker(LIGHTWORKS, encode=_encode_model, describe_job=_describe_job)


@worker.task()
def submit_job(qpu_name: str, job_name: str, sampler: SamplerSpec) -> JobRef:
    """Submit a sampler as a job.

    :param qpu_name: The name of the QPU.
    :param job_name: A name for the job; a digest is added.
    :param sampler: The sampler.
    :returns: A reference to the job.
    """
    return jobs.submit_job(qpu_name, job_name, sampler)


@worker.task()
def submit_jobs(
    qpu_name: str, job_name: str, samplers: list[SamplerSpec]
) -> list[JobRef]:
    """Submit samplers, one job for each.

    :param qpu_name: The name of the QPU.
    :param job_name: A name for the jobs; each gets its number and a digest.
    :param samplers: The samplers, at least one.
    :returns: References to the jobs, in the order of the samplers.
    """
    return jobs.submit_jobs(qpu_name, job_name, samplers)


@worker.task()
def prepare_job(qpu_name: str, job_name: str, samplers: list[SamplerSpec]) -> str:
    """Check a job before anything is submitted.

    :param qpu_name: The name of the QPU.
    :param job_name: A name for the jobs.
    :param samplers: The samplers, at least one.
    :returns: The name of the QPU.
    :raises InvalidInputError: If anything is wrong with the job, or the QPU is offline.
    :raises TokenError: If there is no valid token.
    """
    return jobs.prepare_job(qpu_name, job_name, samplers)


@worker.task()
def is_running(job: JobRef) -> bool:
    """Return whether a job still waits or runs.

    :param job: The job.
    :returns: False once the job has completed or timed out, True before.
    :raises JobFailedError: If the job failed or was cancelled.
    """
    return jobs.is_running(job)


# Tierkreis declares the decorator for dataclasses, and takes named tuples only.
@portmapping
class JobChange(NamedTuple):  # type: ignore[misc]
    """The status of jobs after a change.

    :param status: The states, and the first place in the queue.
    :param is_unfinished: Whether any of the jobs still waits or runs.
    """

    status: str
    is_unfinished: bool


@worker.task()
def wait_for_change(
    jobs: list[JobRef],
    polling_interval: float,
    known_status: str = "",
    allow_failed: bool = False,
) -> JobChange:
    """Wait until all jobs have ended or their status has changed, an hour at most.

    :param jobs: The jobs.
    :param polling_interval: The longest time between two looks, in seconds.
    :param known_status: The status that the caller knows; empty to return at once.
    :param allow_failed: Whether to return also where jobs failed, instead of raising an
        error once all have ended.
    :returns: The status of the jobs.
    :raises JobFailedError: If jobs failed or were cancelled; it names each.
    """
    found = wait.wait_for_change(jobs, polling_interval, known_status)
    is_unfinished = not all(job.is_final for job in found)
    if not (is_unfinished or allow_failed):
        wait.raise_if_failed(found)
    return JobChange(wait.summarize(found), is_unfinished)


@worker.task()
def get_results(
    jobs: list[JobRef], allow_failed: bool = False, allow_partial: bool = True
) -> list[SamplingResult]:
    """Download the results of jobs that have ended.

    :param jobs: The jobs.
    :param allow_failed: Whether to mark a job that failed by a result without counts.
    :param allow_partial: Whether to take the samples of a job that timed out, marked as
        partial, instead of failing.
    :returns: One result for each job, in their order.
    :raises JobFailedError: If a job failed or timed out, and that is not allowed.
    """
    # Results are written as they arrive: few of them are held at once.
    found = results.iterate_results(
        jobs, allow_failed=allow_failed, allow_partial=allow_partial
    )
    return cast("list[SamplingResult]", found)


@worker.task()
def list_scheduled_jobs(limit: int = 100) -> list[Job]:
    """List the jobs that wait or run, the newest first.

    :param limit: The largest number of jobs to list.
    :returns: The jobs.
    """
    return jobs.list_scheduled_jobs(limit=limit)


@worker.task()
def get_job_status(job: JobRef | int | str) -> JobStatus:
    """Return the current status of a job.

    :param job: The job, or its id, or its name.
    :returns: The status.
    """
    return jobs.get_job_status(job)


@worker.task()
def get_job_details(job: JobRef | int | str) -> Job:
    """Return all that Artemis knows of a job, without its payload and results.

    :param job: The job, or its id, or its name.
    :returns: The state, queue position, dates, notes and log.
    """
    return jobs.get_job_details(job)


@worker.task()
def get_job_payload(job: JobRef | int | str) -> JobPayload:
    """Return what was submitted as a job, from the receipt of its workflow.

    :param job: The job, or its id, or its name.
    :returns: The payload.
    :raises InvalidInputError: If no receipt on this machine has it.
    """
    return jobs.get_job_payload(job)


@worker.task()
def check_job_complete(job: JobRef | int | str) -> bool:
    """Return whether a job has completed or timed out.

    :param job: The job, or its id, or its name.
    :returns: True once it has, False while it waits or runs.
    :raises JobFailedError: If the job failed or was cancelled.
    """
    return jobs.check_job_complete(job)


@worker.task()
def wait_until_complete(
    job: JobRef | int | str,
    timeout: float = jobs.A_WEEK,
    poll_interval: float = 30.0,
    allow_failed: bool = False,
) -> JobStatus:
    """Wait until a job has ended.

    :param job: The job, or its id, or its name.
    :param timeout: The longest time to wait, in seconds.
    :param poll_interval: The longest time between two requests, in seconds.
    :param allow_failed: Whether to return also if the job failed.
    :returns: The final status.
    :raises WaitTimeoutError: If the job has not ended in that time; it continues.
    :raises JobFailedError: If the job failed, unless that is allowed.
    """
    return jobs.wait_until_complete(
        job, timeout=timeout, poll_interval=poll_interval, allow_failed=allow_failed
    )


@worker.task()
def cancel_job(job: JobRef | int | str) -> JobStatus:
    """Cancel a job, unless it has ended.

    :param job: The job, or its id, or its name.
    :returns: The status afterwards.
    """
    return jobs.cancel_job(job)


@worker.task()
def retry_job(job: JobRef | int | str, force: bool = False) -> JobRef:
    """Submit a job again that failed, was cancelled or timed out, as a new job.

    :param job: The job, or its id, or its name.
    :param force: Whether to submit it again also where it waits, runs or has completed.
    :returns: A reference to the new job.
    :raises InvalidInputError: If the job did not fail, or its payload is not known.
    """
    return jobs.retry_job(job, force=force)


@worker.task()
def list_qpus() -> list[QpuSummary]:
    """List the QPUs that you may use.

    :returns: The QPUs.
    """
    return qpus.list_qpus()


@worker.task()
def get_qpu_details(name: str) -> QpuDetails:
    """Return the limits of a QPU, and whether it is online.

    :param name: The name as ``list_qpus`` gives it.
    :returns: The QPU.
    :raises InvalidInputError: If there is no such QPU; it names the closest.
    """
    return qpus.get_qpu_details(name)


@worker.task()
def validate_job(qpu_name: str, samplers: list[SamplerSpec]) -> JobValidation:
    """Check whether samplers fit a QPU; nothing is submitted.

    :param qpu_name: The name of the QPU.
    :param samplers: The samplers.
    :returns: All problems, and what each sampler needs.
    """
    return validation.validate_job(qpu_name, samplers)


def _read_job(value: Any) -> JobRef | int | str:
    return JobRef(**value) if isinstance(value, dict) else cast("int | str", value)


def _read_jobs(value: Any) -> list[JobRef]:
    if not isinstance(value, list):
        raise InvalidInputError(
            "The input jobs is not a list; give what submit_jobs returns."
        )
    return [JobRef(**job) for job in value]


for _task in (
    "get_job_status",
    "get_job_details",
    "get_job_payload",
    "check_job_complete",
    "wait_until_complete",
    "cancel_job",
    "retry_job",
):
    worker.read_input_by(_task, "job", _read_job)
for _task in ("wait_for_change", "get_results"):
    worker.read_input_by(_task, "jobs", _read_jobs)
for _task in ("submit_jobs", "prepare_job", "validate_job"):
    worker.read_input_by(_task, "samplers", samplers.read_samplers)
worker.read_input_by("submit_job", "sampler", samplers.read_sampler)
