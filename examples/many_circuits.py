"""Run many circuits as several jobs, and use each result as soon as it is there.

A spin is turned by a little more in each circuit. The circuits are divided into jobs,
of which a few run at once. A task of another worker takes the result of each finished
circuit, while other circuits of its job still run. By default, the example starts an
embedded Nexus, which needs no account. With --nexus, it uses the real Nexus and your
login.
"""

import sys
from pathlib import Path
from uuid import uuid4

import click
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.builder import Graph
from tierkreis.executor import MultipleExecutor, UvExecutor
from tierkreis.models import TKR, Workflow
from tierkreis.storage import FileStorage

from nexus_choice import (
    nexus_option,
    polling_option,
    polling_seconds,
    shots_option,
    use_nexus,
)
from tkr_nexus_worker import NexusWorkerError, run, uv_executor
from tkr_nexus_worker.graphs import nexus_stream_results
from tkr_nexus_worker.graphs.submit_poll import BackendResult
from workers.ising_worker.stubs import share_of_ones

WORKERS = Path(__file__).parent / "workers"


def turned(index: int, n_circuits: int) -> Circuit:
    """Build a circuit that turns a spin by a part of a half-turn."""
    circuit = Circuit(1, name=f"turned-{index}").Rx(index / n_circuits, 0)
    AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
    return circuit.measure_all()


def body() -> Workflow[TKR[BackendResult], TKR[float]]:
    """Build the graph that takes one result."""
    g = Graph(TKR[BackendResult], TKR[float])
    return g.finish_with_outputs(g.task(share_of_ones(g.inputs)))


@click.command(help=__doc__)
@nexus_option
@shots_option
@polling_option
@click.option("--circuits", "n_circuits", default=12, show_default=True)
@click.option("--max-programs", default=5, show_default=True, help="Circuits per job.")
@click.option("--max-jobs", default=2, show_default=True, help="Jobs at once.")
def main(
    *,
    nexus: bool,
    shots: int,
    polling_interval: float | None,
    n_circuits: int,
    max_programs: int,
    max_jobs: int,
) -> None:
    """Run the circuits, and print which share of the shots gave 1."""
    storage = FileStorage(uuid4(), name="many_circuits")
    # Like the Nexus worker, the worker of this example runs in this environment.
    here = {"UV_NO_SYNC": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix}
    executor = MultipleExecutor(
        UvExecutor(WORKERS, storage.logs_path, env=here, log_env_in_debug=False),
        {"nexus": uv_executor(storage)},
        {"nexus_worker": "nexus"},
    )
    inputs = {
        "project_name": "tkr-nexus-worker examples",
        "job_name": f"many_circuits {uuid4().hex[:8]}",
        "circuits": [turned(index, n_circuits) for index in range(n_circuits)],
        "n_shots": [shots] * n_circuits,
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    graph = nexus_stream_results(
        body(),
        max_at_once=4,
        polling_interval=polling_seconds(polling_interval, nexus=nexus),
        max_programs=max_programs,
        max_jobs=max_jobs,
    )
    try:
        with use_nexus(real=nexus):
            shares = run(graph, inputs, storage, executor)
    except NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    for index, share in enumerate(shares):
        click.echo(f"turned by {index / n_circuits:.2f} half-turns: {share:.2f}")
    click.echo(f"The files of this run are in {storage.workflow_dir}")


if __name__ == "__main__":
    main()
