"""Runs of many circuits, divided into parts: the circuits of one job each.

The parts are kept in files beside the workflow, and so are their results. What the
tasks hand to each other are references and the jobs that have not ended, so neither
grows with the number of circuits.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pydantic import BaseModel, Field, TypeAdapter
from pydantic_core import from_json, to_json
from pytket.circuit import Circuit
from qnexus.models import BackendConfig
from qnexus.models.references import CircuitRef, ExecuteJobRef

from tkr_nexus_worker.costs.estimates import estimate_cost
from tkr_nexus_worker.costs.limits import check_and_reserve
from tkr_nexus_worker.errors import (
    InvalidInputError,
    JobFailedError,
    NexusUnavailableError,
    NotLoggedInError,
)
from tkr_nexus_worker.jobs.duplicates import settle_duplicates
from tkr_nexus_worker.jobs.find import get_job_details
from tkr_nexus_worker.jobs.items import describe_failures
from tkr_nexus_worker.jobs.models import Job, JobItem, JobStatus
from tkr_nexus_worker.jobs.receipt import write_submission
from tkr_nexus_worker.jobs.status import await_status, describe
from tkr_nexus_worker.jobs.submit import start_execute_job
from tkr_nexus_worker.nexus.upload_batches import EncodedCircuits
from tkr_nexus_worker.programs import upload_circuits
from tkr_runtime.jobs import waits
from tkr_runtime.jobs.budget import Budget
from tkr_runtime.tasks import context, kept_files

logger = logging.getLogger(__name__)

_PROGRAMS_FILE = "programs.json"
# States in which no program of a job has begun.
_QUEUED_STATES = frozenset({"QUEUED", "SUBMITTED"})
# The share of the time that is spent on reading the items of jobs: Nexus has no
# smaller answer, and that for a job of 500 programs has half a megabyte.
_SHARE_FOR_ITEMS = 0.05
_SHOWN_PARTS = 10  # in a message


@dataclass(frozen=True)
class PartLimits:
    """What one part may have at most.

    :param max_programs: The number of its circuits.
    :param max_bytes: The size of its circuits as they are uploaded, in bytes; a larger
        circuit is a part of its own.
    :param max_cost: The estimated cost of its job in HQC; None for no limit.
    :raises InvalidInputError: If a limit allows nothing.
    """

    max_programs: int
    max_bytes: int
    max_cost: float | None = None

    def __post_init__(self) -> None:
        for name in ("max_programs", "max_bytes"):
            if getattr(self, name) < 1:
                raise InvalidInputError(
                    f"{name} is {getattr(self, name)}; give an integer of at least 1."
                )
        if self.max_cost is not None and not 0.0 < self.max_cost < math.inf:
            raise InvalidInputError(
                f"max_cost is {self.max_cost!r}; give a number of HQC above 0, or None "
                "for no limit."
            )

    def within_batch(self, backend_config: BackendConfig) -> "PartLimits":
        """Return the limits of jobs that run as batches of their device.

        :param backend_config: The backend config; where it attempts batching, its
            ``max_batch_cost`` is a limit, too.
        """
        batch_cost = getattr(backend_config, "max_batch_cost", None)
        if not getattr(backend_config, "attempt_batching", False) or not batch_cost:
            return self
        costs = [cost for cost in (self.max_cost, batch_cost) if cost is not None]
        return PartLimits(self.max_programs, self.max_bytes, min(costs))


class PartPlan(BaseModel):
    """How the circuits of a run are divided.

    :param files: A reference to the files of the parts.
    :param n_parts: The number of parts.
    :param n_programs: The number of circuits of all parts.
    """

    files: str
    n_parts: int
    n_programs: int


class PartJob(ExecuteJobRef):
    """The job of a part.

    :param part: The place of the part, from 0.
    :param first: The place of its first circuit among all, from 0.
    :param n_programs: The number of its circuits.
    :param seen: The circuits of the part whose results were handed on already.
    """

    part: int
    first: int
    n_programs: int
    seen: list[int] = Field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """A run of several parts between two passes of its loop.

    :param name: The name of the run.
    :param plan: How its circuits are divided.
    :param max_jobs: The largest number of jobs at once.
    :param jobs: The jobs that have not ended.
    :param failed: The jobs that failed. They are looked at again after all others have
        ended, because a person may have retried them.
    :param next_part: The part to submit next.
    :param is_last_look: Whether its jobs are those that have failed before.
    """

    name: str
    plan: PartPlan
    max_jobs: int
    jobs: list[PartJob]
    failed: list[PartJob]
    next_part: int
    is_last_look: bool = False

    @classmethod
    def after_submission(
        cls,
        name: str,
        plan: PartPlan,
        max_jobs: int,
        jobs: list[PartJob],
        failed: list[PartJob],
        next_part: int,
    ) -> "Run":
        """Return a run in a pass that has submitted a part, or none.

        :param next_part: The part to submit next, before the pass.
        """
        next_part = max([next_part, *(job.part + 1 for job in jobs)])
        if not jobs and next_part == plan.n_parts:
            return cls(name, plan, max_jobs, failed, [], next_part, is_last_look=True)
        return cls(name, plan, max_jobs, jobs, failed, next_part)

    @property
    def may_submit(self) -> bool:
        """Whether there is a part to submit, and a job may be added."""
        return self.next_part < self.plan.n_parts and len(self.jobs) < self.max_jobs

    @property
    def should_continue(self) -> bool:
        """Whether anything is left to submit, or to wait for."""
        return bool(self.jobs or self.failed) or self.next_part < self.plan.n_parts

    def without(self, job: PartJob, *, failed: bool) -> "Run":
        """Return the run after a job has ended.

        :param job: The job.
        :param failed: Whether it failed.
        """
        jobs = [one for one in self.jobs if one.part != job.part]
        return replace(self, jobs=jobs, failed=self.failed + [job] * failed)

    def with_seen(self, handed_on: Mapping[int, list[int]]) -> "Run":
        """Return the run after results were handed on.

        :param handed_on: The places of their circuits in their parts, by the part.
        """
        jobs = [
            job.model_copy(update={"seen": job.seen + handed_on.get(job.part, [])})
            for job in self.jobs
        ]
        return replace(self, jobs=jobs)

    def failure(self) -> JobFailedError:
        """Return the error of a run of which only failed jobs are left."""
        shown = [_describe_failed(job) for job in self.jobs[:_SHOWN_PARTS]]
        if len(self.jobs) > _SHOWN_PARTS:
            shown.append(f"and {len(self.jobs) - _SHOWN_PARTS} more parts")
        task = context.current()
        workflow = "WORKFLOW" if task is None else task.workflow_id
        n_parts, n_failed = self.plan.n_parts, len(self.jobs)
        return JobFailedError(
            f"{n_failed} of the {n_parts} parts of {self.name!r} failed: "
            f"{'; '.join(shown)}. What the other {n_parts - n_failed} gave is kept in "
            "the workflow. `tkr-nexus retry JOB` runs the failed circuits of a job "
            f"again, and `tkr-nexus resume {workflow}` then waits for those alone; "
            "with allow_failed, a graph takes an empty result for each of them."
        )

    def summary(self, statuses: Sequence[JobStatus]) -> str:
        """Return the state of the run in one line, for the trace of its loop.

        :param statuses: The statuses of its jobs, as far as they are known.
        """
        n_ended = self.next_part - len(self.jobs) - len(self.failed)
        known = {status.job_id: status.summary for status in statuses}
        states = [
            f"part {job.part + 1}: {known.get(str(job.id), 'SUBMITTED')}"
            for job in self.jobs
        ]
        failed = [f"{len(self.failed)} failed"] if self.failed else []
        ended = f"{n_ended} of {self.plan.n_parts} parts have ended"
        return "; ".join([ended, *failed, *states])


class _PartHeader(BaseModel):
    """The first line of the file of a part; each other line is a circuit."""

    first: int
    n_shots: list[int]
    max_cost: list[float | None] | None = None


@dataclass(frozen=True)
class Snapshot:
    """What a look at the jobs of a run has found.

    :param statuses: The status of each job, in their order.
    :param details: What Nexus knows of each job that was looked into, by its part.
    """

    statuses: list[JobStatus]
    details: dict[int, Job]


def split(
    sizes: Sequence[int], costs: Sequence[float] | None, limits: PartLimits
) -> list[range]:
    """Divide circuits into parts, in their order, each as large as the limits allow.

    :param sizes: The size of each circuit in bytes.
    :param costs: The estimated cost of each circuit in HQC; None if it does not matter.
    :param limits: What a part may have at most.
    :returns: The indices of the circuits of each part.
    :raises InvalidInputError: If a circuit alone costs more than a part may.
    """
    most = math.inf if limits.max_cost is None else limits.max_cost
    parts: list[range] = []
    first, n_bytes, total = 0, 0, 0.0
    for index, size in enumerate(sizes):
        cost = 0.0 if costs is None else costs[index]
        if cost > most:
            raise InvalidInputError(
                f"circuits[{index}] costs about {cost:.2f} HQC, above the {most:g} HQC "
                "that one job may cost; raise max_cost, or give it fewer shots."
            )
        is_full = (
            index - first >= limits.max_programs
            or n_bytes + size > limits.max_bytes
            or total + cost > most
        )
        if is_full and index > first:
            parts.append(range(first, index))
            first, n_bytes, total = index, 0, 0.0
        n_bytes += size
        total += cost
    parts.append(range(first, len(sizes)))
    return parts


def write_parts(
    circuits: Sequence[Circuit],
    n_shots: Sequence[int],
    limits: PartLimits,
    cost: Callable[[Circuit, int], float],
    max_cost: Sequence[float | None] | None = None,
) -> PartPlan:
    """Divide circuits into parts, and keep each in a file of the running task.

    :param circuits: The circuits, at least one.
    :param n_shots: One number of shots for each circuit.
    :param limits: What a part may have at most.
    :param cost: Estimates the cost of a circuit with a number of shots in HQC; it is
        called where there is a limit of the cost.
    :param max_cost: The most that each circuit may cost in HQC, which Nexus keeps.
    :returns: The plan.
    :raises InvalidInputError: If a circuit alone costs more than a part may.
    """
    encoded = EncodedCircuits.of(circuits)
    costs = None
    if limits.max_cost is not None:
        costs = [cost(one, shots) for one, shots in zip(encoded, n_shots, strict=True)]
    parts = split([len(text) for text in encoded.texts], costs, limits)
    for number, indices in enumerate(parts):
        chosen = slice(indices.start, indices.stop)
        header = _PartHeader(
            first=indices.start,
            n_shots=list(n_shots[chosen]),
            max_cost=None if max_cost is None else list(max_cost[chosen]),
        )
        with kept_files.writing(_part_file(number)) as file:
            file.write(header.model_dump_json().encode())
            for index in indices:
                file.write(b"\n" + encoded.texts[index])
    logger.info("nexus: divided %d circuits into %d parts", len(encoded), len(parts))
    return PartPlan(
        files=kept_files.reference(""), n_parts=len(parts), n_programs=len(encoded)
    )


def submit_part(
    project_name: str,
    job_name: str,
    backend_config: BackendConfig,
    plan: PartPlan,
    number: int,
    budget: Budget | None = None,
) -> PartJob:
    """Upload the circuits of a part and submit them as a job.

    A task that is started again uploads nothing again once all were uploaded, and takes
    the job that it has submitted, however that ended.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: The name of the run.
    :param backend_config: Where and how to run the circuits.
    :param plan: The plan of the run.
    :param number: The place of the part, from 0.
    :param budget: A budget for the job, beside those of its workflow.
    :returns: The job.
    :raises BudgetExceededError: If it costs more than is left of a budget; nothing is
        uploaded then.
    :raises NexusWorkerError: If the circuits cannot be uploaded, or not submitted.
    """
    path = kept_files.resolve(plan.files) / _part_file(number)
    first_line, *texts = path.read_bytes().split(b"\n")
    header = _PartHeader.model_validate_json(first_line)
    name = name_part(job_name, number, plan.n_parts)

    check_and_reserve(
        (project_name, name, header.n_shots),
        lambda: estimate_cost(_read(texts), header.n_shots, backend_config),
        backend_config,
        len(texts),
        max_cost=header.max_cost,
        budget=budget,
    )
    programs = _upload(texts, project_name)
    job = start_execute_job(
        project_name,
        name,
        programs,
        header.n_shots,
        backend_config,
        adopt_failed=True,
        max_cost=header.max_cost,
        budget=budget,
    )
    write_submission(job, programs, header.n_shots, backend_config)
    return PartJob(
        **{name: getattr(job, name) for name in ExecuteJobRef.model_fields},
        part=number,
        first=header.first,
        n_programs=len(texts),
    )


def name_part(job_name: str, number: int, n_parts: int) -> str:
    """Return the name of the job of a part.

    :param job_name: The name of the run.
    :param number: The place of the part, from 0.
    :param n_parts: The number of parts.
    """
    return job_name if n_parts == 1 else f"{job_name} (part {number + 1} of {n_parts})"


def wait_for_end(
    jobs: Sequence[PartJob], polling_interval: float, *, at_once: bool
) -> list[JobStatus]:
    """Wait until one of several jobs has ended, an hour at most.

    One task waits for all of them, as ``wait_for_change`` does for one: a day in the
    queue costs requests, and neither processes nor passes of a loop.

    :param jobs: The jobs.
    :param polling_interval: The longest time between two looks, in seconds.
    :param at_once: Whether to return after the first look.
    :returns: The status of each job.
    :raises NexusWorkerError: If Nexus refuses, or an outage lasts too long.
    """
    return waits.wait_for_change(
        lambda: _statuses(jobs),
        lambda statuses: at_once or any(status.is_final for status in statuses),
        polling_interval,
    )


def wait_for_results(
    jobs: Sequence[PartJob], polling_interval: float, *, at_once: bool
) -> Snapshot:
    """Wait until programs have finished whose results were not handed on, or a job.

    It looks into jobs only once they have left the queue, so that a day in the queue
    costs what it costs for :func:`wait_for_end`.

    :param jobs: The jobs.
    :param polling_interval: The longest time between two looks, in seconds.
    :param at_once: Whether to return after the first look.
    :returns: What the last look has found; an hour has passed if that is nothing.
    :raises NexusWorkerError: If Nexus refuses, or an outage lasts too long.
    """
    next_look = 0.0

    def look() -> Snapshot:
        nonlocal next_look
        statuses, details = _statuses(jobs), {}
        started = time.monotonic()
        is_due = started >= next_look
        for job, status in zip(jobs, statuses, strict=True):
            has_begun = status.state.name not in _QUEUED_STATES
            if status.is_final or (has_begun and is_due):
                # In an outage, the next request for the status waits for its end.
                with suppress(NexusUnavailableError, NotLoggedInError):
                    details[job.part] = get_job_details(job)
        if is_due:
            now = time.monotonic()
            next_look = now + (now - started) / _SHARE_FOR_ITEMS
        return Snapshot(statuses, details)

    def is_end(snapshot: Snapshot) -> bool:
        return at_once or any(
            found.is_final or new_items(job, found)
            for job in jobs
            if (found := snapshot.details.get(job.part)) is not None
        )

    return waits.wait_for_change(look, is_end, polling_interval)


def new_items(job: PartJob, found: Job) -> list[JobItem]:
    """Return the items with a complete result that was not handed on yet.

    :param job: The job of a part.
    :param found: What Nexus knows of it.
    """
    seen = set(job.seen)
    return [it for it in found.items if it.succeeded and it.index not in seen]


def _describe_failed(job: PartJob) -> str:
    last = job.first + job.n_programs - 1
    several = f"circuits {job.first}-{last}"
    circuits = several if job.n_programs > 1 else f"circuit {job.first}"
    found = get_job_details(job)
    # People count the circuits of the run, not those of its jobs.
    failed = [
        item.model_copy(update={"index": job.first + item.index})
        for item in found.failed_items
    ]
    reason = f"it {found.state.meaning} ({found.state.name})"
    reason = describe_failures(failed) if failed else reason
    return f"part {job.part + 1} ({circuits}, {describe(job)}): {reason}"


def _statuses(jobs: Sequence[PartJob]) -> list[JobStatus]:
    statuses = []
    for job in jobs:
        status = await_status(job)
        settle_duplicates(job, status)
        statuses.append(status)
    return statuses


def _upload(texts: Sequence[bytes], project_name: str) -> list[CircuitRef]:
    """Upload circuits, unless this task had uploaded all before it was started again.

    The refs are kept, because to look up each of many circuits takes long.
    """
    refs = TypeAdapter(list[CircuitRef])
    path = kept_files.path_of(_PROGRAMS_FILE)
    if path.exists():
        return refs.validate_json(path.read_bytes())
    programs = upload_circuits(_read(texts), project_name)
    with kept_files.writing(_PROGRAMS_FILE) as file:
        file.write(to_json([ref.model_dump(mode="json") for ref in programs]))
    return programs


def _read(texts: Sequence[bytes]) -> list[Circuit]:
    return [Circuit.from_dict(from_json(text)) for text in texts]


def _part_file(number: int) -> str:
    return f"part-{number}.jsonl"
