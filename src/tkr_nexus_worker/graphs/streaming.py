"""Give each finished program's result to a graph while others of its job still run.

A ``map`` of Tierkreis needs its whole input list before it starts, and starts a process
for each element at once. So this is a loop: each pass waits until programs have
finished, and maps over the results that have come, a few at most. Those that come
meanwhile are the next pass. The number of processes is that of a pass, however many
programs there are, and a job in the queue costs one waiting task.
"""
# ruff: noqa: SLF001  the names in OpaqueType are labels for type checkers

from typing import Any, NamedTuple, cast, overload

from tierkreis.builder import Graph, TList
from tierkreis.controller.data.types import (
    PType,  # pyright: ignore[reportUnknownVariableType]
)
from tierkreis.models import TKR, Workflow

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.graphs.batched import (
    MAX_BYTES,
    MAX_JOBS,
    MAX_PROGRAMS,
    Division,
    PartJob,
    PartPlan,
    check_at_least_one,
    jobs_after_submission,
    prepare,
)
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
    await_results,
    join_outputs,
    keep_outputs,
    take_indices,
    take_results,
)

STREAM_LOOP = "nexus_stream"
"""The name of the loop over finished programs, for ``read_loop_trace`` and tkr-vis."""

MAX_AT_ONCE = 8
"""The largest number of results that the body is evaluated for at once."""


class FinishedProgram(NamedTuple):
    """The inputs of the body of a stream.

    :param program_index: The place of the program among all, from 0.
    :param result: Its result.
    """

    program_index: TKR[int]
    result: TKR[BackendResult]


class StreamInputs(NamedTuple):
    """The inputs of a pass of the loop over finished programs.

    :param project_name: The project of the jobs.
    :param job_name: The name of the run.
    :param backend_config: Where and how to run the circuits.
    :param plan: How the circuits are divided.
    :param part_jobs: The jobs that have not ended.
    :param failed_jobs: The jobs that failed.
    :param next_part: The part to submit next.
    :param outputs: A reference to what the body has returned so far.
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
    outputs: TKR[str]
    may_submit: TKR[bool]
    budget: TKR[Budget | None]


class StreamOutputs(NamedTuple):
    """The outputs of a pass of the loop over finished programs.

    :param part_jobs: The jobs that have not ended, or have results to hand on.
    :param failed_jobs: The jobs that failed.
    :param next_part: The part to submit next.
    :param outputs: A reference to what the body has returned so far.
    :param may_submit: Whether to submit the next part now.
    :param should_continue: Whether the run goes on.
    :param status: What runs and waits, for people.
    """

    part_jobs: TKR[list[PartJob]]
    failed_jobs: TKR[list[PartJob]]
    next_part: TKR[int]
    outputs: TKR[str]
    may_submit: TKR[bool]
    should_continue: TKR[bool]
    status: TKR[str]


class _ElementOutput(NamedTuple):
    output: TKR[Any]


# PType refers to itself, which pyright takes for a generic type.
@overload
def nexus_stream_results[B: PType](  # pyright: ignore[reportGeneralTypeIssues]
    body: Workflow[FinishedProgram, TKR[B]] | Workflow[TKR[BackendResult], TKR[B]],
    max_at_once: int = MAX_AT_ONCE,
    polling_interval: float = 30.0,
    *,
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
) -> Workflow[JobInputs, TKR[list[B]]]: ...


@overload
def nexus_stream_results[B: PType](  # pyright: ignore[reportGeneralTypeIssues]
    body: Workflow[FinishedProgram, TKR[B]] | Workflow[TKR[BackendResult], TKR[B]],
    max_at_once: int = MAX_AT_ONCE,
    polling_interval: float = 30.0,
    *,
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
    inputs: type[LimitedJobInputs],
) -> Workflow[LimitedJobInputs, TKR[list[B]]]: ...


def nexus_stream_results[B: PType](  # pyright: ignore[reportGeneralTypeIssues]
    body: Workflow[FinishedProgram, TKR[B]] | Workflow[TKR[BackendResult], TKR[B]],
    max_at_once: int = MAX_AT_ONCE,
    polling_interval: float = 30.0,
    *,
    max_programs: int = MAX_PROGRAMS,
    max_cost: float | None = None,
    max_jobs: int = MAX_JOBS,
    max_bytes: int = MAX_BYTES,
    allow_failed: bool = False,
    inputs: type[JobInputs] | type[LimitedJobInputs] = JobInputs,
) -> Workflow[JobInputs, TKR[list[B]]] | Workflow[LimitedJobInputs, TKR[list[B]]]:
    """Build a graph that evaluates a body for each result as soon as it is there.

    The circuits run as ``nexus_submit_and_poll_batched`` runs them. While a job waits
    in a queue, only its status is requested.

    :param body: A graph from a ``BackendResult``, or from a :class:`FinishedProgram`,
        to any value. Programs finish in any order.
    :param max_at_once: The largest number of results that the body is evaluated for at
        once, each in processes of its own; further results wait for the next pass.
    :param polling_interval: The longest time between two looks at the jobs, in seconds;
        the first of each pass follow each other more quickly.
    :param max_programs: The largest number of circuits of a job.
    :param max_cost: The largest estimated cost of a job in HQC; None for no limit.
    :param max_jobs: The largest number of jobs that wait or run at once.
    :param max_bytes: The largest size of the circuits of a job as they are uploaded,
        in bytes.
    :param allow_failed: Whether programs may fail; the body is then evaluated for an
        empty result, which equals ``BackendResult()``, once their job has ended.
    :param inputs: As for ``nexus_submit_and_poll_batched``.
    :returns: A graph from these inputs to what the body returned for each circuit, in
        the order of the circuits. It fails in the end if programs failed.
    :raises InvalidInputError: If a limit allows nothing, the interval is not a number
        of seconds above 0, or the body has other inputs.
    """
    check_at_least_one("max_at_once", max_at_once)
    division = Division(max_programs, max_cost, max_jobs, max_bytes)
    g: Graph[Any, TKR[list[B]]] = Graph(inputs, TKR[list[B]])
    limits = limits_among(g.inputs)
    plan = prepare(g, division, polling_interval)
    no_jobs: TKR[list[PartJob]] = g.const([])
    run = g.loop(
        _stream_body(
            body, max_at_once, division, polling_interval, allow_failed=allow_failed
        ),
        StreamInputs(
            project_name=g.inputs.project_name,
            job_name=g.inputs.job_name,
            backend_config=g.inputs.backend_config,
            plan=plan,
            part_jobs=no_jobs,
            failed_jobs=no_jobs,
            next_part=g.const(0),
            outputs=g.const(""),
            may_submit=g.const(value=True),
            budget=limits.budget if limits else g.const(None),
        ),
        name=STREAM_LOOP,
    )
    outputs = cast("TKR[list[B]]", g.task(join_outputs(run.outputs)))
    return g.finish_with_outputs(outputs)


def _stream_body(
    body: Workflow[Any, Any],
    max_at_once: int,
    division: Division,
    polling_interval: float,
    *,
    allow_failed: bool,
) -> Workflow[StreamInputs, StreamOutputs]:
    element = _element(body)
    g = Graph(StreamInputs, StreamOutputs)
    inputs = g.inputs
    progress = g.task(
        await_results(
            inputs.job_name,
            inputs.plan,
            jobs_after_submission(g),
            inputs.failed_jobs,
            inputs.next_part,
            g.const(division.max_jobs),
            g.const(max_at_once),
            g.const(checked_interval(polling_interval)),
            g.const(allow_failed),
        )
    )
    # The worker writes and reads the elements by itself, as in prepare_and_upload.
    results = g.task(take_results(progress.arrivals))
    indices = g.task(take_indices(progress.arrivals))
    evaluated = g.map(
        element,
        TList(FinishedProgram(_each(indices), _each(results))),
    )
    # A list of models shows its elements to the builder alone.
    returned = evaluated._value.output  # pyright: ignore[reportPrivateUsage]
    kept = g.task(keep_outputs(progress.arrivals, returned, inputs.outputs))
    return g.finish_with_outputs(
        StreamOutputs(
            part_jobs=progress.part_jobs,
            failed_jobs=progress.failed_jobs,
            next_part=progress.next_part,
            outputs=g.ifelse(progress.has_arrivals, kept, inputs.outputs),
            may_submit=progress.may_submit,
            should_continue=progress.should_continue,
            status=progress.status,
        )
    )


def _each(values: TKR[Any]) -> TKR[Any]:
    return TKR(values.node_index, "*")


def _element(body: Workflow[Any, Any]) -> Workflow[FinishedProgram, _ElementOutput]:
    """Return the body with the inputs and the output of an element of the map."""
    expected = body.data.graph_inputs - body.data.fixed_inputs.keys()
    g = Graph(FinishedProgram, _ElementOutput)
    if expected <= {"value"}:
        output = g.eval(body, g.inputs.result)
    elif expected <= set(FinishedProgram._fields):
        output = g.eval(body, g.inputs)
    else:
        raise InvalidInputError(
            f"The body of a stream has the inputs {', '.join(sorted(expected))}; build "
            "it with Graph(TKR[BackendResult], …) or Graph(FinishedProgram, …)."
        )
    return g.finish_with_outputs(_ElementOutput(output))
