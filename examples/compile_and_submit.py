"""Compile circuits for a device and run them, in one graph.

The circuits have gates that the device does not have. Nexus compiles them as a job of
its own, or pytket changes their gates on this machine with --compile local. By default,
the example starts an embedded Nexus, which needs no account. With --nexus, it uses the
real Nexus and your login.
"""

from typing import Literal
from uuid import uuid4

import click
from pytket.backends.backendresult import BackendResult
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.storage import FileStorage

from nexus_choice import (
    nexus_option,
    polling_option,
    polling_seconds,
    shots_option,
    use_nexus,
)
from tkr_nexus_worker import NexusWorkerError, run, uv_executor
from tkr_nexus_worker.graphs import nexus_compile_submit_and_poll


@click.command(help=__doc__)
@nexus_option
@shots_option
@polling_option
@click.option(
    "--compile",
    "where",
    type=click.Choice(["nexus", "local"]),
    default="nexus",
    show_default=True,
    help="Where the circuits are compiled.",
)
@click.option(
    "--level",
    type=click.IntRange(0, 3),
    default=2,
    show_default=True,
    help="How much Nexus optimises.",
)
def main(
    *,
    nexus: bool,
    shots: int,
    polling_interval: float | None,
    where: Literal["nexus", "local"],
    level: int,
) -> None:
    """Compile a GHZ state and a Toffoli gate, run both and print the counts."""
    ghz = Circuit(4, name="ghz").H(0).CX(0, 1).CX(1, 2).CX(2, 3).measure_all()
    toffoli = Circuit(3, name="toffoli").X(0).X(1).CCX(0, 1, 2).measure_all()
    inputs = {
        "project_name": "tkr-nexus-worker examples",
        "job_name": "compile_and_submit",
        "circuits": [ghz, toffoli],
        "n_shots": [shots, shots],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    graph = nexus_compile_submit_and_poll(
        level, polling_seconds(polling_interval, nexus=nexus), compile=where
    )
    storage = FileStorage(uuid4(), name="compile_and_submit")
    try:
        with use_nexus(real=nexus):
            outputs = run(graph, inputs, storage, uv_executor(storage))
    except NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    for circuit, output in zip([ghz, toffoli], outputs, strict=True):
        counts = BackendResult.from_dict(output).get_counts()
        click.echo(f"{circuit.name}: {dict(counts)}")
    click.echo(f"The files of this run are in {storage.workflow_dir}")


if __name__ == "__main__":
    main()
