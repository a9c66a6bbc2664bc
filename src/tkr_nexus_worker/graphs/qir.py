"""Run QIR programs on Nexus, and fetch their shots."""

from typing import Any, NamedTuple, overload

from tierkreis.models import TKR, Workflow

from tkr_nexus_worker.graphs.mixed import (
    ProgramShots,
    submit_one_kind,
)
from tkr_nexus_worker.graphs.submit_poll import BackendConfig, Budget


class QirJobInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_qir`.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param qir_programs: The QIR programs, at least one: the bytes of LLVM bitcode or
        text.
    :param n_shots: The numbers of shots, one for each program.
    :param n_qubits: The numbers of qubits, one for each program; None where the system
        finds it out.
    :param max_cost: The most that each program may cost, in HQC; None for no limit.
    :param backend_config: Where and how to run them, a config of qnexus.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    qir_programs: TKR[list[bytes]]
    n_shots: TKR[list[int]]
    n_qubits: TKR[list[int] | None]
    max_cost: TKR[list[float] | None]
    backend_config: TKR[BackendConfig]


class LimitedQirJobInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_qir` with limits of what the job costs.

    Give None for what has no limit.

    :param project_name: As for :class:`QirJobInputs`, and so all up to
        ``backend_config``.
    :param max_job_cost: The most that the job may be estimated to cost, in HQC; give
        ``max_cost`` as well.
    :param budget: A budget, ``tkr_nexus_worker.budget(hqc=…)``.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    qir_programs: TKR[list[bytes]]
    n_shots: TKR[list[int]]
    n_qubits: TKR[list[int] | None]
    max_cost: TKR[list[float] | None]
    backend_config: TKR[BackendConfig]
    max_job_cost: TKR[float | None]
    budget: TKR[Budget | None]


@overload
def nexus_submit_qir(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
) -> Workflow[QirJobInputs, TKR[list[ProgramShots]]]: ...


@overload
def nexus_submit_qir(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
    inputs: type[LimitedQirJobInputs],
) -> Workflow[LimitedQirJobInputs, TKR[list[ProgramShots]]]: ...


def nexus_submit_qir(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
    inputs: type[QirJobInputs] | type[LimitedQirJobInputs] = QirJobInputs,
) -> (
    Workflow[QirJobInputs, TKR[list[ProgramShots]]]
    | Workflow[LimitedQirJobInputs, TKR[list[ProgramShots]]]
):
    """Build a graph that runs QIR programs as one job and returns their shots.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param wasm_module: As for ``nexus_submit_programs``.
    :param gpu_decoder_config: As for ``nexus_submit_programs``.
    :param inputs: The inputs of the graph: :class:`LimitedQirJobInputs` has inputs
        for a limit of what the job costs, and for a budget.
    :returns: A graph from these inputs to one
        ``tkr_nexus_worker.results.ProgramShots`` for each program, in their order.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    return submit_one_kind(
        inputs, "qir_programs", polling_interval, wasm_module, gpu_decoder_config
    )
