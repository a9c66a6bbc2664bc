"""Run programs of several kinds: a job for each kind, and their shots in one list."""
# The names in OpaqueType are labels for type checkers, not imports.
# ruff: noqa: F821, SLF001

from collections.abc import Sequence
from typing import Any, NamedTuple, overload

from tierkreis.builder import Graph, TList
from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.graphs.submit_poll import (
    POLLING_LOOP,
    BackendConfig,
    Budget,
    ExecuteJobRef,
    checked_interval,
    last_status,
)
from tkr_nexus_worker.stubs import (
    get_program_shots,
    join_programs,
    prepare_programs,
    submit_programs,
    wait_for_change,
)

type AnyProgram = (
    OpaqueType["pytket._tket.circuit.Circuit"]
    | OpaqueType["hugr.package.Package"]
    | bytes
)
type ProgramPart = OpaqueType["tkr_nexus_worker.jobs.parts.ProgramPart"]
type ProgramShots = OpaqueType["tkr_nexus_worker.results.tagged.ProgramShots"]


class ProgramsInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_programs`.

    :param project_name: The project of the jobs; it is created if it does not exist.
    :param job_name: A name for the job; where there are several kinds of programs, each
        job has the kind added to it.
    :param programs: pytket circuits, HUGR packages and QIR (the bytes of LLVM bitcode
        or text) in any order, at least one.
    :param n_shots: The numbers of shots, one for each program.
    :param n_qubits: The numbers of qubits, one for each program; None if all say it
        themselves, as circuits do.
    :param max_cost: The most that each program may cost, in HQC; None for no limit.
    :param backend_config: Where and how to run them, a config of qnexus.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    programs: TKR[list[AnyProgram]]
    n_shots: TKR[list[int]]
    n_qubits: TKR[list[int] | None]
    max_cost: TKR[list[float] | None]
    backend_config: TKR[BackendConfig]


class LimitedProgramsInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_programs` with limits of what the jobs cost.

    Give None for what has no limit.

    :param project_name: As for :class:`ProgramsInputs`, and so all up to
        ``backend_config``.
    :param max_job_cost: The most that all jobs may be estimated to cost together, in
        HQC; with HUGR and QIR programs, give ``max_cost`` as well.
    :param budget: A budget, ``tkr_nexus_worker.budget(hqc=…)``.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    programs: TKR[list[AnyProgram]]
    n_shots: TKR[list[int]]
    n_qubits: TKR[list[int] | None]
    max_cost: TKR[list[float] | None]
    backend_config: TKR[BackendConfig]
    max_job_cost: TKR[float | None]
    budget: TKR[Budget | None]


class PartInputs(NamedTuple):
    """The inputs of the job of one kind of programs.

    :param project_name: The project of the job.
    :param part: The programs.
    :param backend_config: Where and how to run them.
    :param budget: A budget for the job.
    """

    project_name: TKR[str]
    part: TKR[ProgramPart]
    backend_config: TKR[BackendConfig]
    budget: TKR[Budget | None]


class PartJob(NamedTuple):
    """The inputs of a pass of the loop that waits for the job of a part.

    :param job: The job.
    :param part: The programs.
    """

    job: TKR[ExecuteJobRef]
    part: TKR[ProgramPart]


class PartOutputs(NamedTuple):
    """The output of the job of one kind of programs.

    :param shots: The shots of each program, in the order of the job.
    """

    shots: TKR[list[ProgramShots]]


class PartPolling(NamedTuple):
    """The outputs of a pass of the loop that waits for the job of a part.

    :param shots: The shots of each program; empty while the job is not complete.
    :param should_continue: Whether the job still waits or runs.
    :param status: The state of the job, and its place in the queue where there is one.
    """

    shots: TKR[list[ProgramShots]]
    should_continue: TKR[bool]
    status: TKR[str]


@overload
def nexus_submit_programs(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
    names: Sequence[str] | None = None,
) -> Workflow[ProgramsInputs, TKR[list[ProgramShots]]]: ...


@overload
def nexus_submit_programs(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
    names: Sequence[str] | None = None,
    inputs: type[LimitedProgramsInputs],
) -> Workflow[LimitedProgramsInputs, TKR[list[ProgramShots]]]: ...


def nexus_submit_programs(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
    names: Sequence[str] | None = None,
    inputs: type[ProgramsInputs] | type[LimitedProgramsInputs] = ProgramsInputs,
) -> (
    Workflow[ProgramsInputs, TKR[list[ProgramShots]]]
    | Workflow[LimitedProgramsInputs, TKR[list[ProgramShots]]]
):
    """Build a graph that runs programs of any kinds and returns their shots.

    Everything is checked first. Then the programs of each kind are uploaded, submitted
    as one job and polled, the kinds side by side.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param wasm_module: The WASM module that the programs call, as ``upload_wasm``
        returns it.
    :param gpu_decoder_config: The config of the GPU decoder that the programs use, as
        ``upload_gpu_decoder_config`` returns it.
    :param names: One name for each program, under which HUGR and QIR programs are
        uploaded; by default they are named by their contents.
    :param inputs: The inputs of the graph: :class:`LimitedProgramsInputs` has inputs
        for a limit of what all jobs cost, and for a budget.
    :returns: A graph from these inputs to one
        ``tkr_nexus_worker.results.ProgramShots`` for each program, in the order of the
        programs.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    interval = checked_interval(polling_interval)
    g: Graph[Any, TKR[list[ProgramShots]]] = Graph(inputs, TKR[list[ProgramShots]])
    given: ProgramsInputs | LimitedProgramsInputs = g.inputs
    limits = given if isinstance(given, LimitedProgramsInputs) else None
    parts = g.task(
        prepare_programs(
            given.project_name,
            given.job_name,
            given.programs,
            given.n_shots,
            given.n_qubits,
            given.max_cost,
            given.backend_config,
            g.const(interval),
            limits and limits.max_job_cost,
        )
    )
    no_limit: TKR[None] = g.const(None)
    each_part: TKR[ProgramPart] = TKR(parts.node_index, "*")
    done = g.map(
        _part_graph(interval, wasm_module, gpu_decoder_config, names),
        TList(
            PartInputs(
                given.project_name,
                each_part,
                given.backend_config,
                limits.budget if limits else no_limit,
            )
        ),
    )
    # A list of models shows its elements to the builder alone.
    shots = done._value.shots  # pyright: ignore[reportPrivateUsage]
    return g.finish_with_outputs(g.task(join_programs(shots)))


def submit_one_kind(
    inputs: type[Any],
    programs: str,
    polling_interval: float,
    wasm_module: Any,
    gpu_decoder_config: Any,
) -> Workflow[Any, TKR[list[ProgramShots]]]:
    """Build a graph as :func:`nexus_submit_programs` does, for programs of one kind.

    :param inputs: Its inputs: those of one of the graphs there, with another name for
        the programs.
    :param programs: This name.
    :param polling_interval: As there.
    :param wasm_module: As there.
    :param gpu_decoder_config: As there.
    :raises InvalidInputError: As there.
    """
    g: Graph[Any, TKR[list[ProgramShots]]] = Graph(inputs, TKR[list[ProgramShots]])
    given: dict[str, Any] = g.inputs._asdict()
    given["programs"] = TKR(*given.pop(programs).value_ref())
    if "budget" in given:
        limited = nexus_submit_programs(
            polling_interval,
            wasm_module=wasm_module,
            gpu_decoder_config=gpu_decoder_config,
            inputs=LimitedProgramsInputs,
        )
        shots = g.eval(limited, LimitedProgramsInputs(**given))
    else:
        graph = nexus_submit_programs(
            polling_interval,
            wasm_module=wasm_module,
            gpu_decoder_config=gpu_decoder_config,
        )
        shots = g.eval(graph, ProgramsInputs(**given))
    return g.finish_with_outputs(shots)


def _part_graph(
    interval: float,
    wasm_module: Any,
    gpu_decoder_config: Any,
    names: Sequence[str] | None,
) -> Workflow[PartInputs, PartOutputs]:
    g = Graph(PartInputs, PartOutputs)
    job = g.task(
        submit_programs(
            g.inputs.project_name,
            g.inputs.part,
            g.inputs.backend_config,
            None if wasm_module is None else g.const(wasm_module),
            None if gpu_decoder_config is None else g.const(gpu_decoder_config),
            None if names is None else g.const(list(names)),
            g.inputs.budget,
        )
    )
    polling = g.loop(
        _polling_body(interval), PartJob(job, g.inputs.part), name=POLLING_LOOP
    )
    return g.finish_with_outputs(PartOutputs(polling.shots))


def _polling_body(interval: float) -> Workflow[PartJob, PartPolling]:
    g = Graph(PartJob, PartPolling)
    change = g.task(wait_for_change(g.inputs.job, g.const(interval), last_status()))
    none_yet: TKR[list[ProgramShots]] = g.const([])
    fetched = g.task(get_program_shots(g.inputs.job, g.inputs.part))
    shots = g.ifelse(change.is_unfinished, none_yet, fetched)
    return g.finish_with_outputs(
        PartPolling(shots, change.is_unfinished, change.status)
    )
