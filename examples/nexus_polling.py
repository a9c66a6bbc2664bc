"""Run circuits on Nexus with the prepackaged graph nexus_submit_and_poll.

By default, the example starts an embedded Nexus on this machine, which runs the
circuits on a simulator and needs no account. With --nexus, it uses the real Nexus and
your login.
"""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from rich.console import Console
from rich.table import Table
from tierkreis.controller.executor.in_memory_executor import InMemoryExecutor
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.executor import (
    MultipleExecutor,
    ShellExecutor,
    TaskExecutor,
    UvExecutor,
)
from tierkreis.storage import FileStorage, InMemoryStorage

from nexus_choice import (
    nexus_option,
    polling_option,
    polling_seconds,
    shots_option,
    use_nexus,
)
from tkr_nexus_worker import (
    REGISTRY_PATH,
    InProcessExecutor,
    NexusWorkerError,
    preload,
    run,
    uv_executor,
)
from tkr_nexus_worker.graphs import nexus_submit_and_poll

if TYPE_CHECKING:
    from pytket.backends.backendresult import BackendResult

DATA = Path(__file__).parent / "data"
EXECUTORS = ("uv", "uv-ready", "shell", "in-process", "memory", "multiple", "task")


@click.command(help=__doc__)
@nexus_option
@shots_option
@polling_option
@click.option(
    "--device",
    default="H2-1LE",
    show_default=True,
    help="The name of a Quantinuum device.",
)
@click.option(
    "--executor",
    "executor_name",
    type=click.Choice(EXECUTORS),
    default="uv",
    show_default=True,
    help="The executor that starts the worker.",
)
def main(
    *,
    nexus: bool,
    shots: int,
    device: str,
    polling_interval: float | None,
    executor_name: str,
) -> None:
    """Run the circuits and print their counts."""
    storage = make_storage(executor_name)
    if isinstance(storage, FileStorage):
        preload()  # The worker is imported while this process prepares the job.
    try:
        with use_nexus(real=nexus):
            # It takes a second to import, and the worker is not ready yet.
            from pytket.backends.backendresult import BackendResult

            circuits = build_circuits()
            inputs = {
                "project_name": "tkr-nexus-worker examples",
                "job_name": f"nexus_polling {uuid4().hex[:8]}",
                "circuits": circuits,
                "n_shots": [shots] * len(circuits),
                "backend_config": QuantinuumConfig(device_name=device),
            }
            outputs = run(
                nexus_submit_and_poll(polling_seconds(polling_interval, nexus=nexus)),
                inputs,
                storage,
                make_executor(executor_name, storage),
            )
    except NexusWorkerError as error:
        raise click.ClickException(str(error)) from error
    for circuit, output in zip(circuits, outputs, strict=True):
        print_counts(str(circuit.name), BackendResult.from_dict(output))
    if isinstance(storage, FileStorage):
        click.echo(f"The files of this run are in {storage.workflow_dir}")


def build_circuits() -> list[Circuit]:
    """Build the circuits from gates that Quantinuum's devices have."""
    # It takes half a second to import, as above.
    from pytket.qasm.qasm import circuit_from_qasm

    bell = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()

    # Teleport a state that gives 1 with probability 3/4.
    teleport = Circuit(3, 3, name="teleport").Ry(2 / 3, 0)
    teleport.H(1).CX(1, 2).CX(0, 1).H(0).Measure(0, 0).Measure(1, 1)
    teleport.X(2, condition_bits=[1], condition_value=1)
    teleport.Z(2, condition_bits=[0], condition_value=1)
    teleport.Measure(2, 2)

    ghz = circuit_from_qasm(DATA / "ghz_n23.qasm")
    ghz.name = "ghz_n23"

    circuits = [bell, teleport, ghz]
    for circuit in circuits:
        AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
    return circuits


def make_storage(executor_name: str) -> FileStorage | InMemoryStorage:
    """Return a new, empty storage for a run."""
    if executor_name == "memory":
        return InMemoryStorage(uuid4(), name="nexus_polling")
    return FileStorage(uuid4(), name="nexus_polling")


def make_executor(
    name: str, storage: FileStorage | InMemoryStorage
) -> ControllerExecutor:
    """Return an executor of Tierkreis or of this package."""
    if isinstance(storage, InMemoryStorage):
        return InMemoryExecutor(REGISTRY_PATH, storage)
    match name:
        case "uv":
            return UvExecutor(REGISTRY_PATH, storage.logs_path, log_env_in_debug=False)
        case "in-process":
            return InProcessExecutor(storage)
        case "shell":
            return ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False)
        case "multiple":
            return MultipleExecutor(
                ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False),
                {"nexus": uv_executor(storage)},
                {"nexus_worker": "nexus"},
            )
        case "task":
            return TaskExecutor({"nexus_worker.*": uv_executor(storage)}, storage)
        case _:
            return uv_executor(storage)


def print_counts(name: str, result: "BackendResult") -> None:
    """Print the count of each outcome, the most frequent first."""
    counts = result.get_counts()
    table = Table(title=f"{name}, {counts.total()} shots")
    table.add_column("outcome")
    table.add_column("count", justify="right")
    for outcome, count in counts.most_common(8):
        table.add_row("".join(map(str, outcome)), str(count))
    Console().print(table)


if __name__ == "__main__":
    main()
