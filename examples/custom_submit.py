"""Combine the parts of nexus_submit_and_poll in another way.

The circuits are uploaded once, and two jobs then run them on two devices at the same
time. Each job has its own polling loop.
"""

from typing import NamedTuple
from uuid import uuid4

import click
from pytket.backends.backendresult import BackendResult as PytketResult
from pytket.circuit import Circuit as PytketCircuit
from pytket.circuit import OpType
from pytket.passes import AutoRebase
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.builder import Graph
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
from tkr_nexus_worker.graphs import (
    UploadCircuitInputs,
    polling_loop_body,
    upload_circuit_graph,
)
from tkr_nexus_worker.graphs.submit_poll import BackendConfig, BackendResult, Circuit
from tkr_nexus_worker.stubs import start_execute_job


class Inputs(NamedTuple):
    """Circuits, and the two devices to run them on."""

    project_name: TKR[str]
    circuits: TKR[list[Circuit]]
    n_shots: TKR[list[int]]
    first: TKR[BackendConfig]
    second: TKR[BackendConfig]


class Outputs(NamedTuple):
    """The results of the two devices, each in the order of the circuits."""

    first: TKR[list[BackendResult]]
    second: TKR[list[BackendResult]]


def run_on_two_devices(polling_interval: float) -> Workflow[Inputs, Outputs]:
    """Build a graph that uploads circuits once and runs them in two jobs."""
    g = Graph(Inputs, Outputs)
    programs = g.map(
        upload_circuit_graph(),
        g.map(
            lambda circuit: UploadCircuitInputs(g.inputs.project_name, circuit),
            g.inputs.circuits,
        ),
    )

    def submit_and_poll(
        config: TKR[BackendConfig], name: str
    ) -> TKR[list[BackendResult]]:
        job = g.task(
            start_execute_job(
                g.inputs.project_name,
                g.const(f"custom_submit {name}"),
                programs,
                g.inputs.n_shots,
                config,
            )
        )
        body = polling_loop_body(polling_interval)
        return g.loop(body, job, name=f"polling_{name}").results

    return g.finish_with_outputs(
        Outputs(
            submit_and_poll(g.inputs.first, "first"),
            submit_and_poll(g.inputs.second, "second"),
        )
    )


@click.command(help=__doc__)
@nexus_option
@shots_option
@polling_option
def main(*, nexus: bool, shots: int, polling_interval: float | None) -> None:
    """Run a Bell pair and a GHZ state on two devices and print the counts."""
    bell = PytketCircuit(2, name="bell").H(0).CX(0, 1).measure_all()
    ghz = PytketCircuit(3, name="ghz").H(0).CX(0, 1).CX(1, 2).measure_all()
    circuits = [bell, ghz]
    for circuit in circuits:
        AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
    devices = {"first": "H1-1LE", "second": "H2-1LE"}
    storage = FileStorage(uuid4(), name="custom_submit")
    inputs = {
        "project_name": "tkr-nexus-worker examples",
        "circuits": circuits,
        "n_shots": [shots] * len(circuits),
        **{port: QuantinuumConfig(device_name=name) for port, name in devices.items()},
    }
    graph = run_on_two_devices(polling_seconds(polling_interval, nexus=nexus))
    try:
        with use_nexus(real=nexus):
            outputs = run(graph, inputs, storage, uv_executor(storage))
    except NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    for port, device in devices.items():
        for circuit, output in zip(circuits, outputs[port], strict=True):
            counts = PytketResult.from_dict(output).get_counts()
            click.echo(f"{device} {circuit.name}: {dict(counts)}")
    click.echo(f"The files of this run are in {storage.workflow_dir}")


if __name__ == "__main__":
    main()
