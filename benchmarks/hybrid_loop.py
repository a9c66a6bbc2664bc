"""Measure a loop of quantum and classical tasks beside a plain script of qnexus.

Each iteration builds five circuits, runs them by one job, calculates their energies and
moves a parameter. All ways do this with the same code, against an embedded Nexus on
this machine. The time of an iteration is that between two submissions, by the clock of
the server; the first one of each run, with all imports, is left out.

    uv run benchmarks/hybrid_loop.py --repeat 5
    uv run benchmarks/hybrid_loop.py --without uv --repeat 9 --folder /dev/shm
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import click
from rich.console import Console
from rich.table import Table
from submit_poll import fresh_machine

from local_nexus import LocalNexus

if TYPE_CHECKING:
    from tierkreis.models import Workflow
    from tierkreis.storage import FileStorage

PROJECT = "benchmark"
DEVICE = "H2-1LE"
INTERVAL = 1.0
N_SHOTS = 100
N_CIRCUITS = 5
WORKERS = Path(__file__).parent / "workers"
_HERE = {"UV_NO_SYNC": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix}


def plain(n_iterations: int) -> None:
    """Run the loop as a plain script does."""
    import qnexus as qnx
    from qnexus.models.references import ExecutionResultRef
    from workers.hybrid_worker.main import circuits, energies, step

    project = qnx.projects.get_or_create(name=PROJECT)
    angle, iteration, goes_on = 0.1, 0, True
    while goes_on:
        programs = [
            qnx.circuits.upload(circuit=circuit, project=project)
            for circuit in circuits(angle)
        ]
        job = qnx.start_execute_job(
            programs=[*programs],
            n_shots=[N_SHOTS] * N_CIRCUITS,
            backend_config=qnx.QuantinuumConfig(device_name=DEVICE),
            name=f"plain {iteration}",
            project=project,
        )
        # Jobs end at once here; the pause is what the script needs on Nexus.
        while qnx.jobs.status(job).status in qnx.models.WAITING_STATUS:
            time.sleep(0.01)
        refs = [r for r in qnx.jobs.results(job) if isinstance(r, ExecutionResultRef)]
        values = energies([ref.download_result() for ref in refs])
        angle, iteration, goes_on = step(angle, iteration, values, n_iterations)


def uv(n_iterations: int) -> None:
    """Run the loop with Tierkreis's UvExecutor for the worker of the user."""
    from tierkreis.executor import MultipleExecutor, UvExecutor

    from tkr_nexus_worker import uv_executor

    def executor(storage: "FileStorage") -> Any:
        return MultipleExecutor(
            UvExecutor(WORKERS, storage.logs_path, _HERE, log_env_in_debug=False),
            {"nexus": uv_executor(storage)},
            {"nexus_worker": "nexus"},
        )

    _run(n_iterations, executor)


def warm(n_iterations: int) -> None:
    """Run the loop with ``warm_executor``."""
    from tkr_nexus_worker import warm_executor

    _run(n_iterations, lambda storage: warm_executor(WORKERS, storage, _HERE))


def in_process(n_iterations: int) -> None:
    """Run the loop with ``InProcessExecutor``."""
    from tkr_nexus_worker import InProcessExecutor

    _run(n_iterations, lambda storage: InProcessExecutor(storage, WORKERS))


WAYS: dict[str, Callable[[int], None]] = {
    "plain": plain,
    "in-process": in_process,
    "warm": warm,
    "uv": uv,
}


def _run(n_iterations: int, executor: "Callable[[FileStorage], Any]") -> None:
    from quantinuum_schemas.models.backend_config import QuantinuumConfig
    from tierkreis.storage import FileStorage

    from tkr_nexus_worker import run

    storage = FileStorage(uuid4(), "benchmark")
    if folder := os.environ.get("TKR_DIR"):
        storage.tkr_dir = Path(folder)
    inputs = {
        "backend_config": QuantinuumConfig(device_name=DEVICE),
        "angle": 0.1,
        "iteration": 0,
        "n_iterations": n_iterations,
    }
    run(_loop(), inputs, storage, executor(storage))


def _loop() -> "Workflow[Any, Any]":
    from tierkreis.builder import Graph
    from tierkreis.models import TKR
    from workers.hybrid_worker.stubs import Step, circuits, energies, step

    from tkr_nexus_worker.graphs import JobInputs, nexus_submit_and_poll
    from tkr_nexus_worker.stubs import iteration_name

    class Inputs(NamedTuple):
        backend_config: TKR[Any]
        angle: TKR[float]
        iteration: TKR[int]
        n_iterations: TKR[int]

    body = Graph(Inputs, Step)
    results = body.eval(
        nexus_submit_and_poll(INTERVAL),
        JobInputs(
            project_name=body.const(PROJECT),
            job_name=body.task(iteration_name(body.const("loop"))),
            circuits=body.task(circuits(body.inputs.angle)),
            n_shots=body.const([N_SHOTS] * N_CIRCUITS),
            backend_config=body.inputs.backend_config,
        ),
    )
    values = body.task(energies(results))
    ended = body.task(
        step(body.inputs.angle, body.inputs.iteration, values, body.inputs.n_iterations)
    )
    g = Graph(Inputs, Step)
    return g.finish_with_outputs(g.loop(body.finish_with_outputs(ended), g.inputs))


@click.command(help=__doc__)
@click.option("--iterations", "n_iterations", default=10, show_default=True)
@click.option("--repeat", default=5, show_default=True, help="Runs of each way.")
@click.option("--without", multiple=True, type=click.Choice([*WAYS]), help="Leave out.")
@click.option(
    "--folder",
    default=tempfile.gettempdir(),
    show_default=True,
    help="Where to make the checkpoints. For five minutes after many files were "
    "deleted, ext4 takes ten times as long to make one; /dev/shm never does.",
)
@click.option("--way", type=click.Choice([*WAYS]), hidden=True)
def main(
    n_iterations: int,
    repeat: int,
    without: tuple[str, ...],
    folder: str,
    way: str | None,
) -> None:
    """Measure all ways in turn, or run one of them."""
    if way is not None:
        WAYS[way](n_iterations)
        return
    seconds: dict[str, list[float]] = {it: [] for it in WAYS if it not in without}
    whole: dict[str, list[float]] = {it: [] for it in seconds}
    with (
        LocalNexus() as nexus,
        fresh_machine() as machine,
        tempfile.TemporaryDirectory(prefix="tkr-", dir=folder) as checkpoints,
    ):
        environment = {**nexus.env, **machine, "TKR_DIR": checkpoints}
        for _ in range(repeat):
            for name, pauses in seconds.items():
                total, iteration = _measure(name, n_iterations, nexus, environment)
                whole[name].append(total)
                pauses.append(iteration)
    _print(seconds, whole, n_iterations)


def _measure(
    way: str, n_iterations: int, nexus: LocalNexus, environment: dict[str, str]
) -> tuple[float, float]:
    """Run a way; return its seconds, and the median of those between submissions."""
    earlier = len(nexus.jobs())
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, __file__, "--way", way, "--iterations", str(n_iterations)],
        env={**os.environ, **environment},
        check=True,
    )
    total = time.perf_counter() - started
    times = [datetime.fromisoformat(job["created"]) for job in nexus.jobs()[earlier:]]
    assert len(times) == n_iterations
    pauses = [(after - before).total_seconds() for before, after in pairwise(times)]
    return total, statistics.median(pauses)


def _print(
    seconds: dict[str, list[float]], whole: dict[str, list[float]], n_iterations: int
) -> None:
    n_runs = len(next(iter(seconds.values())))
    table = Table(title=f"{n_iterations} iterations, medians of {n_runs} runs")
    table.add_column("way")
    for column in ("an iteration (s)", "above plain (s)", "whole program (s)"):
        table.add_column(column, justify="right")
    for name, values in seconds.items():
        pairs = zip(values, seconds.get("plain", values), strict=True)
        above = statistics.median(own - plain for own, plain in pairs)
        table.add_row(
            name,
            f"{statistics.median(values):.3f}",
            f"{above:.3f}",
            f"{statistics.median(whole[name]):.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
