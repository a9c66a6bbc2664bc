"""Use nexus_submit_and_poll inside a larger graph.

One task builds circuits for two spins in a transverse field, Nexus runs them, and
another task calculates the energy from the results, to compare with the exact energy.
"""

import math
import sys
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import click
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
from tkr_nexus_worker.graphs import JobInputs, nexus_submit_and_poll
from tkr_nexus_worker.graphs.submit_poll import BackendConfig
from workers.ising_worker.stubs import energy, measurement_circuits

WORKERS = Path(__file__).parent / "workers"


class IsingInputs(NamedTuple):
    """The inputs of the larger graph."""

    angle: TKR[float]
    field: TKR[float]
    n_shots: TKR[list[int]]
    backend_config: TKR[BackendConfig]


def ising_energy(polling_interval: float) -> Workflow[IsingInputs, TKR[float]]:
    """Build a graph from an angle and a field to the measured energy."""
    g = Graph(IsingInputs, TKR[float])
    circuits = g.task(measurement_circuits(g.inputs.angle))
    results = g.eval(
        nexus_submit_and_poll(polling_interval),
        JobInputs(
            project_name=g.const("tkr-nexus-worker examples"),
            job_name=g.const(f"embed_in_graph {uuid4().hex[:8]}"),
            circuits=circuits,
            n_shots=g.inputs.n_shots,
            backend_config=g.inputs.backend_config,
        ),
    )
    return g.finish_with_outputs(g.task(energy(results, g.inputs.field)))


@click.command(help=__doc__)
@nexus_option
@shots_option
@polling_option
@click.option("--angle", default=0.3, show_default=True, help="In half-turns.")
@click.option("--field", default=0.8, show_default=True, help="In couplings.")
def main(
    *,
    nexus: bool,
    shots: int,
    polling_interval: float | None,
    angle: float,
    field: float,
) -> None:
    """Measure the energy and print it with the exact one."""
    storage = FileStorage(uuid4(), name="embed_in_graph")
    # Like the Nexus worker, the worker of this example runs in this environment.
    here = {"UV_NO_SYNC": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix}
    executor = MultipleExecutor(
        UvExecutor(WORKERS, storage.logs_path, env=here, log_env_in_debug=False),
        {"nexus": uv_executor(storage)},
        {"nexus_worker": "nexus"},
    )
    inputs = {
        "angle": angle,
        "field": field,
        "n_shots": [shots, shots],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    graph = ising_energy(polling_seconds(polling_interval, nexus=nexus))
    try:
        with use_nexus(real=nexus):
            measured = run(graph, inputs, storage, executor)
    except NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    exact = -(math.cos(math.pi * angle) ** 2) - 2 * field * math.sin(math.pi * angle)
    click.echo(f"Measured energy {measured:.3f}, exact {exact:.3f} (in couplings).")
    click.echo(f"The files of this run are in {storage.workflow_dir}")


if __name__ == "__main__":
    main()
