"""Run thousands of circuits on Nexus as several jobs, a few of them at once.

One task waits for all jobs that wait or run, and one task uploads and submits the next
part when a job has ended. The circuits and the results are in files beside the
workflow; the loop hands on references to them.
"""
# ruff: noqa: F821  the names in OpaqueType are labels for type checkers

import math
from typing import Any, NamedTuple, overload

from tierkreis.builder import Graph
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.graphs.submit_poll import (
    BackendConfig,
    BackendResult,
    Budget,
    JobInputs,
    LimitedJobInputs,
    checked_interval,
    limits_among,
)
from tkr_nexus_worker.stubs import (
    PartsProgress,
    collect_part,
    join_parts,
    list_parts,
    prepare_parts,
    submit_part,
)

type PartPlan = OpaqueType["tkr_nexus_worker.jobs.runs.PartPlan"]
type PartJob = OpaqueType["tkr_nexus_worker.jobs.runs.PartJob"]
type PartOutcome = OpaqueType["tkr_nexus_worker.results.parts.PartOutcome"]

PARTS_LOOP = "nexus_parts"
"""The name of the loop over the parts, for ``read_loop_trace`` and tkr-vis."""

MAX_PROGRAMS = 500
"""The largest number of circuits of a job, if no other is given."""

MAX_JOBS = 4
"""The largest number of jobs at once, if no other is given."""

MAX_BYTES = 50_000_000
"""The largest size of the circuits of a job as they are uploaded, in bytes."""


class Division(NamedTuple):
    """How circuits are divided into jobs.

    :param max_programs: The largest number of circuits of a job.
    :param max_cost: The largest estimated cost of a job in HQC; None for no limit.
    :param max_jobs: The largest number of jobs that wait or run at once.
    :param max_bytes: The largest size of the circuits of a job as they are uploaded,
        in bytes.
    """

    max_programs: int = MAX_PROGRAMS
    max_cost: float | None = None
    max_jobs: int = MAX_JOBS
    max_bytes: int = MAX_BYTES

    def check(self) -> "Division":
        """Return the same division.

        :raises InvalidInputError: If one of its limits allows nothing.
        """
        for name in ("max_programs", "max_jobs", "max_bytes"):
            check_at_least_one(name, getattr(self, name))
        cost = self.max_cost
        is_number = isinstance(cost, int | float) and not isinstance(cost, bool)
        if cost is not None and not (is_number and 0 < cost < math.inf):
            raise InvalidInputError(
                f"max_cost is {cost!r}; give a number of HQC above 0, or None for no "
                "limit."
            )
        return self


class PartsInputs(NamedTuple):
    """The inputs of a pass of the loop over the parts.

    :param project_name: The project of the jobs.
    :param job_name: The name of the run.
    :param backend_config: Where and how to run the circuits.
    :param plan: How the circuits are divided.
    :param part_jobs: The jobs that have not ended.
    :param failed_jobs: The jobs that failed.
    :param next_part: The part to submit next.
    :param outcomes: A reference to the outcome of the part that ended last.
    :param may_submit: Whether to submit the next part now.
    :param budget: A budget for the jobs.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    backend_config: TKR[BackendConfig]
    plan: TKR[PartPlan]
    part_jobs: TKR[list[PartJob]]
    failed_jobs: TKR[list[PartJob]]
    next_part: TKR[int]
    outcomes: TKR[str]
    may_submit: TKR[bool]
    budget: TKR[Budget | None]


@overload
def nexus_submit_and_poll_batched(
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    polling_interval: float = 30.0,
    *,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
) -> Workflow[JobInputs, TKR[list[BackendResult]]]: ...


@overload
def nexus_submit_and_poll_batched(
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    polling_interval: float = 30.0,
    *,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
    inputs: type[LimitedJobInputs],
) -> Workflow[LimitedJobInputs, TKR[list[BackendResult]]]: ...


def nexus_submit_and_poll_batched(
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    polling_interval: float = 30.0,
    *,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
    inputs: type[JobInputs] | type[LimitedJobInputs] = JobInputs,
) -> (
    Workflow[JobInputs, TKR[list[BackendResult]]]
    | Workflow[LimitedJobInputs, TKR[list[BackendResult]]]
):
    """Build a graph that runs circuits as several jobs and returns their results.

    All circuits are checked first. They are divided, in their order, into parts; each
    part is uploaded and submitted as soon as a job may be added. A job that fails costs
    only its own part: the others run on and their results are kept. In the end the
    graph fails and names each part that failed, with its job and its circuits.

    :param max_programs: The largest number of circuits of a job.
    :param max_cost: The largest estimated cost of a job in HQC; None for no limit. A
        ``max_batch_cost`` of a backend config that attempts batching is a limit, too.
    :param max_jobs: The largest number of jobs that wait or run at once.
    :param polling_interval: The longest time between two looks at the jobs, in seconds;
        the first follow each other more quickly.
    :param max_bytes: The largest size of the circuits of a job as they are uploaded,
        in bytes; a larger circuit is a job of its own.
    :param allow_failed: Whether circuits may fail; the graph then returns an empty
        result, which equals ``BackendResult()``, for each.
    :param inputs: The inputs of the graph: ``LimitedJobInputs`` has inputs for limits
        of cost and a budget. Its ``max_job_cost`` is for all jobs together; each part
        is reserved in the budget before its upload.
    :returns: A graph from these inputs to one ``BackendResult`` for each circuit, in
        the order of the circuits.
    :raises InvalidInputError: If a limit allows nothing, or the interval is not a
        number of seconds above 0.
    """
    division = Division(max_programs, max_cost, max_jobs, max_bytes)
    g: Graph[Any, TKR[list[BackendResult]]] = Graph(inputs, TKR[list[BackendResult]])
    outcomes = _run_parts(g, division, polling_interval, allow_failed=allow_failed)
    return g.finish_with_outputs(g.task(join_parts(outcomes)))


@overload
def nexus_submit_in_parts(
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    polling_interval: float = 30.0,
    *,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
) -> Workflow[JobInputs, TKR[list[PartOutcome]]]: ...


@overload
def nexus_submit_in_parts(
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    polling_interval: float = 30.0,
    *,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
    inputs: type[LimitedJobInputs],
) -> Workflow[LimitedJobInputs, TKR[list[PartOutcome]]]: ...


def nexus_submit_in_parts(
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    polling_interval: float = 30.0,
    *,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
    inputs: type[JobInputs] | type[LimitedJobInputs] = JobInputs,
) -> (
    Workflow[JobInputs, TKR[list[PartOutcome]]]
    | Workflow[LimitedJobInputs, TKR[list[PartOutcome]]]
):
    """Build a graph that runs circuits as several jobs and keeps results in files.

    It is for results that do not fit into memory together:
    ``tkr_nexus_worker.results.part_results(storage)`` reads them part by part.

    :param max_programs: As for :func:`nexus_submit_and_poll_batched`.
    :param max_cost: As there.
    :param max_jobs: As there.
    :param polling_interval: As there.
    :param max_bytes: As there.
    :param allow_failed: As there.
    :param inputs: As there.
    :returns: A graph from these inputs to one ``PartOutcome`` for each job.
    :raises InvalidInputError: As there.
    """
    division = Division(max_programs, max_cost, max_jobs, max_bytes)
    g: Graph[Any, TKR[list[PartOutcome]]] = Graph(inputs, TKR[list[PartOutcome]])
    outcomes = _run_parts(g, division, polling_interval, allow_failed=allow_failed)
    return g.finish_with_outputs(g.task(list_parts(outcomes)))


def prepare(
    g: Graph[Any, Any],
    division: Division,
    polling_interval: float,
) -> TKR[PartPlan]:
    """Add the check of a run to a graph, and the division of its circuits.

    :param g: A graph with the inputs of a job, ``JobInputs`` or ``LimitedJobInputs``.
    :param division: How to divide them.
    :param polling_interval: The longest time between two looks, in seconds.
    :returns: The plan.
    :raises InvalidInputError: If a limit allows nothing, or the interval is not a
        number of seconds above 0.
    """
    division.check()
    max_cost = division.max_cost
    limits = limits_among(g.inputs)
    return g.task(
        prepare_parts(
            g.inputs.project_name,
            g.inputs.job_name,
            g.inputs.circuits,
            g.inputs.n_shots,
            g.inputs.backend_config,
            max_programs=g.const(division.max_programs),
            max_bytes=g.const(division.max_bytes),
            max_cost=None if max_cost is None else g.const(float(max_cost)),
            polling_interval=g.const(checked_interval(polling_interval)),
            max_program_cost=limits and limits.max_cost,
            max_job_cost=limits and limits.max_job_cost,
        )
    )


def check_at_least_one(name: str, number: object) -> None:
    """Check a number that counts something.

    :param name: Its name.
    :param number: The number.
    :raises InvalidInputError: If it is not a whole number of at least 1.
    """
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise InvalidInputError(
            f"{name} is {number!r}; give a whole number of at least 1."
        )


def _run_parts(
    g: Graph[Any, Any],
    division: Division,
    polling_interval: float,
    *,
    allow_failed: bool,
) -> TKR[str]:
    """Run all parts; return a reference to their outcomes."""
    plan = prepare(g, division, polling_interval)
    no_jobs: TKR[list[PartJob]] = g.const([])
    limits = limits_among(g.inputs)
    run = g.loop(
        _parts_body(division, polling_interval, allow_failed=allow_failed),
        PartsInputs(
            project_name=g.inputs.project_name,
            job_name=g.inputs.job_name,
            backend_config=g.inputs.backend_config,
            plan=plan,
            part_jobs=no_jobs,
            failed_jobs=no_jobs,
            next_part=g.const(0),
            outcomes=g.const(""),
            may_submit=g.const(value=True),
            budget=limits.budget if limits else g.const(None),
        ),
        name=PARTS_LOOP,
    )
    return run.outcomes


def jobs_after_submission(g: Graph[Any, Any]) -> TKR[list[PartJob]]:
    """Add the submission of the next part, if there may be one, to a pass of a loop.

    :param g: The body of the loop, with the inputs of :class:`PartsInputs`.
    :returns: The jobs that have not ended, with the one submitted now.
    """
    inputs = g.inputs
    submitted = g.task(
        submit_part(
            inputs.project_name,
            inputs.job_name,
            inputs.backend_config,
            inputs.plan,
            inputs.part_jobs,
            inputs.next_part,
            inputs.budget,
        )
    )
    return g.ifelse(inputs.may_submit, submitted, inputs.part_jobs)


def _parts_body(
    division: Division, polling_interval: float, *, allow_failed: bool
) -> Workflow[PartsInputs, PartsProgress]:
    g = Graph(PartsInputs, PartsProgress)
    inputs = g.inputs
    progress = g.task(
        collect_part(
            inputs.job_name,
            inputs.plan,
            jobs_after_submission(g),
            inputs.failed_jobs,
            inputs.next_part,
            inputs.outcomes,
            g.const(division.max_jobs),
            g.const(checked_interval(polling_interval)),
            g.const(allow_failed),
        )
    )
    return g.finish_with_outputs(progress)
