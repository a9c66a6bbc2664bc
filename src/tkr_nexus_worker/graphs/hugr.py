"""Run HUGR programs on Nexus, for example from Guppy, and fetch their shots."""
# The names in OpaqueType are labels for type checkers, not imports.
# ruff: noqa: F821

from typing import Any, NamedTuple, overload

from tierkreis.models import TKR, OpaqueType, Workflow

from tkr_nexus_worker.graphs.mixed import (
    ProgramShots,
    submit_one_kind,
)
from tkr_nexus_worker.graphs.submit_poll import BackendConfig, Budget

type Package = OpaqueType["hugr.package.Package"]


class HugrJobInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_hugr`.

    :param project_name: The project of the job; it is created if it does not exist.
    :param job_name: A name for the job.
    :param hugr_packages: The HUGR packages, at least one.
    :param n_shots: The numbers of shots, one for each package.
    :param n_qubits: The numbers of qubits, one for each package; None where the system
        finds it out.
    :param max_cost: The most that each program may cost, in HQC; None for no limit.
    :param backend_config: Where and how to run them, a config of qnexus.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    hugr_packages: TKR[list[Package]]
    n_shots: TKR[list[int]]
    n_qubits: TKR[list[int] | None]
    max_cost: TKR[list[float] | None]
    backend_config: TKR[BackendConfig]


class LimitedHugrJobInputs(NamedTuple):
    """The inputs of :func:`nexus_submit_hugr` with limits of what the job costs.

    Give None for what has no limit.

    :param project_name: As for :class:`HugrJobInputs`, and so all up to
        ``backend_config``.
    :param max_job_cost: The most that the job may be estimated to cost, in HQC; give
        ``max_cost`` as well.
    :param budget: A budget, ``tkr_nexus_worker.budget(hqc=…)``.
    """

    project_name: TKR[str]
    job_name: TKR[str]
    hugr_packages: TKR[list[Package]]
    n_shots: TKR[list[int]]
    n_qubits: TKR[list[int] | None]
    max_cost: TKR[list[float] | None]
    backend_config: TKR[BackendConfig]
    max_job_cost: TKR[float | None]
    budget: TKR[Budget | None]


@overload
def nexus_submit_hugr(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
) -> Workflow[HugrJobInputs, TKR[list[ProgramShots]]]: ...


@overload
def nexus_submit_hugr(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
    inputs: type[LimitedHugrJobInputs],
) -> Workflow[LimitedHugrJobInputs, TKR[list[ProgramShots]]]: ...


def nexus_submit_hugr(
    polling_interval: float = 30.0,
    *,
    wasm_module: Any = None,
    gpu_decoder_config: Any = None,
    inputs: type[HugrJobInputs] | type[LimitedHugrJobInputs] = HugrJobInputs,
) -> (
    Workflow[HugrJobInputs, TKR[list[ProgramShots]]]
    | Workflow[LimitedHugrJobInputs, TKR[list[ProgramShots]]]
):
    """Build a graph that runs HUGR programs as one job and returns their shots.

    :param polling_interval: The longest time between two requests for the status, in
        seconds; the first follow each other more quickly.
    :param wasm_module: As for ``nexus_submit_programs``.
    :param gpu_decoder_config: As for ``nexus_submit_programs``.
    :param inputs: The inputs of the graph: :class:`LimitedHugrJobInputs` has inputs
        for a limit of what the job costs, and for a budget.
    :returns: A graph from these inputs to one
        ``tkr_nexus_worker.results.ProgramShots`` for each package, in their order.
    :raises InvalidInputError: If the interval is not a number of seconds above 0.
    """
    return submit_one_kind(
        inputs, "hugr_packages", polling_interval, wasm_module, gpu_decoder_config
    )
