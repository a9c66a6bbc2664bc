"""Results by a receipt, and the receipts themselves at a public place."""

from pathlib import Path

from pytket.backends.backendresult import BackendResult

from tkr_nexus_worker.jobs.receipt import (
    RECEIPT_FILE,
    Receipt,
    find_job_of_receipt,
    find_receipts,
    read_receipt,
)
from tkr_nexus_worker.results.download import get_results

__all__ = [
    "RECEIPT_FILE",
    "Receipt",
    "find_receipts",
    "read_receipt",
    "results_from_receipt",
]


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
