"""The results of a job as a person reads them: outcomes and their counts.

An outcome is written as text, one digit for each bit: the bits of a register in the
order of their indices, the first at the left, and the registers in the order of their
names, as in ``01 1`` for ``a[0]=0``, ``a[1]=1`` and ``c[0]=1``. Values of a HUGR
program that are not bits of registers are written as
:mod:`tkr_nexus_worker.results.tagged` says.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from math import sqrt
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt
from hugr.qsystem.result import QsysResult
from pydantic import BaseModel, Field
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Bit
from qnexus.models.references import ExecutionResult, QIRResult

from tkr_nexus_worker.errors import InvalidInputError, ResultFormatError
from tkr_nexus_worker.jobs.items import ItemResult, call_programs, name_item
from tkr_nexus_worker.jobs.models import Job, JobItem
from tkr_nexus_worker.jobs.receipt import Receipt
from tkr_nexus_worker.jobs.status import describe
from tkr_nexus_worker.program_files.conditions import SCRATCH
from tkr_nexus_worker.results.tagged import (
    ProgramShots,
    Shot,
    TaggedShots,
    read_qir_output,
    shots_of_registers,
)
from tkr_runtime.counts import data_frame

if TYPE_CHECKING:
    from pandas import DataFrame

logger = logging.getLogger(__name__)

_NAMES = ("circuit", "name")

type _Bits = tuple[int, ...]

_SELECTION = re.compile(r"\s*(?P<bit>[^=\s]+)\s*=\s*(?P<value>[01])\s*")


class CircuitCounts(BaseModel):
    """The number of shots of each outcome of a circuit, as a value for graphs and JSON.

    :param index: The place of the circuit in the job, from 0.
    :param name: The name of the program; None where it is not known.
    :param state: The state, as Nexus spells it.
    :param reason: What Nexus says about the state; may be empty.
    :param n_shots_requested: The number of shots requested.
    :param n_shots: The number of shots that are counted.
    :param n_shots_taken: The number of shots before post-selection, with those that
        the program stopped.
    :param bits: The bits in the order of the digits of an outcome.
    :param counts: The number of shots of each outcome, the most frequent first.
    :param selection: The values of bits by which shots were selected.
    :param stopped: The numbers of shots that the program ended by ``exit`` or
        ``panic``, by their values and the message; they are not counted.
    :param no_counts: Why there are no counts; empty where there are.
    """

    index: int
    name: str | None = None
    state: str
    reason: str = ""
    n_shots_requested: int | None = None
    n_shots: int = 0
    n_shots_taken: int = 0
    bits: list[str] = Field(default_factory=list)
    counts: dict[str, int] = Field(default_factory=dict)
    selection: dict[str, int] = Field(default_factory=dict)
    stopped: dict[str, list[int]] = Field(default_factory=dict)
    no_counts: str = ""


class JobCounts(BaseModel):
    """The counts of all circuits of a job, as a value for graphs and JSON.

    :param job_id: The id of the job.
    :param job_ids: The ids of all jobs, where programs of several kinds have several.
    :param job_name: The name of the job.
    :param project_name: The name of the project.
    :param state: The state, as Nexus spells it.
    :param cost: The cost in HQC, where Nexus reports it.
    :param complete: Whether every circuit has a complete result.
    :param circuits: The circuits, in the order in which they were submitted.
    """

    job_id: str
    job_ids: list[str] = Field(default_factory=list)
    job_name: str
    project_name: str
    state: str
    cost: float | None
    complete: bool
    circuits: list[CircuitCounts]


class CircuitResult(Mapping[str, int]):
    """The result of one circuit: a mapping from outcome to count.

    The most frequent outcome comes first. A circuit without a result has no outcomes.

    :param item: The item of the job.
    :param raw_result: The result as qnexus returns it; None where there is none.
    :param job: The name and id of the job, for messages.
    :param selection: Only shots in which these bits have these values are counted.
    """

    def __init__(
        self,
        item: JobItem,
        raw_result: ExecutionResult | None,
        *,
        job: str = "",
        selection: Mapping[str, int] | None = None,
    ) -> None:
        self.item = item
        self.raw_result = raw_result
        self.selection = dict(selection or {})
        self._job = job

    @property
    def index(self) -> int:
        """The place of the circuit in the job, from 0."""
        return self.item.index

    @property
    def state(self) -> str:
        """The state of the circuit, as Nexus spells it."""
        return self.item.state.name

    @property
    def name(self) -> str | None:
        """The name of the program, where it is known."""
        return self.item.program_name

    @property
    def reason(self) -> str:
        """What Nexus says about the state; empty where all went well."""
        return "" if self.item.succeeded else self.item.reason

    @property
    def n_shots_requested(self) -> int | None:
        """The number of shots requested."""
        return self.item.n_shots

    def __getitem__(self, outcome: str) -> int:
        return self._counts[outcome]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __repr__(self) -> str:
        return f"<result of {self}: {dict(self)}>"

    def __str__(self) -> str:
        return name_item(self.item)

    @property
    def has_result(self) -> bool:
        """Whether there is a result, complete or not."""
        return self.raw_result is not None

    @cached_property
    def backend_result(self) -> BackendResult:
        """The result as a ``BackendResult`` of pytket, without post-selection.

        Shots of a HUGR program that it ended by ``exit`` or ``panic`` are left out,
        which is a warning in the log.

        :raises ResultFormatError: If there is no result, or it has no such form.
        """
        result = self._require_result()
        if isinstance(result, BackendResult):
            return result
        return self._convert_tagged(self._tagged)

    @property
    def tagged_shots(self) -> list[Shot]:
        """The raw, tagged shots of a HUGR or QIR program, without post-selection.

        :raises ResultFormatError: If the program gave no tagged shots.
        """
        return self._tagged.shots

    @property
    def stopped(self) -> dict[str, list[int]]:
        """The numbers of shots that the program ended by ``exit`` or ``panic``.

        They are counted in no outcome. The keys are their values and the message, as in
        ``before=1 exit: give up (3)``; shots are numbered from 0.
        """
        return dict(self._tagged.stopped) if self._has_tags else {}

    @property
    def _has_tags(self) -> bool:
        return isinstance(self.raw_result, QsysResult | QIRResult)

    @cached_property
    def _tagged(self) -> TaggedShots:
        match self._require_result():
            case QsysResult() as result:
                return TaggedShots(result)
            case QIRResult() as result:
                try:
                    return TaggedShots(read_qir_output(result.results))
                except ResultFormatError as error:
                    raise ResultFormatError(
                        f"{self._subject} cannot be read: {error}."
                    ) from error
            case result:
                raise ResultFormatError(
                    f"{self._subject} has no tagged shots (it is a "
                    f"{type(result).__name__}); get it with the task get_results."
                )

    def _convert_tagged(self, tagged: TaggedShots) -> BackendResult:
        try:
            result = tagged.backend_result
        except ResultFormatError as error:
            raise ResultFormatError(
                f"{self._subject} cannot be converted to a BackendResult ({error}); "
                "get its raw shots with the task get_qsys_shots."
            ) from error
        for reason, shots in tagged.stopped.items():
            logger.warning(
                "nexus: %s leaves out the %d shots that ended with %r",
                self._subject,
                len(shots),
                reason,
            )
        return result

    @cached_property
    def _has_registers(self) -> bool:
        """Whether outcomes are bits of registers; others are texts of tagged values."""
        if not self._has_tags:
            return True
        try:
            _ = self._tagged.backend_result
        except ResultFormatError:
            return False
        return True

    @property
    def _subject(self) -> str:
        return f"The result of {self}" + (f" of {self._job}" if self._job else "")

    @cached_property
    def bits(self) -> list[str]:
        """The names of the bits, in the order of the digits of an outcome.

        There are none where the outcomes are texts of tagged values.

        :raises ResultFormatError: If the result has no bits.
        """
        return [str(bit) for bit in self._bits]

    @property
    def counts(self) -> dict[str, int]:
        """The number of shots of each outcome, the most frequent first.

        :raises ResultFormatError: If the result has no counts.
        """
        return dict(self._counts)

    @property
    def outcomes(self) -> list[str]:
        """The observed outcomes, the most frequent first.

        :raises ResultFormatError: If the result has no counts.
        """
        return list(self._counts)

    @property
    def n_shots(self) -> int:
        """The number of shots that are counted.

        :raises ResultFormatError: If the result has no counts.
        """
        return sum(self._counts.values())

    @property
    def n_shots_taken(self) -> int:
        """The number of shots before post-selection.

        :raises ResultFormatError: If the result has no counts.
        """
        if not self._has_registers:
            return len(self._tagged.shots)
        return self._all_tuples.total() + sum(map(len, self.stopped.values()))

    @property
    def probabilities(self) -> dict[str, float]:
        """The relative frequency of each outcome; together they are 1.

        :raises ResultFormatError: If the result has no counts.
        """
        total = self.n_shots
        return {outcome: count / total for outcome, count in self._counts.items()}

    @property
    def standard_errors(self) -> dict[str, float]:
        """The binomial standard error sqrt(p (1 - p) / n) of each probability.

        It is 0 where all shots agree, and too small where few shots were taken.

        :raises ResultFormatError: If the result has no counts.
        """
        n = self.n_shots
        return {
            outcome: sqrt(p * (1 - p) / n) for outcome, p in self.probabilities.items()
        }

    @property
    def shots(self) -> npt.NDArray[np.uint8]:
        """The shots in the order in which they were taken.

        One row for each shot, one column for each of :attr:`bits`; post-selection
        leaves rows out.

        :raises ResultFormatError: If the result has counts only, or not even these.
        """
        bits = self._bits
        result = self.backend_result
        if not result.contains_measured_results or result.get_result().shots is None:
            raise ResultFormatError(
                f"The result of {self} has counts but no single shots; take its counts."
            )
        shots: npt.NDArray[np.uint8] = result.get_shots(cbits=bits)
        chosen = np.ones(len(shots), dtype=bool)
        for column, value in self._selected_columns():
            chosen &= shots[:, column] == value
        return shots[chosen]

    @property
    def registers(self) -> dict[str, dict[str, int]]:
        """For each register the counts of its outcomes alone.

        There are none where the outcomes are texts of tagged values.

        :raises ResultFormatError: If the result has no counts.
        """
        names = [bit.reg_name for bit in self._bits]
        counts: dict[str, Counter[str]] = {name: Counter() for name in names}
        for values, count in self._tuples.items():
            for name, group in groupby(
                zip(names, values, strict=True), lambda pair: pair[0]
            ):
                outcome = "".join(str(value) for _, value in group)
                counts[name][outcome] += count
        return {name: _most_frequent_first(found) for name, found in counts.items()}

    def post_select(self, selection: Mapping[str, int]) -> "CircuitResult":
        """Count only shots in which bits have certain values.

        This result keeps all shots.

        :param selection: The values by the names of the bits, as in ``{"c[0]": 1}``;
            they are added to those that this result is selected by.
        :returns: A result of the chosen shots, with all bits.
        :raises InvalidInputError: If there is no such bit, or a value is not 0 or 1.
        :raises ResultFormatError: If the result has no counts.
        """
        for bit, value in selection.items():
            if bit not in self.bits:
                raise InvalidInputError(
                    f"There is no bit {bit!r} in {self} to select by; its bits are "
                    f"{', '.join(self.bits) or 'none'}."
                )
            if value not in (0, 1):
                raise InvalidInputError(
                    f"The value of bit {bit!r} to select by is {value!r}; give 0 or 1."
                )
            if self.selection.get(bit, value) != value:
                raise InvalidInputError(
                    f"The bit {bit!r} of {self} is to be 0 and 1 at once; give one "
                    "value."
                )
        return CircuitResult(
            self.item,
            self.raw_result,
            job=self._job,
            selection=self.selection | {bit: int(v) for bit, v in selection.items()},
        )

    def at(self, index: int) -> "CircuitResult":
        """Return the same result at another place.

        :param index: The place among the programs, from 0.
        """
        item = self.item.model_copy(update={"index": index})
        return CircuitResult(
            item, self.raw_result, job=self._job, selection=self.selection
        )

    def df(self) -> "DataFrame":
        """Return the counts as a data frame of pandas, a row for each outcome.

        The columns are ``circuit``, ``name``, ``outcome``, ``count``, ``probability``
        and ``standard_error``; without a result there are no rows.

        :raises ResultFormatError: If the result has no counts.
        """
        return data_frame(_NAMES, [((self.index, self.name), self)])

    def to_item_result(self, job_id: str) -> ItemResult:
        """Return the outcome of the program as a value for graphs.

        :param job_id: The id of the job.
        :raises ResultFormatError: If the result has no form as ``BackendResult``.
        """
        result = self.backend_result if self.has_result else None
        return ItemResult.from_job_item(self.item, job_id, result)

    def to_shots(self, job_id: str) -> ProgramShots:
        """Return the shots as a value for graphs, whatever the kind of the program.

        :param job_id: The id of the job.
        :raises ResultFormatError: If there are no shots.
        """
        result = self._require_result()
        try:
            shots = (
                shots_of_registers(result)
                if isinstance(result, BackendResult)
                else self.tagged_shots
            )
        except ResultFormatError as error:
            raise ResultFormatError(
                f"{self._subject} has no shots ({error}); get it with the task "
                "get_results."
            ) from error
        return ProgramShots(
            index=self.index,
            name=self.name,
            program_type=self.item.program_type,
            job_id=job_id,
            shots=shots,
        )

    def to_counts(self) -> CircuitCounts:
        """Return the counts as a value for graphs and JSON, or why there are none."""
        common = CircuitCounts(
            index=self.index,
            name=self.name,
            state=self.state,
            reason=self.reason,
            n_shots_requested=self.n_shots_requested,
            selection=self.selection,
        )
        if not self.has_result:
            return common.model_copy(update={"no_counts": "There is no result."})
        try:
            counts = {
                "bits": self.bits,
                "counts": self.counts,
                "n_shots": self.n_shots,
                "n_shots_taken": self.n_shots_taken,
                "stopped": self.stopped,
            }
        except ResultFormatError as error:
            return common.model_copy(update={"no_counts": str(error)})
        return common.model_copy(update=counts)

    def _require_result(self) -> ExecutionResult:
        if self.raw_result is None:
            raise ResultFormatError(
                f"There is no result of {self} ({self.state}"
                f"{': ' + self.reason if self.reason else ''})."
            )
        return self.raw_result

    @cached_property
    def _bits(self) -> list[Bit]:
        if self.raw_result is None or not self._has_registers:
            return []
        result = self.backend_result
        if not result.contains_measured_results:
            raise ResultFormatError(
                f"The result of {self} is a state or unitary, which has no counts; "
                "take its backend_result."
            )
        # Compilers and OpenQASM need bits of their own for nested conditions.
        return sorted(bit for bit in result.c_bits if bit.reg_name != SCRATCH)

    @cached_property
    def _all_tuples(self) -> Counter[_Bits]:
        bits = self._bits
        if self.raw_result is None or not self._has_registers:
            return Counter()
        found = self.backend_result.get_counts(cbits=bits)
        return Counter({tuple(map(int, values)): int(n) for values, n in found.items()})

    @cached_property
    def _tuples(self) -> Counter[_Bits]:
        columns = self._selected_columns()
        return Counter(
            {
                values: count
                for values, count in self._all_tuples.items()
                if all(values[column] == value for column, value in columns)
            }
        )

    @cached_property
    def _counts(self) -> dict[str, int]:
        if not self._has_registers:
            return _most_frequent_first(Counter(self._tagged.outcomes))
        sizes = [
            len(list(group)) for _, group in groupby(self._bits, lambda b: b.reg_name)
        ]
        counts: Counter[str] = Counter()
        for values, count in self._tuples.items():
            digits = iter(map(str, values))
            # Each register takes as many digits as it has bits.
            words = ["".join(next(digits) for _ in range(size)) for size in sizes]
            counts[" ".join(words)] = count
        return _most_frequent_first(counts)

    def _selected_columns(self) -> list[tuple[int, int]]:
        return [(self.bits.index(bit), value) for bit, value in self.selection.items()]


class JobResults(Sequence[CircuitResult]):
    """The results of a job: one for each circuit, in the order of their submission.

    Results of programs of several kinds are those of several jobs, joined in the order
    of the programs: ``job`` is the first, with the items and the cost of all.

    :param job: The job, as Nexus knew it when the results were downloaded.
    :param circuits: The results.
    :param jobs: The jobs, where there are several.
    :param failure: What stopped their workflow, if it stopped before all had results.
    """

    def __init__(
        self,
        job: Job,
        circuits: Sequence[CircuitResult],
        jobs: Sequence[Job] = (),
        *,
        failure: str = "",
    ) -> None:
        self.job = job
        self.jobs = list(jobs) or [job]
        self.failure = failure
        self._circuits = list(circuits)

    @overload
    def __getitem__(self, index: int) -> CircuitResult: ...
    @overload
    def __getitem__(self, index: slice) -> list[CircuitResult]: ...
    def __getitem__(self, index: int | slice) -> CircuitResult | list[CircuitResult]:
        return self._circuits[index]

    def __len__(self) -> int:
        return len(self._circuits)

    def __repr__(self) -> str:
        return f"<{self}: {list(map(dict, self))}>"

    def __str__(self) -> str:
        return f"results of {' and '.join(map(describe, self.jobs))}"

    @classmethod
    def joined(
        cls,
        parts: "Sequence[tuple[JobResults, Sequence[int]]]",
        *,
        failure: str = "",
    ) -> "JobResults":
        """Join the results of several jobs.

        :param parts: The results of each job, with the place of each of its programs
            among all.
        :param failure: What stopped their workflow, if it stopped.
        :returns: The results of all programs, in their order.
        """
        circuits = [
            one.at(index)
            for results, indices in parts
            for index, one in zip(indices, results, strict=True)
        ]
        circuits.sort(key=lambda one: one.index)
        jobs = [results.job for results, _ in parts]
        costs = [job.cost for job in jobs if job.cost is not None]
        ended = [job.items_done or 0 for job in jobs]
        joined = {
            "items": [one.item for one in circuits],
            "items_done": sum(ended),
            "items_total": len(circuits),
            "cost": sum(costs) if costs else None,
        }
        job = jobs[0].model_copy(update=joined)
        return cls(job, circuits, jobs, failure=failure)

    @classmethod
    def chained(cls, parts: "Iterable[JobResults]") -> "JobResults":
        """Join the results of several jobs, one after the other.

        :param parts: The results of each job; at least one.
        """
        placed: list[tuple[JobResults, range]] = []
        first = 0
        for part in parts:
            placed.append((part, range(first, first + len(part))))
            first += len(part)
        return cls.joined(placed)

    @cached_property
    def receipt(self) -> Receipt:
        """A receipt of the job: what it was and cost."""
        return Receipt.of(self.job)

    @property
    def complete(self) -> bool:
        """Whether every circuit has a complete result."""
        return not self.failure and all(
            one.has_result and one.state == "COMPLETED" for one in self
        )

    @property
    def noun(self) -> str:
        """What its programs are called: ``circuit`` if all are, else ``program``."""
        return call_programs(one.item.program_type for one in self)

    def circuit(self, index: int) -> CircuitResult:
        """Return the result of one circuit or other program.

        :param index: The place of the circuit in the job, from 0.
        :raises InvalidInputError: If there is no such circuit.
        """
        if not 0 <= index < len(self):
            noun = self.noun
            raise InvalidInputError(
                f"There is no {noun} {index} in the {self}; its {noun}s are 0 to "
                f"{len(self) - 1}."
            )
        return self[index]

    def post_select(self, selection: Mapping[str, int]) -> "JobResults":
        """Count only shots in which bits have certain values; this keeps all shots.

        :param selection: The values by the names of the bits, as in ``{"c[0]": 1}``.
        :returns: The results of the chosen shots; circuits without a result stay so.
        :raises InvalidInputError: If a circuit has no such bit, or a value is not 0
            or 1.
        """
        chosen = [one.post_select(selection) if one.has_result else one for one in self]
        return JobResults(self.job, chosen, self.jobs, failure=self.failure)

    def df(self) -> "DataFrame":
        """Return all counts as a data frame of pandas, a row for each outcome.

        The columns are ``job_id``, ``job_name``, ``project``, ``circuit`` (its index),
        ``name`` (of the program), ``outcome``, ``count``, ``probability`` and
        ``standard_error``. Circuits without a result have no rows.

        :raises ResultFormatError: If a result has no counts.
        """
        jobs = {it.result_id: job for job in self.jobs for it in job.items}

        def place(one: CircuitResult) -> tuple[object, ...]:
            job = jobs.get(one.item.result_id, self.job)
            return job.job_id, job.name, job.project, one.index, one.name

        names = ("job_id", "job_name", "project", *_NAMES)
        return data_frame(names, ((place(one), one) for one in self))

    def backend_results(self) -> list[BackendResult]:
        """Return the result of each circuit, an empty one for each that failed.

        :raises ResultFormatError: If a result has no form as ``BackendResult``.
        """
        return [
            one.backend_result if one.item.succeeded else BackendResult()
            for one in self
        ]

    def item_results(self) -> list[ItemResult]:
        """Return the outcome of each circuit as a value for graphs.

        :raises ResultFormatError: If a result has no form as ``BackendResult``.
        """
        return [one.to_item_result(self.job.job_id) for one in self]

    def to_counts(self) -> JobCounts:
        """Return all counts as a value for graphs and JSON."""
        return JobCounts(
            job_id=self.job.job_id,
            job_ids=[job.job_id for job in self.jobs],
            job_name=self.job.name,
            project_name=self.job.project,
            state=self.job.state.name,
            cost=self.job.cost,
            complete=self.complete,
            circuits=[one.to_counts() for one in self],
        )


def parse_selection(texts: Sequence[str]) -> dict[str, int]:
    """Return the post-selection that a person wrote.

    :param texts: For example ``["c[0]=1", "c[1]=0,d[0]=0"]``.
    :returns: The values by the names of the bits.
    :raises InvalidInputError: If a text has another form, or a bit two values.
    """
    selection: dict[str, int] = {}
    for part in (part for text in texts for part in text.split(",")):
        match = _SELECTION.fullmatch(part)
        if match is None:
            raise InvalidInputError(
                f"{part!r} does not say which shots to select; give a bit and its "
                "value, 0 or 1, as in c[0]=1."
            )
        bit, value = match["bit"], int(match["value"])
        if selection.setdefault(bit, value) != value:
            raise InvalidInputError(
                f"The bit {bit!r} is to be 0 and 1 at once; give one value."
            )
    return selection


def _most_frequent_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
