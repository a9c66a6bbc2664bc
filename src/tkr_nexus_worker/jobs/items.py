"""What became of each program of a job, as a value that a workflow can carry."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pytket.backends.backendresult import BackendResult

from tkr_nexus_worker.jobs.record import JobItem
from tkr_nexus_worker.jobs.transient import is_worth_a_retry
from tkr_nexus_worker.nexus.states import Phase, job_state


class ItemResult(BaseModel):
    """What became of one program of a job.

    It is a pydantic model because Tierkreis writes models as plain JSON objects and
    reads them back by name; in Python, ``ItemResult(**output)`` reads an output.

    :param index: The place of the program among those of the job, from 0.
    :param state: The state in which it is, as Nexus spells it.
    :param reason: What Nexus says about that; empty where it says nothing.
    :param result: ``BackendResult.to_dict()``; None where there is no result. A program
        that was stopped on the way may have a result with fewer shots than asked for.
    :param retryable: Whether the program failed in a way that a new job may mend; see
        :mod:`tkr_nexus_worker.jobs.transient`.
    :param job_id: The job that the program was part of.
    """

    index: int
    state: str
    reason: str = ""
    result: dict[str, Any] | None = None
    retryable: bool = False
    job_id: str = ""

    @classmethod
    def from_job_item(
        cls, item: JobItem, job_id: str, result: BackendResult | None
    ) -> "ItemResult":
        """Express an item of a job as a value.

        :param item: The item, as Nexus describes it.
        :param job_id: The id of its job.
        :param result: Its result, where there is one.
        """
        state, reason = item.status.state.name, item.status.reason
        return cls(
            index=item.index,
            state=state,
            reason=reason,
            result=None if result is None else result.to_dict(),
            retryable=is_worth_a_retry(state, reason),
            job_id=job_id,
        )

    @property
    def succeeded(self) -> bool:
        """Whether the program has run all its shots and has a result."""
        succeeded = job_state(self.state).phase is Phase.SUCCEEDED
        return succeeded and self.result is not None

    @property
    def is_final(self) -> bool:
        """Whether the program will not run any more."""
        return job_state(self.state).is_final

    @property
    def backend_result(self) -> BackendResult:
        """Its complete result, or the empty ``BackendResult()`` if there is none.

        The empty result equals ``BackendResult()``, and ``{"qubits": [], "bits": []}``
        where it is written as JSON; a result of a program that ran never does.
        """
        if self.result is None or not self.succeeded:
            return BackendResult()
        return BackendResult.from_dict(self.result)


def describe_failures(items: Iterable[ItemResult]) -> str:
    """Name programs and how each has failed, those that failed alike together.

    :param items: The failed ones.
    :returns: For example ``circuits 0-2, 7: it was cancelled (CANCELLED)``.
    """
    return "; ".join(describe_alike((item.index, _failure(item)) for item in items))


def describe_alike(remarks: Iterable[tuple[int, str]]) -> list[str]:
    """Join remarks on programs, those with the same text together.

    :param remarks: The indices of programs, in ascending order, and a text on each.
    :returns: For example ``["circuits 0-2, 7: it was cancelled"]``.
    """
    alike: dict[str, list[int]] = defaultdict(list)
    for index, text in remarks:
        alike[text].append(index)
    return [
        f"circuit{'s' * (len(indices) > 1)} {_ranges(indices)}: {text}"
        for text, indices in alike.items()
    ]


def _failure(item: ItemResult) -> str:
    state = job_state(item.state)
    if state.phase is Phase.SUCCEEDED:
        return "it has completed, without a result"
    reason = f": {item.reason}" if item.reason else ""
    return f"it {state.meaning} ({state.name}){reason}"


def _ranges(numbers: Sequence[int]) -> str:
    """Write numbers in ascending order with runs drawn together: ``0-2, 7``."""
    starts = [numbers[0], *(b for a, b in pairwise(numbers) if b != a + 1)]
    ends = [*(a for a, b in pairwise(numbers) if b != a + 1), numbers[-1]]
    return ", ".join(
        str(start) if start == end else f"{start}-{end}"
        for start, end in zip(starts, ends, strict=True)
    )
