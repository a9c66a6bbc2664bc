"""Measure the graph lightworks_submit_and_poll beside a plain script of Lightworks.

All run against an embedded Artemis on this machine, which is left out of the figures.

    uv run benchmarks/lightworks_submit_poll.py compare --samplers 16 --repeat 5
"""

import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
import psutil
from rich.console import Console
from rich.table import Table
from submit_poll import PeakMemory, fresh_machine

from local_artemis import LocalArtemis, Progress

if TYPE_CHECKING:
    from tkr_lightworks_worker.samplers import SamplerSpec

QPU = "Artemis"
INTERVAL = 1.0
_PR_SET_CHILD_SUBREAPER = 36
_EXECUTABLE = Path(sys.executable).parent / "tkr_lightworks_worker"
_repeat_option = click.option(
    "--repeat", default=5, show_default=True, help="Runs of each way."
)


@click.group(help=__doc__)
def main() -> None:
    """Run one of the benchmarks."""
    # Workers outlive the shell that starts them.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _unitaries(n_samplers: int) -> list[Any]:
    from tkr_lightworks_worker.lightworks import lightworks

    lw = lightworks()
    return [lw.random_unitary(6, seed=seed) for seed in range(n_samplers)]


def _specs(n_samplers: int) -> "list[SamplerSpec]":
    from tkr_lightworks_worker.samplers import SamplerSpec, UnitaryMatrix

    return [
        SamplerSpec(
            n_modes=6,
            components=[UnitaryMatrix(unitary=matrix.tolist())],
            input_state=[1, 1, 0, 0, 0, 0],
            n_samples=1000,
            min_detection=1,
        )
        for matrix in _unitaries(n_samplers)
    ]


@main.command(hidden=True)
@click.argument("n_samplers", type=int)
def plain(n_samplers: int) -> None:
    """Submit one by one and poll as a plain script does; its pauses do not count."""
    from tkr_lightworks_worker.lightworks import lightworks, remote

    lw, client = lightworks(), remote()
    imported = time.time() - psutil.Process().create_time()
    client.token.load("local")
    unitaries = _unitaries(n_samplers)
    started, paused = time.perf_counter(), 0.0
    qpu = client.QPU(QPU)
    jobs = [
        qpu.run_async(
            lw.Sampler(
                lw.Unitary(unitary), lw.State([1, 1, 0, 0, 0, 0]), 1000, min_detection=1
            )
        )
        for unitary in unitaries
    ]
    for job in jobs:
        while not job.complete:
            time.sleep(INTERVAL)
            paused += INTERVAL
    results = [job.get_result() for job in jobs]
    seconds = time.perf_counter() - started - paused
    assert [sum(result.values()) for result in results] == [1000] * n_samplers
    click.echo(json.dumps([seconds, imported]))


@main.command(hidden=True)
@click.argument("n_samplers", type=int)
def graph(n_samplers: int) -> None:
    """Run the graph by Tierkreis's run_graph under UvExecutor; count that."""
    import shutil

    from tierkreis.storage import FileStorage

    from tkr_lightworks_worker import uv_executor
    from tkr_lightworks_worker.graphs import lightworks_submit_and_poll
    from tkr_runtime.workflows.run import run

    imported = time.time() - psutil.Process().create_time()
    specs = _specs(n_samplers)
    storage = FileStorage(uuid4(), name="benchmark")
    started = time.perf_counter()
    results = run(
        lightworks_submit_and_poll(INTERVAL),
        {"qpu_name": QPU, "job_name": "benchmark", "samplers": specs},
        storage,
        uv_executor(storage),
    )
    seconds = time.perf_counter() - started
    assert [sum(it["raw_counts"].values()) for it in results] == [1000] * n_samplers
    shutil.rmtree(storage.workflow_dir)
    click.echo(json.dumps([seconds, imported]))


@main.command()
@click.option("--samplers", multiple=True, type=int, default=(1, 16, 128))
@_repeat_option
def compare(samplers: tuple[int, ...], repeat: int) -> None:
    """Compare first and second runs on a machine with a plain script."""
    table = Table(title=f"medians of {repeat} runs")
    for column in ("samplers", "way", "time (s)", "import (s)", "memory (MB)"):
        table.add_column(column, justify="right")
    ways = ("plain", "graph, first run", "graph, second run")
    with LocalArtemis() as artemis:
        artemis.set_progress(Progress.immediate())
        for n_samplers in samplers:
            found: dict[str, list[tuple[float, float, float]]] = {it: [] for it in ways}
            for _ in range(repeat):
                with fresh_machine() as machine:
                    for way in ways:
                        found[way].append(
                            _measure(way.split(",")[0], n_samplers, artemis, machine)
                        )
            for way, runs in found.items():
                seconds, imported, memory = map(
                    statistics.median, zip(*runs, strict=True)
                )
                table.add_row(
                    *(str(n_samplers), way, f"{seconds:.2f}"),
                    *(f"{imported:.1f}", f"{memory:.0f}"),
                )
    Console().print(table)


def _measure(
    way: str, n_samplers: int, artemis: LocalArtemis, machine: dict[str, str]
) -> tuple[float, float, float]:
    """Return the seconds of a way, those of its imports, and its memory in MB."""
    children = psutil.Process().children(recursive=True)
    with PeakMemory({it for it in children if _is_server(it, artemis)}) as peak:
        result = subprocess.run(
            [sys.executable, __file__, way, str(n_samplers)],
            env={**os.environ, **artemis.env, **machine},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    seconds, imported = json.loads(result.stdout)
    return seconds, imported, peak.bytes / 1e6


def _is_server(process: psutil.Process, artemis: LocalArtemis) -> bool:
    try:
        return str(artemis.directory) in " ".join(process.cmdline())
    except psutil.Error:
        return False


@main.command()
@_repeat_option
def start(repeat: int) -> None:
    """Measure a task of each kind, cold and in the preloaded process."""
    import tempfile

    from tierkreis.controller.data.location import Loc
    from tierkreis.controller.data.types import bytes_from_ptype
    from tierkreis.storage import FileStorage

    spec = _specs(1)[0]
    tasks: dict[str, dict[str, Any]] = {
        "list_qpus": {},
        "submit_job": {"qpu_name": QPU, "job_name": "start", "sampler": spec},
    }
    with (
        LocalArtemis() as artemis,
        fresh_machine() as machine,
        tempfile.TemporaryDirectory() as folder,
    ):
        environment = {**os.environ, **artemis.env, **machine, "TKR_DIR": folder}
        for kind, switch in (("cold", "0"), ("preloaded", "1")):
            environment["TKR_LIGHTWORKS_WARM"] = switch
            for task, inputs in tasks.items():
                seconds, cpu = [], []
                for _ in range(repeat + 2):
                    storage = FileStorage(uuid4(), tierkreis_directory=Path(folder))
                    storage.write_metadata(Loc(""))
                    for name, value in inputs.items():
                        storage.write_output(Loc().N(-1), name, bytes_from_ptype(value))
                    ports = {name: (Loc().N(-1), name) for name in inputs}
                    definition = storage.write_worker_call_args(
                        Loc().N(0), task, ports, ["value"]
                    )
                    began, used = time.perf_counter(), _cpu()
                    subprocess.run(
                        [_EXECUTABLE, definition],
                        check=True,
                        env=environment,
                        capture_output=True,
                    )
                    seconds.append(time.perf_counter() - began)
                    cpu.append(_cpu() - used)
                click.echo(
                    f"{task}, {kind}: {statistics.median(seconds[2:]):.3f} s "
                    f"(first {seconds[0]:.3f} s), {statistics.median(cpu[2:]):.3f} s "
                    "of CPU in the executable"
                )


def _cpu() -> float:
    """Return the CPU seconds of the processes that this one has started."""
    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    main()
