"""Compare the graph nexus_submit_and_poll with a plain script of qnexus.

Both upload N circuits, submit them as one job, poll it and fetch the results, in turn,
against the same embedded Nexus. Printed are medians of: wall time, CPU time and the
highest memory (PSS) of all processes together, the embedded Nexus left out.

    uv run benchmarks/submit_poll.py --circuits 4 --circuits 16 --circuits 48
"""

import ctypes
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import click
import psutil
from rich.console import Console
from rich.table import Table

from local_nexus import LocalNexus

if TYPE_CHECKING:
    from pytket.circuit import Circuit

POLLING_INTERVAL = 1.0
N_QUBITS = 5
N_SHOTS = 100
WAYS = ("plain", "graph")
_PR_SET_CHILD_SUBREAPER = 36
_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Measurement:
    """What one run took: seconds of wall and CPU time, and bytes of memory (PSS)."""

    wall: float
    cpu: float
    memory: int


@click.group(invoke_without_command=True, help=__doc__)
@click.option("--circuits", multiple=True, type=int, default=(4, 16), show_default=True)
@click.option("--repeat", default=3, show_default=True, help="Runs of each way.")
@click.pass_context
def main(context: click.Context, circuits: tuple[int, ...], repeat: int) -> None:
    """Run the benchmark, or one of its ways."""
    if context.invoked_subcommand is None:
        compare(circuits, repeat)


@main.command(hidden=True)
@click.argument("n_circuits", type=int)
def plain(n_circuits: int) -> None:
    """Run the circuits as a plain script of qnexus does."""
    import qnexus as qnx
    from qnexus.models.references import ExecutionResultRef

    project = qnx.projects.get_or_create(name="benchmark")
    programs = [
        qnx.circuits.upload(circuit=circuit, project=project)
        for circuit in build_circuits(n_circuits)
    ]
    job = qnx.start_execute_job(
        programs=list(programs),
        n_shots=[N_SHOTS] * n_circuits,
        backend_config=qnx.QuantinuumConfig(device_name="H2-1LE"),
        name="plain",
        project=project,
    )
    while qnx.jobs.status(job).status in qnx.models.WAITING_STATUS:
        time.sleep(POLLING_INTERVAL)
    refs = [r for r in qnx.jobs.results(job) if isinstance(r, ExecutionResultRef)]
    results = [ref.download_result() for ref in refs]
    assert len(results) == n_circuits


@main.command(hidden=True)
@click.argument("n_circuits", type=int)
def graph(n_circuits: int) -> None:
    """Run the circuits by Tierkreis's run_graph under its UvExecutor."""
    from quantinuum_schemas.models.backend_config import QuantinuumConfig
    from tierkreis import run_graph
    from tierkreis.executor import UvExecutor
    from tierkreis.storage import FileStorage, read_outputs

    from tkr_nexus_worker import REGISTRY_PATH
    from tkr_nexus_worker.graphs import nexus_submit_and_poll

    storage = FileStorage(uuid4(), name="benchmark")
    workflow = nexus_submit_and_poll(POLLING_INTERVAL)
    run_graph(
        storage,
        UvExecutor(REGISTRY_PATH, storage.logs_path, log_env_in_debug=False),
        workflow,
        {
            "project_name": "benchmark",
            "job_name": "graph",
            "circuits": build_circuits(n_circuits),
            "n_shots": [N_SHOTS] * n_circuits,
            "backend_config": QuantinuumConfig(device_name="H2-1LE"),
        },
        n_iterations=1_000_000,
    )
    results = read_outputs(workflow, storage)
    assert isinstance(results, list)
    assert len(results) == n_circuits


def build_circuits(n_circuits: int) -> list["Circuit"]:
    """Build GHZ states turned by different angles."""
    from pytket.circuit import Circuit

    circuits = []
    for index in range(n_circuits):
        circuit = Circuit(N_QUBITS, name=f"circuit-{index}").Ry(index / n_circuits, 0)
        for qubit in range(N_QUBITS - 1):
            circuit.CX(qubit, qubit + 1)
        circuits.append(circuit.measure_all())
    return circuits


def compare(sizes: tuple[int, ...], repeat: int) -> None:
    """Measure both ways in turn and print a table of medians."""
    # Workers outlive the shell that starts them; their reaper learns their CPU time.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    table = Table(title=f"medians of {repeat} runs, polling every {POLLING_INTERVAL} s")
    for column in ("circuits", "way", "wall (s)", "CPU (s)", "memory (MB)"):
        table.add_column(column, justify="left" if column == "way" else "right")
    with LocalNexus() as nexus:
        measure("plain", 1, nexus)  # fills the caches of the disk and of the simulator
        for n_circuits in sizes:
            runs = [
                [measure(w, n_circuits, nexus) for w in WAYS] for _ in range(repeat)
            ]
            for way, measured in zip(WAYS, zip(*runs, strict=True), strict=True):
                table.add_row(str(n_circuits), way, *medians(list(measured)))
    Console().print(table)


def medians(measured: list[Measurement]) -> Iterator[str]:
    """Return the medians as text, memory in megabytes."""
    yield f"{statistics.median(m.wall for m in measured):.2f}"
    yield f"{statistics.median(m.cpu for m in measured):.2f}"
    yield f"{statistics.median(m.memory for m in measured) / 1e6:.0f}"


def measure(way: str, n_circuits: int, nexus: LocalNexus) -> Measurement:
    """Run one way in a process of its own and measure it with all its descendants."""
    myself = psutil.Process()
    others = set(myself.children(recursive=True))
    cpu_before = children_cpu()
    peak = PeakMemory(myself, others)
    started = time.perf_counter()
    with peak:
        subprocess.run(
            [sys.executable, __file__, way, str(n_circuits)],
            env={**os.environ, **nexus.env},
            check=True,
        )
    wall = time.perf_counter() - started
    for process in new_descendants(myself, others):
        process.wait()
    return Measurement(wall, children_cpu() - cpu_before, peak.bytes)


def new_descendants(
    root: psutil.Process, others: set[psutil.Process]
) -> set[psutil.Process]:
    """Return the descendants of a process but for some others and what those start."""
    started = chain.from_iterable(other.children(recursive=True) for other in others)
    return set(root.children(recursive=True)) - others - set(started)


def children_cpu() -> float:
    """Return the CPU seconds of all descendants that have ended."""
    times = os.times()
    return times.children_user + times.children_system


class PeakMemory:
    """Follows the memory of all new descendants while its body runs."""

    def __init__(self, root: psutil.Process, others: set[psutil.Process]) -> None:
        self.bytes = 0
        self._root, self._others = root, others
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stopped.wait(_SAMPLE_SECONDS):
            new = new_descendants(self._root, self._others)
            self.bytes = max(self.bytes, sum(map(shared_out_memory, new)))


def shared_out_memory(process: psutil.Process) -> int:
    """Return the proportional set size of a process in bytes, 0 if it has ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
