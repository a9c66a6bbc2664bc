"""Retries of a job: which programs the next attempt submits again, and when."""

import logging
from collections.abc import Sequence

from pytket.backends.backendresult import BackendResult

from tkr_nexus_worker.errors import JobFailedError
from tkr_nexus_worker.jobs.items import ItemResult, describe_failures

logger = logging.getLogger(__name__)


def choose_programs(items: Sequence[ItemResult], n_programs: int) -> list[int]:
    """Choose the programs of the next attempt.

    :param items: The outcome of each program so far; empty at the first attempt.
    :param n_programs: The number of all programs.
    :returns: The indices of the programs to submit.
    """
    if not items:
        return list(range(n_programs))
    failed = [item for item in items if item.retryable]
    logger.warning(
        "nexus: submitting %d of %d circuits again (%s)",
        len(failed),
        n_programs,
        describe_failures(failed),
    )
    return [item.index for item in failed]


def name_attempt(job_name: str, attempt: int) -> str:
    """Return the name of the job of an attempt.

    :param job_name: The name of the job of the first attempt.
    :param attempt: The number of the attempt, from 1.
    """
    return job_name if attempt == 1 else f"{job_name} (attempt {attempt})"


def merge_attempt(
    before: Sequence[ItemResult], latest: Sequence[ItemResult]
) -> list[ItemResult]:
    """Return the outcomes of all programs after an attempt.

    :param before: The outcomes of all programs when the attempt was submitted; empty at
        the first attempt.
    :param latest: The outcomes of the programs of the attempt.
    :returns: The outcomes of all programs.
    """
    if not before:
        return list(latest)
    resubmitted = iter(latest)
    return [
        next(resubmitted).model_copy(update={"index": item.index})
        if item.retryable
        else item
        for item in before
    ]


def is_retry_due(items: Sequence[ItemResult]) -> bool:
    """Return whether another attempt is worth it and safe.

    :param items: The outcomes of all programs.
    :returns: Whether a program failed for a passing reason, and none could still run.
    """
    return all(item.is_final for item in items) and any(
        item.retryable for item in items
    )


def collect_results(job_name: str, items: Sequence[ItemResult]) -> list[BackendResult]:
    """Return the results of all programs, if all have succeeded.

    :param job_name: The name of the job, for the message.
    :param items: The outcome of each program.
    :returns: The results, in the order of the programs.
    :raises JobFailedError: If a program failed; it names each with its reason.
    """
    failed = [item for item in items if not item.succeeded]
    if failed:
        job_ids = ", ".join(dict.fromkeys(item.job_id for item in items))
        raise JobFailedError(
            f"{len(failed)} of the {len(items)} circuits of job {job_name!r} gave no "
            f"complete result: {describe_failures(failed)}. The results of the others "
            f"stay on Nexus (job {job_ids})."
        )
    return [item.backend_result for item in items]
