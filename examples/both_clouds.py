# /// script
# requires-python = ">=3.12"
# dependencies = ["tkr-nexus-worker[lightworks,artemis-local,local]"]
#
# [tool.uv.sources]
# tkr-nexus-worker = { path = "..", editable = true }
# ///
"""Run a job on Nexus and a job on Artemis side by side, in one workflow.

Two qubits and two photons show interference: a Bell pair gives equal bits, and photons
that meet at a beam splitter leave it together.
"""

from contextlib import ExitStack
from typing import NamedTuple
from uuid import uuid4

import click
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.builder import Graph
from tierkreis.executor import TaskExecutor
from tierkreis.models import TKR, OpaqueType, Workflow
from tierkreis.storage import FileStorage

import tkr_lightworks_worker as photonic
import tkr_nexus_worker as nexus_worker
from artemis_choice import artemis_option, qpu_option, samples_option, use_artemis
from nexus_choice import nexus_option, shots_option, use_nexus
from tkr_lightworks_worker import graphs as photonic_graphs
from tkr_lightworks_worker.samplers import BeamSplitter
from tkr_nexus_worker import graphs as nexus_graphs
from tkr_nexus_worker.graphs import submit_poll


class BothInputs(NamedTuple):
    """The inputs of both jobs."""

    project_name: TKR[str]
    circuits: TKR[list[submit_poll.Circuit]]
    n_shots: TKR[list[int]]
    backend_config: TKR[submit_poll.BackendConfig]
    qpu_name: TKR[str]
    samplers: TKR[
        list[OpaqueType["tkr_lightworks_worker.samplers.SamplerSpec"]]  # noqa: F821
    ]


class BothOutputs(NamedTuple):
    """The results of both jobs."""

    qubits: TKR[list[submit_poll.BackendResult]]
    photons: TKR[
        list[OpaqueType["tkr_lightworks_worker.results.SamplingResult"]]  # noqa: F821
    ]


def both_graph(polling_interval: float) -> Workflow[BothInputs, BothOutputs]:
    """Build a graph that runs both jobs at the same time."""
    g = Graph(BothInputs, BothOutputs)
    name = g.const(f"both_clouds {uuid4().hex[:8]}")
    qubits = g.eval(
        nexus_graphs.nexus_submit_and_poll(polling_interval),
        nexus_graphs.JobInputs(
            project_name=g.inputs.project_name,
            job_name=name,
            circuits=g.inputs.circuits,
            n_shots=g.inputs.n_shots,
            backend_config=g.inputs.backend_config,
        ),
    )
    photons = g.eval(
        photonic_graphs.lightworks_submit_and_poll(polling_interval),
        photonic_graphs.JobInputs(
            qpu_name=g.inputs.qpu_name, job_name=name, samplers=g.inputs.samplers
        ),
    )
    return g.finish_with_outputs(BothOutputs(qubits, photons))


@click.command(help=__doc__)
@nexus_option
@shots_option
@artemis_option
@qpu_option
@samples_option
def main(*, nexus: bool, shots: int, artemis: bool, qpu: str, samples: int) -> None:
    """Run both jobs and print their counts."""
    bell = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
    AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(bell)
    hong_ou_mandel = photonic.SamplerSpec(
        n_modes=2,
        components=[BeamSplitter(mode_1=0, mode_2=1, reflectivity=0.5)],
        input_state=[1, 1],
        n_samples=samples,
        min_detection=1,
    )
    storage = FileStorage(uuid4(), name="both_clouds")
    executor = TaskExecutor(
        {
            "nexus_worker.*": nexus_worker.uv_executor(storage),
            "lightworks_worker.*": photonic.uv_executor(storage),
        },
        storage,
    )
    inputs = {
        "project_name": "tkr-nexus-worker examples",
        "circuits": [bell],
        "n_shots": [shots],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
        "qpu_name": qpu,
        "samplers": [hong_ou_mandel],
    }
    try:
        with ExitStack() as clouds:
            clouds.enter_context(use_nexus(real=nexus))
            clouds.enter_context(use_artemis(real=artemis))
            outputs = nexus_worker.run(
                both_graph(30.0 if nexus or artemis else 0.5),
                inputs,
                storage,
                executor,
            )
    except nexus_worker.NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    [qubits], [photons] = outputs["qubits"], outputs["photons"]
    counts = BackendResult.from_dict(qubits).get_counts()
    click.echo(f"Bell pair on Nexus: {dict(sorted(counts.items()))}")
    click.echo(f"Two photons on Artemis: {photonic.SamplingResult(**photons).counts}")
    click.echo(f"The files of this run are in {storage.workflow_dir}")


if __name__ == "__main__":
    main()
