"""Run QIR programs on Nexus, and fetch their shots."""

from typing import Any, NamedTuple

from tierkreis.builder import Graph
from tierkreis.models import TKR, Workflow

from tkr_nexus_worker.graphs.mixed import (
    ProgramShots,
    any_programs,
    nexus_submit_programs,
)
from tkr_nexus_worker.graphs.submit_poll import BackendConfig


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


def nexus_submit_qir(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
) -> Workflow[QirJobInputs, TKR[list[ProgramShots]]]:
    """Build a graph that runs QIR programs as one job and returns their shots.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param wasm_module: As for ``nexus_submit_programs``.
    :param gpu_decoder_config: As for ``nexus_submit_programs``.
    :returns: A graph from :class:`QirJobInputs` to one
        ``tkr_nexus_worker.results.ProgramShots`` for each program, in their order.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    g = Graph(QirJobInputs, TKR[list[ProgramShots]])
    graph = nexus_submit_programs(
        polling_interval, wasm_module=wasm_module, gpu_decoder_config=gpu_decoder_config
    )
    inputs = any_programs(g.inputs, g.inputs.qir_programs)
    return g.finish_with_outputs(g.eval(graph, inputs))
