"""How jobs came out: their results, downloaded in the order of the programs."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from hugr.qsystem.result import QsysResult
from pytket.backends.backendresult import BackendResult
from qnexus.models.references import (
    ExecuteJobRef,
    ExecutionResult,
    ExecutionResultRef,
    ResultType,
)

from tkr_nexus_worker.errors import (
    JobFailedError,
    NexusUnavailableError,
    ResultFormatError,
    ResultsNotReadyError,
)
from tkr_nexus_worker.jobs.duplicates import settle_duplicates
from tkr_nexus_worker.jobs.items import ItemResult, describe_failures
from tkr_nexus_worker.jobs.record import JobItem, JobRecord, get_record
from tkr_nexus_worker.jobs.status import (
    JobStatus,
    await_status,
    describe,
    failure_message,
    name_duplicates,
)
from tkr_nexus_worker.nexus.client import call
from tkr_nexus_worker.nexus.states import Phase

logger = logging.getLogger(__name__)

_DOWNLOADS_AT_ONCE = 8

type ShotValue = bool | int | float | list[bool] | list[int] | list[float]
type Shot = list[tuple[str, ShotValue]]
"""The tagged values of one shot, in the order in which the program gave them."""


@dataclass(frozen=True)
class Download:
    """The result of one program.

    :param what: Names the result in messages.
    :param result: The result, as qnexus gives it.
    :param program_name: The name of the program on Nexus.
    """

    what: str
    result: ExecutionResult
    program_name: str | None


@dataclass(frozen=True)
class JobOutcome:
    """A job that has ended, and all results that it has given.

    :param record: What Nexus keeps of the job.
    :param downloads: The results, by the index of the program.
    """

    record: JobRecord
    downloads: dict[int, Download]

    def item_results(self) -> list[ItemResult]:
        """Return what became of each program, in the order of the programs.

        :raises ResultFormatError: If a result has no form as ``BackendResult``.
        """
        job_id = str(self.record.job.id)
        return [
            ItemResult.from_job_item(item, job_id, self._backend_result(item.index))
            for item in self.record.items
        ]

    def backend_results(self) -> list[BackendResult]:
        """Return the result of each program, an empty one for each that failed.

        :raises ResultFormatError: If a result has no form as ``BackendResult``.
        """
        return [
            to_backend_result(self.downloads[item.index])
            if item.succeeded
            else BackendResult()
            for item in self.record.items
        ]

    def program_name(self, index: int) -> str | None:
        """Return the name of a program; None where it has no result to learn it from.

        :param index: The index of the program.
        """
        download = self.downloads.get(index)
        return None if download is None else download.program_name

    def _backend_result(self, index: int) -> BackendResult | None:
        download = self.downloads.get(index)
        return None if download is None else to_backend_result(download)


def is_running(job: ExecuteJobRef) -> bool:
    """Tell whether a job still waits or runs, and name what failed where it failed.

    :param job: The job.
    :returns: False once it has completed, True before.
    :raises JobFailedError: If it ended in any other way; it names each failed item with
        its reason.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    status = await_status(job)
    settle_duplicates(job, status)
    refuse_failed(job, status)
    return status.state.phase is Phase.WAITING


def refuse_failed(job: ExecuteJobRef, status: JobStatus) -> None:
    """Raise an error for a job that ended badly.

    :param job: The job.
    :param status: Its status.
    :raises JobFailedError: If the job failed; it names each failed item with its
        reason.
    :raises NexusWorkerError: If Nexus does not tell.
    """
    if status.state.phase is not Phase.FAILED:
        return
    message = failure_message(job, status)
    # Without an answer, what is known of the job as a whole has to do.
    with suppress(NexusUnavailableError):
        message = _failure_message(get_record(job))
    raise JobFailedError(message)


def fetch_outcome(
    job: ExecuteJobRef, *, allow_failed: bool = True, allow_unfinished: bool = False
) -> JobOutcome:
    """Download the results of a job.

    :param job: The job.
    :param allow_failed: Whether some or all of its programs may have failed.
    :param allow_unfinished: Whether the job may still wait or run.
    :returns: The record of the job and the results that there are.
    :raises ResultsNotReadyError: If the job has not ended, and that is not allowed.
    :raises JobFailedError: If the job or some of its items failed, and that is not
        allowed.
    :raises NexusWorkerError: If the download is not possible.
    """
    record = get_record(job)
    waiting = record.status.state.phase is Phase.WAITING
    if waiting and not allow_unfinished:
        raise ResultsNotReadyError(
            f"The results of {describe(job)} are not ready: it "
            f"{record.status.state.meaning} ({record.status.state.name}). "
            "Wait until it has completed."
        )
    if not waiting and (
        record.failed_items or record.status.state.phase is Phase.FAILED
    ):
        message = _failure_message(record)
        if not allow_failed:
            raise JobFailedError(message)
        logger.warning("nexus: %s", message)
    return JobOutcome(record, _download(record))


def get_results(
    job: ExecuteJobRef, *, allow_failed: bool = False
) -> list[BackendResult]:
    """Download the results of a completed job.

    :param job: The job.
    :param allow_failed: Whether to mark a program that failed by an empty result, which
        equals ``BackendResult()``, instead of raising an error.
    :returns: One result for each program, in the order of the programs. The result of
        a HUGR program is turned into one by ``QsysResult.to_pytket``.
    :raises ResultsNotReadyError: If the job has not ended.
    :raises JobFailedError: If the job or some of its items failed, and that is not
        allowed; it names each failed item with its reason.
    :raises ResultFormatError: If a result cannot be turned into a ``BackendResult``.
    :raises NexusWorkerError: If the download is not possible.
    """
    return fetch_outcome(job, allow_failed=allow_failed).backend_results()


def get_item_results(job: ExecuteJobRef) -> list[ItemResult]:
    """Tell what became of each program of a job that has ended, well or badly.

    :param job: The job.
    :returns: For each program, in their order, its state, result and more.
    :raises ResultsNotReadyError: If the job has not ended.
    :raises ResultFormatError: If a result cannot be turned into a ``BackendResult``.
    :raises NexusWorkerError: If the download is not possible.
    """
    return fetch_outcome(job).item_results()


def get_qsys_shots(job: ExecuteJobRef) -> list[list[Shot]]:
    """Download the raw shots of a completed job of HUGR programs.

    :param job: The job.
    :returns: For each program, in their order, a list of its shots.
    :raises ResultFormatError: If a program gave no tagged shots.
    :raises NexusWorkerError: As :func:`get_results` does.
    """
    outcome = fetch_outcome(job, allow_failed=False)
    return [to_shots(outcome.downloads[item.index]) for item in outcome.record.items]


def _failure_message(record: JobRecord) -> str:
    """Say in what state a job ended, how its items failed, and what to do next."""
    job_id, state = str(record.job.id), record.status.state
    failed = [
        ItemResult.from_job_item(item, job_id, result=None)
        for item in record.failed_items
    ]
    message = describe(record.job).replace("job ", "Job ", 1)
    message += f" {state.meaning} ({state.name})"
    # Nexus often says of a job what it says of one of its items.
    if record.status.reason not in {"", *(item.reason for item in failed)}:
        message += f": {record.status.reason}"
    if failed:
        message += (
            f"; {len(failed)} of its {len(record.items)} circuits gave no complete "
            f"result: {describe_failures(failed)}"
        )
    message += f". Next: {state.advice or 'submit these circuits again as a new job'}."
    if len(failed) < len(record.items):
        message += " The task get_item_results fetches the results of the others."
    return f"{message}{name_duplicates(record.job)}"


def _download(record: JobRecord) -> dict[int, Download]:
    """Download side by side what there is of results."""
    items = [item for item in record.items if item.result_id is not None]

    def download(item: JobItem) -> Download:
        return _download_one(record.job, item)

    # The first download comes alone: it renews an expired login once for all.
    first = [download(item) for item in items[:1]]
    with ThreadPoolExecutor(max_workers=_DOWNLOADS_AT_ONCE) as pool:
        downloads = [*first, *pool.map(download, items[1:])]
    logger.info(
        "nexus: downloaded %d results of %s", len(downloads), describe(record.job)
    )
    return {item.index: one for item, one in zip(items, downloads, strict=True)}


def _download_one(job: ExecuteJobRef, item: JobItem) -> Download:
    what = f"result {item.index} of {describe(job)}"
    ref = ExecutionResultRef(
        id=UUID(item.result_id),
        annotations=job.annotations,
        project=job.project,
        result_type=ResultType(item.result_type),
    )
    result: ExecutionResult = call(f"download {what}", ref.download_result)
    # qnexus has read the program along with the result.
    return Download(what, result, ref.get_input().annotations.name)


def to_backend_result(download: Download) -> BackendResult:
    """Express the result of a program as pytket does.

    :param download: The result.
    :returns: The result; that of a HUGR program by ``QsysResult.to_pytket``.
    :raises ResultFormatError: If it has no such form.
    """
    if isinstance(download.result, BackendResult):
        return download.result
    if isinstance(download.result, QsysResult):
        try:
            return download.result.to_pytket()
        except ValueError as error:
            raise ResultFormatError(
                f"The {download.what} cannot be turned into a BackendResult ({error}); "
                "take its raw shots by the task get_qsys_shots instead."
            ) from error
    raise ResultFormatError(
        f"The {download.what} is the output of a QIR program, which has no "
        "BackendResult; download it by qnexus instead."
    )


def to_shots(download: Download) -> list[Shot]:
    """List the tagged shots of a HUGR program.

    :param download: The result.
    :returns: The shots, in the order in which they were taken.
    :raises ResultFormatError: If the program gave no tagged shots.
    """
    result = download.result
    if not isinstance(result, QsysResult):
        raise ResultFormatError(
            f"The {download.what} has no tagged shots (it is a "
            f"{type(result).__name__}); take it by the task get_results instead."
        )
    return [[(tag, value) for tag, value in shot.entries] for shot in result.results]
