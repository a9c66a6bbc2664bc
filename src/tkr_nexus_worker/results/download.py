"""Download the results of jobs, in the order of the programs."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from pytket.backends.backendresult import BackendResult
from qnexus.models.references import (
    ExecuteJobRef,
    ExecutionResult,
    ExecutionResultRef,
    JobRef,
    ResultType,
)

from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    ResultsNotReadyError,
)
from tkr_nexus_worker.jobs.duplicates import settle_budgets
from tkr_nexus_worker.jobs.find import get_job_details
from tkr_nexus_worker.jobs.items import ItemResult
from tkr_nexus_worker.jobs.models import Job, JobItem
from tkr_nexus_worker.jobs.payload import with_names_of_failed
from tkr_nexus_worker.jobs.receipt import find_job_of_receipt
from tkr_nexus_worker.jobs.status import describe, failure_message
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.states import Phase
from tkr_nexus_worker.results.counts import CircuitResult, JobResults
from tkr_nexus_worker.results.tagged import ProgramShots, Shot

logger = logging.getLogger(__name__)

_DOWNLOADS_AT_ONCE = 8


def get_results_by_id(
    job: str | Path | ExecuteJobRef,
    *,
    allow_failed: bool = False,
    allow_unfinished: bool = False,
) -> JobResults:
    """Download the results of a job, from wherever it was submitted.

    :param job: The job, or what names it for ``find_job``, or a receipt: a path, or a
        text that ends in ``.json``.
    :param allow_failed: Whether some or all circuits may have failed; they have no
        outcomes then.
    :param allow_unfinished: Whether the job may still wait or run; circuits without a
        result yet have no outcomes then.
    :returns: The results of all circuits.
    :raises InvalidInputError: If the text names no job, or a job that does not run
        circuits.
    :raises ResultsNotReadyError: If the job has not ended, and that is not allowed.
    :raises JobFailedError: If circuits failed, and that is not allowed.
    :raises NexusWorkerError: If Nexus does not have the job or no longer its results,
        or does not answer.
    """
    if isinstance(job, Path) or (isinstance(job, str) and job.endswith(".json")):
        job = find_job_of_receipt(Path(job))
    found = get_job_details(job)
    if found.compiles:
        raise InvalidInputError(
            f"The {describe(found)} compiles programs and does not run them, so that "
            "it has no results; get what it compiled with the task "
            "get_compiled_programs."
        )
    settle_budgets(found.description, found)
    found = with_names_of_failed(found)
    _check_ended(found, allow_failed=allow_failed, allow_unfinished=allow_unfinished)
    return _download(found)


def partial_results(job: str | ExecuteJobRef) -> JobResults:
    """Download what a job has given until now, whatever its state.

    :param job: The job, or what names it for ``find_job``.
    :returns: The results of all circuits; those without one have no outcomes.
    :raises NexusWorkerError: If there is no such job, or the download fails.
    """
    return _download(with_names_of_failed(get_job_details(job)))


def get_results(
    job: ExecuteJobRef, *, allow_failed: bool = False
) -> list[BackendResult]:
    """Download the results of a completed job.

    :param job: The job.
    :param allow_failed: Whether to mark a program that failed by an empty result, which
        equals ``BackendResult()``, instead of raising an error.
    :returns: One result for each program, in the order of the programs. A HUGR
        program has one if its shots all report the same bits; shots that it ended by
        ``exit`` or ``panic`` are left out, which is a warning in the log.
    :raises ResultsNotReadyError: If the job has not ended.
    :raises JobFailedError: If the job or some of its items failed, and that is not
        allowed; it names each failed item with its reason.
    :raises ResultFormatError: If a result cannot be converted to a ``BackendResult``.
    :raises NexusWorkerError: If the download fails.
    """
    return get_results_by_id(job, allow_failed=allow_failed).backend_results()


def results_from_receipt(
    path: Path, *, allow_failed: bool = False
) -> list[BackendResult]:
    """Download the results of a job again, with nothing but its receipt.

    :param path: The receipt.
    :param allow_failed: Whether to mark programs that failed by an empty result instead
        of raising an error, as in ``get_results``.
    :returns: One result for each program, in the order of the programs.
    :raises InvalidInputError: If the receipt cannot be read.
    :raises NexusWorkerError: If there are no results, or the download fails.
    """
    return get_results(find_job_of_receipt(path), allow_failed=allow_failed)


def get_item_results(job: ExecuteJobRef) -> list[ItemResult]:
    """Return the outcome of each program of a job that has ended, well or badly.

    :param job: The job.
    :returns: For each program, in their order, its state, result and more.
    :raises ResultsNotReadyError: If the job has not ended.
    :raises ResultFormatError: If a result cannot be converted to a ``BackendResult``.
    :raises NexusWorkerError: If the download fails.
    """
    return get_results_by_id(job, allow_failed=True).item_results()


def get_qsys_shots(job: ExecuteJobRef) -> list[list[Shot]]:
    """Download the raw shots of a completed job of HUGR or QIR programs.

    :param job: The job.
    :returns: For each program, in their order, a list of its shots.
    :raises ResultFormatError: If a program gave no tagged shots.
    :raises NexusWorkerError: As :func:`get_results` does.
    """
    return [one.tagged_shots for one in get_results_by_id(job)]


def get_program_shots(job: ExecuteJobRef) -> list[ProgramShots]:
    """Download the shots of a completed job, whatever the kind of its programs.

    :param job: The job.
    :returns: The shots of each program, in the order of the programs.
    :raises ResultFormatError: If a program gave no shots.
    :raises NexusWorkerError: As :func:`get_results` does.
    """
    found = get_results_by_id(job)
    return [one.to_shots(found.job.job_id) for one in found]


def _check_ended(job: Job, *, allow_failed: bool, allow_unfinished: bool) -> None:
    waiting = job.phase is Phase.WAITING
    if waiting and not allow_unfinished:
        raise ResultsNotReadyError(
            f"The results of {describe(job)} are not ready: it {job.state.meaning} "
            f"({job.state.name}). Wait until it has completed."
        )
    if not waiting and (job.failed_items or job.phase is Phase.FAILED):
        message = failure_message(job)
        if not allow_failed:
            raise JobFailedError(message)
        logger.warning("nexus: %s", message)


def download_items(job: Job, items: Sequence[JobItem]) -> list[CircuitResult]:
    """Download the results of some items of a job, several at the same time.

    :param job: The job; it may still run.
    :param items: The items; one without a result has no outcomes.
    :returns: The results, in the order of the items.
    :raises NexusWorkerError: If a download fails.
    """
    with_result = [item for item in items if item.result_id is not None]
    ref = job.ref()

    def download(item: JobItem) -> tuple[JobItem, ExecutionResult]:
        return _download_one(ref, item)

    # The first download comes alone: it renews an expired login once for all.
    first = [download(item) for item in with_result[:1]]
    with ThreadPoolExecutor(max_workers=_DOWNLOADS_AT_ONCE) as pool:
        downloads = [*first, *pool.map(download, with_result[1:])]
    logger.info("nexus: downloaded %d results of %s", len(downloads), describe(job))
    found = {item.index: (item, result) for item, result in downloads}
    return [
        CircuitResult(*found.get(item.index, (item, None)), job=describe(job))
        for item in items
    ]


def _download(job: Job) -> JobResults:
    circuits = download_items(job, job.items)
    named = job.model_copy(update={"items": [one.item for one in circuits]})
    return JobResults(named, circuits)


def _download_one(job: JobRef, item: JobItem) -> tuple[JobItem, ExecutionResult]:
    """Download the result of an item, and with it the name of the program."""
    ref = ExecutionResultRef(
        id=UUID(item.result_id),
        annotations=job.annotations,
        project=job.project,
        result_type=ResultType(item.result_type),
    )
    result: ExecutionResult = call(
        f"download result {item.index} of {describe(job)}", ref.download_result
    )
    # qnexus has read the program along with the result.
    name = ref.get_input().annotations.name
    return item.model_copy(update={"program_name": name}), result
