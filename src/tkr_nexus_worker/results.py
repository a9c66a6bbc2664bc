"""Results of jobs: download them, in the order of the programs."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import qnexus as qnx
from hugr.qsystem.result import QsysResult
from pytket.backends.backendresult import BackendResult
from qnexus.models.references import (
    ExecuteJobRef,
    ExecutionResult,
    ExecutionResultRef,
    IncompleteJobItemRef,
)

from tkr_nexus_worker.calls import call
from tkr_nexus_worker.errors import (
    JobFailedError,
    ResultFormatError,
    ResultsNotReadyError,
)
from tkr_nexus_worker.jobs import describe, failure_message, get_status
from tkr_nexus_worker.states import Phase, job_state

logger = logging.getLogger(__name__)

_DOWNLOADS_AT_ONCE = 8

type ShotValue = bool | int | float | list[bool] | list[int] | list[float]
type Shot = list[tuple[str, ShotValue]]
"""The tagged values of one shot, in the order in which the program gave them."""


def get_results(job: ExecuteJobRef) -> list[BackendResult]:
    """Download the results of a completed job.

    :param job: The job.
    :returns: One result for each program, in the order of the programs. The result of
        a HUGR program is turned into one by ``QsysResult.to_pytket``.
    :raises ResultsNotReadyError: If the job has not ended.
    :raises JobFailedError: If the job or some of its items failed.
    :raises ResultFormatError: If a result cannot be turned into a ``BackendResult``.
    :raises NexusWorkerError: If the download is not possible.
    """
    return _download(job, _to_backend_result)


def get_qsys_shots(job: ExecuteJobRef) -> list[list[Shot]]:
    """Download the raw shots of a completed job of HUGR programs.

    :param job: The job.
    :returns: For each program, in their order, a list of its shots.
    :raises ResultFormatError: If a program gave no tagged shots.
    :raises NexusWorkerError: As :func:`get_results` does.
    """
    return _download(job, _to_shots)


def _download[T](
    job: ExecuteJobRef, convert: Callable[[str, ExecutionResult], T]
) -> list[T]:
    refs = _result_refs(job)

    def download(index: int) -> T:
        what = f"result {index} of {describe(job)}"
        ref = refs[index]
        return convert(what, call(f"download {what}", partial(ref.download_result)))

    # The first download comes alone: it renews an expired login once for all.
    first = download(0)
    with ThreadPoolExecutor(max_workers=_DOWNLOADS_AT_ONCE) as pool:
        results = [first, *pool.map(download, range(1, len(refs)))]
    logger.info("nexus: downloaded %d results of %s", len(results), describe(job))
    return results


def _result_refs(job: ExecuteJobRef) -> list[ExecutionResultRef]:
    """Return the reference to each result, in the order of the programs."""
    status = get_status(job)
    match status.state.phase:
        case Phase.WAITING:
            raise ResultsNotReadyError(
                f"The results of {describe(job)} are not ready: it "
                f"{status.state.meaning} ({status.state.name}). "
                "Wait until it has completed."
            )
        case Phase.FAILED:
            raise JobFailedError(failure_message(job, status))
        case Phase.SUCCEEDED:
            pass
    items = call(
        f"list the results of {describe(job)}",
        lambda: qnx.jobs.results(job, allow_incomplete=True),
    )
    failures = [
        f"circuit {index}: {_item_failure(item)}"
        for index, item in enumerate(items)
        if isinstance(item, IncompleteJobItemRef)
    ]
    if failures:
        raise JobFailedError(
            f"{len(failures)} of the {len(items)} circuits of {describe(job)} gave no "
            f"result: {'; '.join(failures)}. Submit these circuits again as a new job."
        )
    return [item for item in items if isinstance(item, ExecutionResultRef)]


def _item_failure(item: IncompleteJobItemRef) -> str:
    state = job_state(item.last_status.name)
    detail = item.last_status_detail
    reason = (detail and detail.error_detail) or item.last_message
    return f"it {state.meaning}{': ' + reason if reason else ''}"


def _to_backend_result(what: str, result: ExecutionResult) -> BackendResult:
    if isinstance(result, BackendResult):
        return result
    if isinstance(result, QsysResult):
        try:
            return result.to_pytket()
        except ValueError as error:
            raise ResultFormatError(
                f"The {what} cannot be turned into a BackendResult ({error}); "
                "take its raw shots by the task get_qsys_shots instead."
            ) from error
    raise ResultFormatError(
        f"The {what} is the output of a QIR program, which has no BackendResult; "
        "download it by qnexus instead."
    )


def _to_shots(what: str, result: ExecutionResult) -> list[Shot]:
    if not isinstance(result, QsysResult):
        raise ResultFormatError(
            f"The {what} has no tagged shots (it is a {type(result).__name__}); "
            "take it by the task get_results instead."
        )
    return [[(tag, value) for tag, value in shot.entries] for shot in result.results]
