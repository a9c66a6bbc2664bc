"""Run circuits on Nexus, and submit again those that failed for a passing reason."""
# ruff: noqa: F821  the names in OpaqueType are labels for type checkers, not imports

from typing import Any, NamedTuple, overload

from tierkreis.builder import Graph
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.graphs.submit_poll import (
    BackendConfig,
    BackendResult,
    Budget,
    ExecuteJobRef,
    JobInputs,
    LimitedJobInputs,
    Program,
    checked_interval,
    last_status,
    limits_among,
    prepare_and_upload,
)
from tkr_nexus_worker.stubs import (
    AttemptOutcome,
    collect_attempt,
    collect_programs,
    collect_results,
    start_attempt,
    wait_for_change,
)

type ItemResult = OpaqueType["tkr_nexus_worker.jobs.items.ItemResult"]

RETRY_LOOP = "nexus_retrying"
"""The name of the loop over the attempts, for ``read_loop_trace`` and tkr-vis."""

WAITING_LOOP = "nexus_waiting"
"""The name of the loop that waits for the job of one attempt."""


class WaitingState(NamedTuple):
    """The outputs of a pass of the loop that waits for a job.

    :param job: The job of the input.
    :param should_continue: Whether the job still waits or runs.
    :param status: The state, and the place in the queue where Nexus reports it.
    """

    job: TKR[ExecuteJobRef]
    should_continue: TKR[bool]
    status: TKR[str]


class WaitingInputs(NamedTuple):
    """The inputs of a pass of the loop that waits for a job.

    :param job: The job.
    """

    job: TKR[ExecuteJobRef]


class AttemptInputs(NamedTuple):
    """The inputs of one attempt.

    :param project_name: The project of the jobs.
    :param job_name: The name of the first job.
    :param programs: All programs, uploaded.
    :param n_shots: One number of shots for each program.
    :param backend_config: Where and how to run them.
    :param items: The outcome of each program so far; empty at first.
    :param attempt: The number of this attempt, from 1.
    :param max_cost: The most that each program may cost in one attempt, in HQC.
    :param budget: A budget for the jobs.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    programs: TKR[list[Program]]
    n_shots: TKR[list[int]]
    backend_config: TKR[BackendConfig]
    items: TKR[list[ItemResult]]
    attempt: TKR[int]
    max_cost: TKR[list[float] | None]
    budget: TKR[Budget | None]


@overload
def nexus_submit_and_poll_retrying(
    max_attempts: int, polling_interval: float = 30.0
) -> Workflow[JobInputs, TKR[list[BackendResult]]]: ...


@overload
def nexus_submit_and_poll_retrying(
    max_attempts: int,
    polling_interval: float = 30.0,
    *,
    inputs: type[LimitedJobInputs],
) -> Workflow[LimitedJobInputs, TKR[list[BackendResult]]]: ...


def nexus_submit_and_poll_retrying(
    max_attempts: int,
    polling_interval: float = 30.0,
    *,
    inputs: type[JobInputs] | type[LimitedJobInputs] = JobInputs,
) -> (
    Workflow[JobInputs, TKR[list[BackendResult]]]
    | Workflow[LimitedJobInputs, TKR[list[BackendResult]]]
):
    """Build a graph that runs circuits and submits again those worth a retry.

    It starts as ``nexus_submit_and_poll`` does. Once the job has ended, the circuits
    that failed for a reason that passes by itself (``jobs/items.py`` lists
    them) are submitted as a new job; they are not uploaded again. That is repeated
    until none is left or the attempts are used up. While any circuit of a job could
    still run, nothing is submitted again. Each attempt reserves what it may cost in its
    budgets.

    :param max_attempts: The number of jobs at most, the first included.
    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param inputs: The inputs of the graph: ``LimitedJobInputs`` has inputs for limits
        of cost and a budget.
    :returns: A graph from these inputs to one ``BackendResult`` for each circuit, in
        the order of the circuits. It fails if a circuit has no result in the end, and
        names each of them with its reason.
    :raises InvalidInputError: If the number of attempts is not a whole number of at
        least 1, or the interval is not a number of seconds above 0.
    """
    attempt_body = _attempt_body(_checked(max_attempts), polling_interval)
    g: Graph[Any, TKR[list[BackendResult]]] = Graph(inputs, TKR[list[BackendResult]])
    given: JobInputs | LimitedJobInputs = g.inputs
    limits = limits_among(given)
    no_limit: TKR[None] = g.const(None)
    programs = g.task(collect_programs(prepare_and_upload(g, polling_interval)))
    nothing_yet: TKR[list[ItemResult]] = g.const([])
    outcome = g.loop(
        attempt_body,
        AttemptInputs(
            project_name=given.project_name,
            job_name=given.job_name,
            programs=programs,
            n_shots=given.n_shots,
            backend_config=given.backend_config,
            items=nothing_yet,
            attempt=g.const(1),
            max_cost=limits.max_cost if limits else no_limit,
            budget=limits.budget if limits else no_limit,
        ),
        name=RETRY_LOOP,
    )
    results = g.task(collect_results(given.job_name, outcome.items))
    return g.finish_with_outputs(results)


def _checked(max_attempts: object) -> int:
    if (
        not isinstance(max_attempts, int)
        or isinstance(max_attempts, bool)
        or max_attempts < 1
    ):
        raise InvalidInputError(
            f"The number of attempts is {max_attempts!r}; "
            "give a whole number of at least 1."
        )
    return max_attempts


def _attempt_body(
    max_attempts: int, polling_interval: float
) -> Workflow[AttemptInputs, AttemptOutcome]:
    g = Graph(AttemptInputs, AttemptOutcome)
    job = g.task(start_attempt(*g.inputs))
    ended = g.loop(
        _waiting_body(polling_interval), WaitingInputs(job), name=WAITING_LOOP
    )
    outcome = g.task(
        collect_attempt(
            ended.job, g.inputs.items, g.inputs.attempt, g.const(max_attempts)
        )
    )
    return g.finish_with_outputs(outcome)


def _waiting_body(polling_interval: float) -> Workflow[WaitingInputs, WaitingState]:
    g = Graph(WaitingInputs, WaitingState)
    change = g.task(
        wait_for_change(
            g.inputs.job,
            g.const(checked_interval(polling_interval)),
            last_status(),
            allow_failed=g.const(value=True),
        )
    )
    return g.finish_with_outputs(
        WaitingState(g.inputs.job, change.is_unfinished, change.status)
    )
