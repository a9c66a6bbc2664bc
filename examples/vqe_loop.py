"""Find the ground energy of a hydrogen molecule by VQE, in a loop of one workflow.

Each iteration measures the energy at three settings of one angle by one job on Nexus,
and a classical task turns the angle to where the energy is lowest.
"""

import sys
from pathlib import Path
from typing import NamedTuple, cast
from uuid import uuid4

import click
from pytket.circuit import Circuit, Qubit
from pytket.pauli import Pauli, QubitPauliString
from pytket.utils.operators import QubitPauliOperator
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from sympy import Symbol  # pyright: ignore[reportMissingTypeStubs]
from tierkreis.builder import Graph
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.executor import MultipleExecutor, UvExecutor
from tierkreis.models import TKR, Workflow
from tierkreis.storage import (
    FileStorage,
    read_loop_trace,  # pyright: ignore[reportUnknownVariableType]
)

from nexus_choice import (
    nexus_option,
    polling_option,
    polling_seconds,
    shots_option,
    use_nexus,
)
from tkr_nexus_worker import (
    InProcessExecutor,
    NexusWorkerError,
    run,
    uv_executor,
    warm_executor,
)
from tkr_nexus_worker.graphs import ExpectationInputs, nexus_expectation_values
from tkr_nexus_worker.graphs.expectation_values import Operator
from tkr_nexus_worker.graphs.submit_poll import BackendConfig
from tkr_nexus_worker.graphs.submit_poll import Circuit as CircuitType
from workers.vqe_worker.stubs import Step, step, trials

WORKERS = Path(__file__).parent / "workers"
LOOP = "vqe"
# Like the Nexus worker, the worker of this example runs in this environment.
HERE = {"UV_NO_SYNC": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix}

# Two atoms of hydrogen, 0.75 angstrom apart, in the minimal basis STO-6G on two qubits:
# P. J. J. O'Malley et al., Phys. Rev. X 6, 031007 (2016), table I. In hartree, with the
# repulsion of the nuclei. A test derives the same numbers from the integrals.
H2 = {"II": 0.2252, "ZI": 0.3435, "IZ": -0.4347, "ZZ": 0.5716, "XX": 0.091, "YY": 0.091}
GROUND_ENERGY = -1.1456
"""The lowest eigenvalue of this operator, in hartree."""


def hamiltonian() -> QubitPauliOperator:
    """Return the energy of the molecule as an operator of pytket."""
    terms: dict[QubitPauliString, float] = {}
    for name, coefficient in H2.items():
        paulis = {Qubit(i): Pauli.__members__[it] for i, it in enumerate(name)}
        terms[QubitPauliString(paulis)] = coefficient
    return QubitPauliOperator({**terms})


def ansatz() -> Circuit:
    """Return the circuit whose angles are varied."""
    circuit = Circuit(2, name="h2")
    return circuit.Ry(Symbol("a"), 0).Ry(Symbol("b"), 1).CX(0, 1)


class VqeInputs(NamedTuple):
    """The inputs of an iteration."""

    circuit: TKR[CircuitType]
    operator: TKR[Operator]
    n_shots: TKR[int]
    backend_config: TKR[BackendConfig]
    parameters: TKR[dict[str, float]]
    iteration: TKR[int]
    still: TKR[int]


def iteration_graph(
    polling_interval: float, job_name: str
) -> Workflow[VqeInputs, Step]:
    """Build an iteration: a task that chooses, a job, and a task that decides."""
    g = Graph(VqeInputs, Step)
    state = (g.inputs.parameters, g.inputs.iteration)
    measured = g.eval(
        nexus_expectation_values(polling_interval),
        ExpectationInputs(
            project_name=g.const("tkr-nexus-worker examples"),
            job_name=g.const(job_name),
            circuit=g.inputs.circuit,
            parameters=g.task(trials(*state)),
            operator=g.inputs.operator,
            n_shots=g.inputs.n_shots,
            backend_config=g.inputs.backend_config,
        ),
    )
    done = step(*state, g.inputs.still, measured.values, measured.standard_errors)
    return g.finish_with_outputs(g.task(done))


def vqe_graph(polling_interval: float) -> Workflow[VqeInputs, Step]:
    """Build the loop over the iterations, to the last of them."""
    g = Graph(VqeInputs, Step)
    name = f"vqe_loop {uuid4().hex[:8]}"
    body = iteration_graph(polling_interval, name)
    return g.finish_with_outputs(g.loop(body, g.inputs, name=LOOP))


def vqe_inputs(n_shots: int, device: str = "H2-1LE") -> dict[str, object]:
    """Return the inputs of the loop."""
    return {
        "circuit": ansatz(),
        "operator": hamiltonian(),
        "n_shots": n_shots,
        "backend_config": QuantinuumConfig(device_name=device),
        "parameters": {"a": 0.3, "b": 0.6},
        "iteration": 0,
        "still": 0,
    }


def make_executor(name: str, storage: FileStorage) -> ControllerExecutor:
    """Return an executor for the Nexus worker and the worker of this example."""
    match name:
        case "warm":
            return warm_executor(WORKERS, storage, HERE)
        case "in-process":
            return InProcessExecutor(storage, WORKERS)
        case _:
            return MultipleExecutor(
                UvExecutor(WORKERS, storage.logs_path, HERE, log_env_in_debug=False),
                {"nexus": uv_executor(storage)},
                {"nexus_worker": "nexus"},
            )


@click.command(help=__doc__)
@nexus_option
@shots_option
@polling_option
@click.option(
    "--executor",
    "executor_name",
    type=click.Choice(["warm", "in-process", "uv"]),
    default="warm",
    show_default=True,
    help="The executor that runs the tasks.",
)
def main(
    *, nexus: bool, shots: int, polling_interval: float | None, executor_name: str
) -> None:
    """Minimise the energy and print it after each iteration."""
    storage = FileStorage(uuid4(), name="vqe_loop")
    graph = vqe_graph(polling_seconds(polling_interval, nexus=nexus))
    executor = make_executor(executor_name, storage)
    try:
        with use_nexus(real=nexus):
            found = run(graph, vqe_inputs(shots), storage, executor)
    except NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    energies = cast("list[float]", read_loop_trace(graph, storage, LOOP, "energy"))
    for number, energy in enumerate(energies):
        click.echo(f"Energy in iteration {number + 1}: {energy:.4f} hartree")
    click.echo(
        f"Ground energy {found['energy']:.4f} ± {found['standard_error']:.4f}, "
        f"exact {GROUND_ENERGY:.4f} (in hartree)."
    )
    click.echo(f"The files of this run are in {storage.workflow_dir}")


if __name__ == "__main__":
    main()
