"""Compile circuits on Nexus, or by pytket in a task, and run what was made of them."""
# The names in OpaqueType are labels for type checkers, not imports.
# ruff: noqa: F821

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, overload

from tierkreis.builder import Graph
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.errors import InvalidInputError
from tkr_nexus_worker.graphs.submit_poll import (
    POLLING_LOOP,
    BackendConfig,
    BackendResult,
    Circuit,
    JobInputs,
    LimitedJobInputs,
    Program,
    checked_interval,
    last_status,
    limits_among,
    nexus_submit_and_poll,
    polling_loop_body,
    upload_batches,
)
from tkr_nexus_worker.stubs import (
    compile_locally,
    get_compiled_programs,
    prepare_compilation,
    start_compile_job,
    start_execute_job,
    wait_for_change,
)

type CompileJobRef = OpaqueType["qnexus.models.references.CompileJobRef"]
type HyperTketConfig = OpaqueType[
    "quantinuum_schemas.models.hypertket_config.HyperTketConfig"
]

COMPILING_LOOP = "nexus_compiling"
"""The name of the loop that waits for a compile job, for ``read_loop_trace``."""


class CompileInputs(NamedTuple):
    """The inputs of :func:`compile_and_poll`.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param circuits: The pytket circuits, at least one.
    :param backend_config: The device to compile for, a config of qnexus.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    circuits: TKR[list[Circuit]]
    backend_config: TKR[BackendConfig]


class CompilingOutputs(NamedTuple):
    """The outputs of a pass of the loop that waits for a compile job.

    :param programs: The compiled circuits; empty while the job is not complete.
    :param should_continue: Whether the job still waits or runs.
    :param status: The state of the job, and its place in the queue where there is one.
    """

    programs: TKR[list[Program]]
    should_continue: TKR[bool]
    status: TKR[str]


def compile_and_poll(
    optimisation_level: int = 2,
    polling_interval: float = 30.0,
    *,
    target_2qb_gate: str | None = None,
    hypertket_config: Any = None,
    store_passes: bool = False,
) -> Workflow[CompileInputs, TKR[list[Program]]]:
    """Build a graph that compiles circuits on Nexus as one job.

    The circuits are checked first; then they are uploaded in parallel, in batches, and
    the job is submitted and polled.

    :param optimisation_level: 0 for a change of gates alone, to 3 for the most
        optimisation.
    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param target_2qb_gate: The gate on two qubits to compile to, instead of that of
        the config: ``ZZPhase``, ``ZZMax`` or ``TK2``.
    :param hypertket_config: A ``HyperTketConfig`` of qnexus: options of the search for
        rewrites, and of the reuse of qubits.
    :param store_passes: Whether Nexus keeps what each pass made.
    :returns: A graph from :class:`CompileInputs` to references to the compiled
        circuits, in the order of the circuits, for the task ``start_execute_job``.
    :raises InvalidInputError: If the level is not 0, 1, 2 or 3, or the interval is not
        a number of seconds above 0.
    """
    g = Graph(CompileInputs, TKR[list[Program]])
    programs = _compile(
        g,
        *g.inputs,
        None,
        _checked_level(optimisation_level),
        polling_interval,
        target_2qb_gate,
        hypertket_config,
        store_passes=store_passes,
    )
    return g.finish_with_outputs(programs)


@overload
def nexus_compile_submit_and_poll(
    optimisation_level: int = 2,
    polling_interval: float = 30.0,
    *,
    target_2qb_gate: str | None = None,
    hypertket_config: Any = None,
    compile: Literal["nexus", "local"] = "nexus",
    passes: Sequence[str] = (),
) -> Workflow[JobInputs, TKR[list[BackendResult]]]: ...


@overload
def nexus_compile_submit_and_poll(
    optimisation_level: int = 2,
    polling_interval: float = 30.0,
    *,
    target_2qb_gate: str | None = None,
    hypertket_config: Any = None,
    compile: Literal["nexus", "local"] = "nexus",
    passes: Sequence[str] = (),
    inputs: type[LimitedJobInputs],
) -> Workflow[LimitedJobInputs, TKR[list[BackendResult]]]: ...


def nexus_compile_submit_and_poll(
    optimisation_level: int = 2,
    polling_interval: float = 30.0,
    *,
    target_2qb_gate: str | None = None,
    hypertket_config: Any = None,
    compile: Literal["nexus", "local"] = "nexus",  # noqa: A002 (what it is called)
    passes: Sequence[str] = (),
    inputs: type[JobInputs] | type[LimitedJobInputs] = JobInputs,
) -> (
    Workflow[JobInputs, TKR[list[BackendResult]]]
    | Workflow[LimitedJobInputs, TKR[list[BackendResult]]]
):
    """Build a graph that compiles circuits, runs them and returns their results.

    Everything is checked first. On Nexus, a job of the same name compiles the circuits,
    and a second one runs them. With ``compile="local"`` a task changes their gates by
    pytket instead, and there is one job.

    :param optimisation_level: 0 for a change of gates alone, to 3 for the most
        optimisation; on Nexus only.
    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param target_2qb_gate: The gate on two qubits to compile to, instead of that of
        the config: ``ZZPhase``, ``ZZMax`` or ``TK2``.
    :param hypertket_config: As for :func:`compile_and_poll`; on Nexus only.
    :param compile: Where the circuits are compiled.
    :param passes: Names of passes of ``pytket.passes`` without arguments; with
        ``compile="local"`` only.
    :param inputs: The inputs of the graph: ``LimitedJobInputs`` has inputs for limits
        of cost and a budget, which are for the job that runs the circuits; a
        compilation costs no HQC.
    :returns: A graph from these inputs to one ``BackendResult`` for each circuit, in
        the order of the circuits.
    :raises InvalidInputError: If the level is not 0, 1, 2 or 3, the interval is not a
        number of seconds above 0, or an option is for the other way to compile.
    """
    level = _checked_level(optimisation_level)
    if compile not in {"nexus", "local"}:
        raise InvalidInputError(f"compile is {compile!r}; give 'nexus' or 'local'.")
    if compile == "nexus" and passes:
        raise InvalidInputError(
            f"passes is {list(passes)!r}, and Nexus chooses its own; leave it out, or "
            "compile with compile='local'."
        )
    if compile == "local" and hypertket_config is not None:
        raise InvalidInputError(
            "hypertket_config is for Nexus; leave it out of compile='local'."
        )
    g: Graph[Any, TKR[list[BackendResult]]] = Graph(inputs, TKR[list[BackendResult]])
    limits = limits_among(g.inputs)
    if compile == "local":
        compiled = g.task(
            compile_locally(
                g.inputs.circuits,
                g.inputs.backend_config,
                _constant(g, list(passes) or None),
                _constant(g, target_2qb_gate),
            )
        )
        graph = (
            nexus_submit_and_poll(polling_interval)
            if limits is None
            else nexus_submit_and_poll(polling_interval, inputs=LimitedJobInputs)
        )
        results = g.eval(graph, g.inputs._replace(circuits=compiled))
        return g.finish_with_outputs(results)
    programs = _compile(
        g,
        g.inputs.project_name,
        g.inputs.job_name,
        g.inputs.circuits,
        g.inputs.backend_config,
        g.inputs.n_shots,
        level,
        polling_interval,
        target_2qb_gate,
        hypertket_config,
        limits=limits,
    )
    job = g.task(
        start_execute_job(
            g.inputs.project_name,
            g.inputs.job_name,
            programs,
            g.inputs.n_shots,
            g.inputs.backend_config,
            max_cost=limits and limits.max_cost,
            max_job_cost=limits and limits.max_job_cost,
            budget=limits and limits.budget,
        )
    )
    polling = g.loop(polling_loop_body(polling_interval), job, name=POLLING_LOOP)
    return g.finish_with_outputs(polling.results)


def _compile(
    g: Graph[Any, Any],
    project_name: TKR[str],
    job_name: TKR[str],
    circuits: TKR[list[Circuit]],
    backend_config: TKR[BackendConfig],
    n_shots: TKR[list[int]] | None,
    level: int,
    polling_interval: float,
    target_2qb_gate: str | None,
    hypertket_config: Any,
    *,
    limits: LimitedJobInputs | None = None,
    store_passes: bool = False,
) -> TKR[list[Program]]:
    """Add the check, the uploads, the compile job and its polling to a graph.

    :param n_shots: As for the task ``prepare_compilation``.
    :param limits: The limits of what the job that runs them costs.
    :returns: The compiled circuits.
    """
    optimisation_level = g.const(level)
    target = _constant(g, target_2qb_gate)
    batches = g.task(
        prepare_compilation(
            project_name,
            job_name,
            circuits,
            backend_config,
            optimisation_level,
            target,
            n_shots,
            g.const(checked_interval(polling_interval)),
            limits and limits.max_cost,
            limits and limits.max_job_cost,
            limits and limits.budget,
        )
    )
    job = g.task(
        start_compile_job(
            project_name,
            job_name,
            upload_batches(g, project_name, batches),
            backend_config,
            optimisation_level,
            target,
            _constant(g, hypertket_config),
            g.const(store_passes),
        )
    )
    body = _compiling_loop_body(polling_interval)
    return g.loop(body, job, name=COMPILING_LOOP).programs


def _compiling_loop_body(
    polling_interval: float,
) -> Workflow[TKR[CompileJobRef], CompilingOutputs]:
    g = Graph(TKR[CompileJobRef], CompilingOutputs)
    interval = g.const(checked_interval(polling_interval))
    change = g.task(wait_for_change(g.inputs, interval, last_status()))
    none_yet: TKR[list[Program]] = g.const([])
    compiled = g.task(get_compiled_programs(g.inputs))
    programs = g.ifelse(change.is_unfinished, none_yet, compiled)
    return g.finish_with_outputs(
        CompilingOutputs(programs, change.is_unfinished, change.status)
    )


def _constant(g: Graph[Any, Any], value: Any) -> TKR[Any] | None:
    """Return a constant; None, so that a task takes its default, for None."""
    return None if value is None else g.const(value)


def _checked_level(level: object) -> int:
    if isinstance(level, bool) or level not in range(4):
        raise InvalidInputError(
            f"The optimisation level is {level!r}; give 0, 1, 2 or 3."
        )
    assert isinstance(level, int)  # noqa: S101 (it is in the range)
    return level
