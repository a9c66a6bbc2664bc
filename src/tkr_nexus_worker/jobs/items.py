"""The outcome of each program of a job, as a value that a workflow can carry.

To submit a program again costs credits and a place in the queue, so the rule for it is
cautious. A failed item is worth a retry only where Nexus says that it ended with an
error, the reason names a fault of the infrastructure, and nothing in the reason points
to the program or the job. A reason that the tables do not know is not retried.

Nexus gives reasons as free text and publishes no list of them; the phrases are those
with which HTTP services (RFC 9110, 15.6), queues and machines report a passing fault.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pytket.backends.backendresult import BackendResult

from tkr_nexus_worker.jobs.models import JobItem
from tkr_nexus_worker.nexus.states import Phase, job_state

_STATES_WITH_A_RETRY = {
    "ERROR": True,
    "CANCELLED": False,  # a person wanted it to stop
    "DEPLETED": False,  # a new job would find no credits either
    "TERMINATED": False,  # the same program would meet the same limit of cost or time
    "COMPLETED": False,
}

_PASSING_FAULTS = (
    r"internal (server )?error",
    r"bad gateway",
    r"gateway time-?out",
    r"(service|device|machine|system|backend) (is |was )?(temporarily )?unavailable",
    r"(device|machine|system|backend) (is |was |went )?(offline|in maintenance)",
    r"connection (was |is )?(lost|reset|refused|closed|aborted)",
    r"lost (the )?connection",
    r"network (error|failure)",
    r"hardware (fault|failure|error)",
    r"calibration (failed|failure|error)",
    r"temporar(y|ily)",
    r"try again",
    r"retry later",
)

_FAULTS_OF_THE_PROGRAM = (
    r"invalid",
    r"not (supported|allowed|permitted|valid)",
    r"unsupported",
    r"syntax",
    r"compil",
    r"pars(e|ing)",
    r"too (many|large|long|deep)",
    r"exceed",
    r"limit",
    r"max_cost",
    r"credits?\b",
    r"quota",
    r"unauthori[sz]ed",
    r"forbidden",
)

_NAMED_PROGRAMS = 3  # in a message

_passing = re.compile("|".join(_PASSING_FAULTS), re.IGNORECASE)
_of_the_program = re.compile("|".join(_FAULTS_OF_THE_PROGRAM), re.IGNORECASE)


class ItemResult(BaseModel):
    """The outcome of one program of a job.

    It is a pydantic model because Tierkreis writes models as plain JSON objects and
    reads them back by name; in Python, ``ItemResult(**output)`` reads an output.

    :param index: The place of the program in the job, from 0.
    :param state: The state of the program, as Nexus spells it.
    :param reason: What Nexus says about the state; may be empty.
    :param result: ``BackendResult.to_dict()``; None where there is no result. A program
        that was stopped may have a result with fewer shots than requested.
    :param retryable: Whether the program failed for a reason that may pass by itself;
        see :func:`is_worth_a_retry`.
    :param job_id: The id of the job that the program was part of.
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
        """Return an item of a job as a value.

        :param item: The item.
        :param job_id: The id of the job.
        :param result: The result of the item, where there is one.
        """
        return cls(
            index=item.index,
            state=item.state.name,
            reason=item.reason,
            result=None if result is None else result.to_dict(),
            retryable=is_worth_a_retry(item.state, item.reason),
            job_id=job_id,
        )

    @property
    def succeeded(self) -> bool:
        """Whether the program ran all its shots and has a result."""
        succeeded = job_state(self.state).phase is Phase.SUCCEEDED
        return succeeded and self.result is not None

    @property
    def is_final(self) -> bool:
        """Whether the program will not run any more."""
        return job_state(self.state).is_final

    @property
    def backend_result(self) -> BackendResult:
        """The complete result, or the empty ``BackendResult()`` if there is none.

        The empty result equals ``BackendResult()``, and ``{"qubits": [], "bits": []}``
        where it is written as JSON; no program that ran gives such a result.
        """
        if self.result is None or not self.succeeded:
            return BackendResult()
        return BackendResult.from_dict(self.result)


def call_programs(kinds: Iterable[str]) -> str:
    """Return what programs are called: ``circuit`` if all are, else ``program``.

    :param kinds: The type of each program, as Nexus spells it.
    """
    return "circuit" if {"circuit"}.issuperset(kinds) else "program"


def name_item(item: JobItem) -> str:
    """Name a program of a job by its kind, place and name.

    :param item: The program.
    :returns: For example ``circuit 0 ('bell')``, or ``program 1`` without a name.
    """
    name = f" ({item.program_name!r})" if item.program_name else ""
    return f"{call_programs([item.program_type])} {item.index}{name}"


def describe_failures(items: Iterable[ItemResult | JobItem]) -> str:
    """Name programs that failed with their reasons, equal reasons together.

    :param items: The programs that failed.
    :returns: For example ``circuits 0-2, 7: it was cancelled (CANCELLED)``.
    """
    alike: dict[str, list[ItemResult | JobItem]] = defaultdict(list)
    for item in items:
        alike[_failure(item)].append(item)
    return "; ".join(f"{_name_all(same)}: {text}" for text, same in alike.items())


def describe_alike(remarks: Iterable[tuple[int, str]]) -> list[str]:
    """Join remarks on circuits, equal texts together.

    :param remarks: The index of a circuit and a text, by ascending index.
    :returns: For example ``["circuits 0-2, 7: it was cancelled"]``.
    """
    alike: dict[str, list[int]] = defaultdict(list)
    for index, text in remarks:
        alike[text].append(index)
    return [f"{_count('circuit', it)}: {text}" for text, it in alike.items()]


def _name_all(items: Sequence[ItemResult | JobItem]) -> str:
    """Name programs: by their names where these are known and few, else by number."""
    named = [item for item in items if isinstance(item, JobItem) and item.program_name]
    if len(named) == len(items) <= _NAMED_PROGRAMS:
        return ", ".join(map(name_item, named))
    # Only circuits are submitted again in a workflow.
    kinds = [it.program_type if isinstance(it, JobItem) else "circuit" for it in items]
    return _count(call_programs(kinds), [item.index for item in items])


def _count(noun: str, indices: Sequence[int]) -> str:
    return f"{noun}{'s' * (len(indices) > 1)} {_ranges(indices)}"


def _failure(item: ItemResult | JobItem) -> str:
    state = job_state(item.state)
    if state.phase is Phase.SUCCEEDED:
        return "it has completed, without a result"
    reason = f": {item.reason}" if item.reason else ""
    return f"it {state.meaning} ({state.name}){reason}"


def _ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers with consecutive ones joined: ``0-2, 7``."""
    starts = [numbers[0], *(b for a, b in pairwise(numbers) if b != a + 1)]
    ends = [*(a for a, b in pairwise(numbers) if b != a + 1), numbers[-1]]
    return ", ".join(
        str(start) if start == end else f"{start}-{end}"
        for start, end in zip(starts, ends, strict=True)
    )


def is_worth_a_retry(state: str, reason: str) -> bool:
    """Return whether a failed item may succeed if it is submitted again unchanged.

    :param state: The state of the item, as Nexus spells it.
    :param reason: What Nexus says about the state; may be empty.
    :returns: Whether a retry is worth its cost; False where that is not known.
    """
    return (
        _STATES_WITH_A_RETRY.get(state, False)
        and _passing.search(reason) is not None
        and _of_the_program.search(reason) is None
    )
