"""Measure the graph nexus_submit_and_poll, mostly beside a plain script of qnexus.

All run against an embedded Nexus on this machine, which is left out of the figures.
Each command prints a table: the medians of several runs, made in turn.

    uv run benchmarks/submit_poll.py compare --circuits 16 --circuits 48 --repeat 5
"""

import ctypes
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import click
import psutil
from rich.console import Console
from rich.table import Table

from local_nexus import Fault, LocalNexus, Progress

if TYPE_CHECKING:
    from pytket.circuit import Circuit
    from tierkreis.models import Workflow

INTERVAL = 1.0
PROJECT = "benchmark"
DEVICE = "H2-1LE"
_PR_SET_CHILD_SUBREAPER = 36
_SAMPLE_SECONDS = 0.05
_EXECUTABLES = Path(sys.executable).parent
_DAY = 24 * 3600.0
_circuits_option = click.option(
    "--circuits", multiple=True, type=int, default=(16, 48), show_default=True
)
_repeat_option = click.option(
    "--repeat", default=5, show_default=True, help="Runs of each way."
)


@dataclass(frozen=True)
class Work:
    """What a run has to do: circuits of so many qubits, with so many shots each."""

    n_circuits: int
    n_qubits: int = 5
    n_shots: int = 100

    @property
    def arguments(self) -> list[str]:
        """The work as arguments of a command of this file."""
        return [str(self.n_circuits), str(self.n_qubits), str(self.n_shots)]

    def circuits(self) -> list["Circuit"]:
        """Build GHZ states turned by different angles, in the gates of the device."""
        from pytket.circuit import Circuit, OpType
        from pytket.passes import AutoRebase

        circuits = []
        for index in range(self.n_circuits):
            circuit = Circuit(self.n_qubits, name=f"circuit-{index}")
            circuit.Ry(index / self.n_circuits, 0)
            for qubit in range(self.n_qubits - 1):
                circuit.CX(qubit, qubit + 1)
            AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(circuit)
            circuits.append(circuit.measure_all())
        return circuits


@dataclass(frozen=True)
class Measurement:
    """What one run took: seconds of wall and CPU time, and bytes of memory (PSS)."""

    wall: float
    cpu: float
    memory: int


@click.group(help=__doc__)
def main() -> None:
    """Run one of the benchmarks."""
    # Workers outlive the shell that starts them; their reaper learns their CPU time.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


# The ways to do the work, each in a process of its own.


def way(function: Callable[[Work], float]) -> click.Command:
    """Make a hidden command of a way, which prints the seconds that count."""

    @click.argument("n_circuits", type=int)
    @click.argument("n_qubits", type=int)
    @click.argument("n_shots", type=int)
    def command(n_circuits: int, n_qubits: int, n_shots: int) -> None:
        seconds = function(Work(n_circuits, n_qubits, n_shots))
        click.echo(json.dumps(seconds))

    name = function.__name__.replace("_", "-")
    return main.command(name, hidden=True)(command)


@way
def plain(work: Work) -> float:
    """Run the circuits as a plain script of qnexus does, one upload after the other.

    Its pauses between polls do not count.
    """
    seconds, paused = _plain(work, threads=1)
    return seconds - paused


@way
def threads(work: Work) -> float:
    """Run the circuits as a plain script of qnexus that uploads by 8 threads."""
    seconds, _ = _plain(work, threads=8)
    return seconds


def _plain(work: Work, threads: int) -> tuple[float, float]:
    """Return the seconds since the start of the process, and those between polls."""
    from concurrent.futures import ThreadPoolExecutor

    import qnexus as qnx
    from qnexus.models.references import ExecutionResultRef

    waited = 0.0
    project = qnx.projects.get_or_create(name=PROJECT)
    with ThreadPoolExecutor(threads) as pool:
        programs = list(
            pool.map(
                lambda circuit: qnx.circuits.upload(circuit=circuit, project=project),
                work.circuits(),
            )
        )
    job = qnx.start_execute_job(
        programs=list(programs),
        n_shots=[work.n_shots] * work.n_circuits,
        backend_config=qnx.QuantinuumConfig(device_name=DEVICE),
        name="plain",
        project=project,
    )
    while qnx.jobs.status(job).status in qnx.models.WAITING_STATUS:
        time.sleep(INTERVAL)
        waited += INTERVAL
    refs = [r for r in qnx.jobs.results(job) if isinstance(r, ExecutionResultRef)]
    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(ExecutionResultRef.download_result, refs))
    assert len(results) == work.n_circuits
    return time.time() - psutil.Process().create_time(), waited


@way
def graph(work: Work) -> float:
    """Run the circuits by Tierkreis's run_graph under its UvExecutor; count that."""
    from tkr_nexus_worker.graphs import nexus_submit_and_poll

    return _run_graph(nexus_submit_and_poll(INTERVAL), work)


@way
def before(work: Work) -> float:
    """Run them by Tierkreis's own graph, a process for each circuit and each look."""
    from tierkreis.graphs.nexus.submit_poll import nexus_submit_and_poll

    os.environ |= {"TKR_NEXUS_WARM": "0", "TKR_NEXUS_DEFER": "0"}
    return _run_graph(nexus_submit_and_poll(INTERVAL), work)


def _run_graph(workflow: "Workflow[Any, Any]", work: Work) -> float:
    from tierkreis import run_graph
    from tierkreis.executor import UvExecutor
    from tierkreis.storage import FileStorage

    from tkr_nexus_worker import REGISTRY_PATH

    storage = FileStorage(uuid4(), name="benchmark")
    inputs = _inputs(work)
    started = time.perf_counter()
    run_graph(
        storage,
        UvExecutor(REGISTRY_PATH, storage.logs_path, log_env_in_debug=False),
        workflow,
        inputs,
        n_iterations=1_000_000,
    )
    seconds = time.perf_counter() - started
    _check(storage, work)
    shutil.rmtree(storage.workflow_dir)
    return seconds


@way
def driven(work: Work) -> float:
    """Run the circuits by tkr_nexus_worker.run; count that."""
    return _run(work, INTERVAL)


@way
def queued(work: Work) -> float:
    """Run the circuits by tkr_nexus_worker.run, looking at the job every 30 s."""
    return _run(work, interval=30.0)


@way
def queued_parts(work: Work) -> float:
    """Run them as several jobs by tkr_nexus_worker.run, looking every 30 s."""
    from tkr_nexus_worker.graphs import nexus_submit_and_poll_batched

    return _run_workflow(nexus_submit_and_poll_batched(1, max_jobs=4), work)


@way
def queued_stream(work: Work) -> float:
    """Stream their results by tkr_nexus_worker.run, looking every 30 s."""
    return _stream(work, interval=30.0)


@way
def batched(work: Work) -> float:
    """Run them by tkr_nexus_worker.run as jobs of 500."""
    from tkr_nexus_worker.graphs import nexus_submit_and_poll_batched

    graph = nexus_submit_and_poll_batched(polling_interval=INTERVAL)
    return _run_workflow(graph, work)


@way
def streamed(work: Work) -> float:
    """Stream their results by tkr_nexus_worker.run to a body that returns them."""
    return _stream(work, INTERVAL)


@way
def loop_plain(work: Work) -> float:
    """Run a hybrid loop as a plain script does."""
    return _loop("plain", work)


@way
def loop_in_process(work: Work) -> float:
    """Run a hybrid loop with ``InProcessExecutor``."""
    return _loop("in-process", work)


@way
def loop_warm(work: Work) -> float:
    """Run a hybrid loop with ``warm_executor``."""
    return _loop("warm", work)


def _loop(way: str, work: Work) -> float:
    from hybrid_loop import N_CIRCUITS, WAYS

    WAYS[way](work.n_circuits // N_CIRCUITS)
    return time.time() - psutil.Process().create_time()


def _stream(work: Work, interval: float) -> float:
    from tierkreis.builder import Graph
    from tierkreis.models import TKR

    from tkr_nexus_worker.graphs import nexus_stream_results
    from tkr_nexus_worker.graphs.submit_poll import BackendResult

    g = Graph(TKR[BackendResult], TKR[BackendResult])
    body = g.finish_with_outputs(g.inputs)
    graph = nexus_stream_results(body, polling_interval=interval)
    return _run_workflow(graph, work)


def _run(work: Work, interval: float) -> float:
    from tkr_nexus_worker.graphs import nexus_submit_and_poll

    return _run_workflow(nexus_submit_and_poll(interval), work)


def _run_workflow(graph: "Workflow[Any, Any]", work: Work) -> float:
    from tierkreis.storage import FileStorage

    from tkr_nexus_worker import run, uv_executor

    storage = FileStorage(uuid4(), name="benchmark")
    inputs = _inputs(work)
    started = time.monotonic()
    results = run(graph, inputs, storage, uv_executor(storage))
    seconds = time.monotonic() - started
    assert len(results) == work.n_circuits
    files = [path for path in storage.workflow_dir.rglob("*") if path.is_file()]
    passes = {path.name for path in storage.workflow_dir.iterdir()}
    passes = {name for name in passes if re.fullmatch(r".*\.L\d+", name)}
    size = sum(path.stat().st_size for path in files)
    click.echo(
        f"{len(passes)} passes of the loop, {size / 1e6:.1f} MB of files, "
        f"{time.process_time():.1f} s of CPU in the controller",
        err=True,
    )
    shutil.rmtree(storage.workflow_dir)
    return seconds


def _inputs(work: Work) -> dict[str, Any]:
    from quantinuum_schemas.models.backend_config import QuantinuumConfig

    return {
        "project_name": PROJECT,
        "job_name": "graph",
        "circuits": work.circuits(),
        "n_shots": [work.n_shots] * work.n_circuits,
        "backend_config": QuantinuumConfig(device_name=DEVICE),
    }


def _check(storage: Any, work: Work) -> None:
    """Count the results in the file of the output, which may be too large to read."""
    (output,) = storage.workflow_dir.glob("-/outputs/value")
    with output.open() as lines:
        n_results = sum(line.lstrip().startswith('{"') for line in lines)
    assert n_results == work.n_circuits


# The benchmarks.


@main.command()
@_circuits_option
@_repeat_option
@click.option("--before", "with_before", is_flag=True, help="Tierkreis's graph too.")
def compare(circuits: tuple[int, ...], repeat: int, *, with_before: bool) -> None:
    """Compare first and second runs on a machine with a plain script."""
    table = _table(f"medians of {repeat} runs", "circuits", "way")
    with LocalNexus() as nexus:
        measure("plain", Work(1), nexus)  # fills the caches of the disk
        for n_circuits in circuits:
            work = Work(n_circuits)
            rounds = [_first_and_second(work, nexus) for _ in range(repeat)]
            if with_before:
                for a_round in rounds:
                    a_round["graph, before"] = measure("before", work, nexus)
            _add_rows(table, n_circuits, rounds)
    Console().print(table)


def _first_and_second(work: Work, nexus: LocalNexus) -> dict[str, Measurement]:
    """Measure a plain script and the graph, without and with a preloaded process."""
    script = measure("plain", work, nexus)
    with fresh_machine() as environment:
        return {
            "plain": script,
            "graph, first run": measure("graph", work, nexus, environment),
            "graph, second run": measure("graph", work, nexus, environment),
        }


@main.command()
@click.option("--circuits", "n_circuits", default=100, show_default=True)
@click.option("--delay", default=0.1, show_default=True, help="Seconds per answer.")
@_repeat_option
def latency(n_circuits: int, delay: float, repeat: int) -> None:
    """Compare with a plain script over a slow line."""
    table = _table(f"{delay:g} s added to every answer", "circuits", "way")
    with LocalNexus() as nexus, nexus.fault(Fault("delay", seconds=delay)):
        rounds = [_first_and_second(Work(n_circuits), nexus) for _ in range(repeat)]
        _add_rows(table, n_circuits, rounds)
    Console().print(table)


@main.command()
@click.option("--circuits", "n_circuits", default=1000, show_default=True)
@click.option("--shots", default=10_000, show_default=True)
@click.option("--qubits", default=20, show_default=True)
@_repeat_option
def large(n_circuits: int, shots: int, qubits: int, repeat: int) -> None:
    """Compare with a plain script that uploads by 8 threads, on a large job."""
    work = Work(n_circuits, qubits, shots)
    table = _table(f"{shots} shots of {qubits} qubits", "circuits", "way")
    with LocalNexus() as nexus:
        rounds = []
        for _ in range(repeat):
            a_round = {"plain, 8 threads": measure("threads", work, nexus)}
            for name, way in {"run_graph": "graph", "run": "driven"}.items():
                with fresh_machine() as environment:
                    a_round[name] = measure(way, work, nexus, environment)
            rounds.append(a_round)
        _add_rows(table, n_circuits, rounds)
    Console().print(table)


@main.command()
@click.option("--seconds", default=20.0, show_default=True)
def poll(seconds: float) -> None:
    """Measure what a look at a waiting job costs, at ten looks a second."""
    waits = Progress(queued=seconds + 60.0)
    with LocalNexus() as nexus, fresh_machine() as environment:
        nexus.set_progress(waits)
        others = _processes()
        command = [sys.executable, __file__, "waiting", *Work(1).arguments]
        runner = subprocess.Popen(
            command, env={**os.environ, **nexus.env, **environment}
        )
        while len(nexus.requests(path=_STATUS)) < 50:  # the pauses have grown by then
            time.sleep(0.1)
        before, processes = _cpu(others), _processes() - others
        nexus.clear_requests()
        time.sleep(seconds)
        looks = len(nexus.requests(path=_STATUS))
        cpu, started = _cpu(others) - before, _processes() - others - processes
        nexus.clear_progress()
        runner.wait()
    click.echo(
        f"{looks} looks: {1000 * cpu / looks:.2f} ms of CPU each, in the controller, "
        f"the task and the preloaded process; {len(started)} processes started"
    )


_STATUS = "/api/jobs/*/attributes/status"


@way
def waiting(work: Work) -> float:
    """Run the circuits by tkr_nexus_worker.run, with ten looks at the job a second."""
    return _run(work, interval=0.1)


@main.command()
@click.option("--rate", default=400.0, show_default=True)
@click.option(
    "--graph",
    "way",
    type=click.Choice(["queued", "queued-parts", "queued-stream"]),
    default="queued",
    show_default=True,
    help="One job of 4 circuits, 4 jobs of one circuit, or a stream of results.",
)
def day(rate: float, way: str) -> None:
    """Measure a day in the queue, on a faster clock in all programs measured."""
    with LocalNexus() as nexus, fresh_machine() as machine:
        nexus.set_progress(Progress(queued=_DAY / rate, queue=20))
        clock = Path(machine["XDG_RUNTIME_DIR"], "clock")
        clock.mkdir()
        (clock / "sitecustomize.py").write_text(_FAST_CLOCK.format(rate=rate))
        environment = {**machine, "PYTHONPATH": str(clock)}
        measured = measure(way, Work(4), nexus, environment)
        looks = len(nexus.requests(path=_STATUS))
    click.echo(
        f"{measured.wall / 3600:.1f} h in {looks} looks: {measured.cpu:.1f} s of CPU, "
        f"{measured.memory / 1e6:.0f} MB"
    )


_FAST_CLOCK = """
import selectors, subprocess, threading, time  # these keep to the true clock

begin, true_monotonic, true_sleep = time.monotonic(), time.monotonic, time.sleep
time.monotonic = lambda: begin + (true_monotonic() - begin) * {rate}
time.sleep = lambda seconds: true_sleep(seconds / {rate})
"""


@main.command()
@click.option("--circuits", multiple=True, type=int, default=(1000, 10_000))
@click.option("--streamed", "n_streamed", default=200, show_default=True)
@click.option("--iterations", "n_iterations", default=20, show_default=True)
@_repeat_option
def many(
    circuits: tuple[int, ...], n_streamed: int, n_iterations: int, repeat: int
) -> None:
    """Compare batches, a stream and a hybrid loop with plain scripts.

    The plain script uploads by 8 threads. An iteration of the loop has five circuits.
    """
    title = f"circuits of one qubit, 10 shots; medians of {repeat} runs"
    table = _table(title, "circuits", "way")
    ways = {"plain, 8 threads": "threads", "batches": "batched"}
    with LocalNexus() as nexus:
        for n_circuits in circuits:
            work = Work(n_circuits, n_qubits=1, n_shots=10)
            _add_rows(table, n_circuits, _rounds(ways, work, nexus, repeat))
        work = Work(n_streamed, n_qubits=1, n_shots=10)
        ways["stream"] = "streamed"
        _add_rows(table, n_streamed, _rounds(ways, work, nexus, repeat))
        loops = {
            "loop, plain": "loop-plain",
            "loop, in process": "loop-in-process",
            "loop, warm": "loop-warm",
        }
        work = Work(5 * n_iterations, n_qubits=2, n_shots=100)
        _add_rows(table, work.n_circuits, _rounds(loops, work, nexus, repeat))
    Console().print(table)


def _rounds(
    ways: dict[str, str], work: Work, nexus: LocalNexus, repeat: int
) -> list[dict[str, Measurement]]:
    """Measure ways in turn, each on a machine without a preloaded process."""
    rounds = []
    for _ in range(repeat):
        measured = {}
        for name, command in ways.items():
            with fresh_machine() as environment:
                measured[name] = measure(command, work, nexus, environment)
        rounds.append(measured)
    return rounds


@main.command()
@click.option("--circuits", multiple=True, type=int, default=(1000, 2000, 5000, 10_000))
@click.option("--job-size", default=500, show_default=True)
@click.option("--qubits", default=1, show_default=True)
@click.option("--shots", default=10, show_default=True)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path))
@_repeat_option
def growth(
    circuits: tuple[int, ...],
    job_size: int,
    qubits: int,
    shots: int,
    plot: Path | None,
    repeat: int,
) -> None:
    """Measure how time and memory grow with the number of circuits."""
    table = Table(title=f"jobs of {job_size} circuits, medians of {repeat} runs")
    columns = ("circuits", "wall (s)", "CPU of the controller (s)", "memory (MB)")
    for column in columns:
        table.add_column(column, justify="right")
    runs: dict[int, list[tuple[float, ...]]] = {size: [] for size in circuits}
    with LocalNexus() as nexus:
        server = _server_processes(nexus)
        for _ in range(repeat):
            for n_circuits in circuits:
                with fresh_machine() as environment, PeakMemory(server) as peak:
                    work = Work(n_circuits, qubits, shots)
                    arguments = [*work.arguments, str(job_size)]
                    answer = _answer("jobs", arguments, {**nexus.env, **environment})
                runs[n_circuits].append((*json.loads(answer), peak.bytes / 1e6))
    points = [
        (n_circuits, *map(statistics.median, zip(*measured, strict=True)))
        for n_circuits, measured in runs.items()
    ]
    for n_circuits, wall, cpu, memory in points:
        table.add_row(str(n_circuits), f"{wall:.1f}", f"{cpu:.1f}", f"{memory:.0f}")
    Console().print(table)
    if plot is not None:
        _plot(points, plot)


def _plot(points: list[tuple[float, ...]], path: Path) -> None:
    import matplotlib.pyplot as plt

    figure, (times, memory) = plt.subplots(1, 2, figsize=(9, 4))
    sizes, walls, cpus, peaks = zip(*points, strict=True)
    times.loglog(sizes, walls, "o-", label="wall time of the workflow")
    times.loglog(sizes, cpus, "s-", label="CPU time of the controller")
    slope = [cpus[0] * size / sizes[0] for size in sizes]
    times.loglog(sizes, slope, ":", color="grey", label="proportional to the circuits")
    times.set_ylabel("seconds")
    times.legend()
    memory.semilogx(sizes, peaks, "o-")
    memory.set_ylim(bottom=0)
    memory.set_ylabel("MB in all processes together, at most")
    for axes in (times, memory):
        axes.set_xlabel("circuits")
    figure.tight_layout()
    figure.savefig(path)


@main.command(hidden=True)
@click.argument("n_circuits", type=int)
@click.argument("n_qubits", type=int)
@click.argument("n_shots", type=int)
@click.argument("job_size", type=int)
def jobs(n_circuits: int, n_qubits: int, n_shots: int, job_size: int) -> None:
    """Run circuits in several jobs; print the time and the controller's CPU."""
    from tierkreis.storage import FileStorage

    from tkr_nexus_worker import run, uv_executor
    from tkr_nexus_worker.graphs import nexus_submit_and_poll_batched

    work = Work(n_circuits, n_qubits, n_shots)
    storage = FileStorage(uuid4(), name="benchmark")
    inputs = _inputs(work)
    started, before = time.perf_counter(), time.process_time()
    graph = nexus_submit_and_poll_batched(job_size, polling_interval=INTERVAL)
    results = run(graph, inputs, storage, uv_executor(storage))
    wall, cpu = time.perf_counter() - started, time.process_time() - before
    assert len(results) == n_circuits
    shutil.rmtree(storage.workflow_dir)
    click.echo(json.dumps((wall, cpu)))


@main.command()
@_repeat_option
def start(repeat: int) -> None:
    """Measure the start of the commands with nothing to do, and what tasks import."""
    commands: dict[str, list[Any]] = {
        "tkr_nexus_worker": [_EXECUTABLES / "tkr_nexus_worker"],
        "tkr-nexus --help": [_EXECUTABLES / "tkr-nexus", "--help"],
        "import of qnexus": [sys.executable, "-c", "import qnexus"],
        "imports of a task": [sys.executable, "-c", _IMPORT_TASKS],
        "imports of a task, all at once": [sys.executable, "-c", _IMPORT_ALL],
    }
    for name, command in commands.items():
        seconds = []
        for _ in range(repeat + 1):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - started)
        click.echo(f"{name}: {statistics.median(seconds[1:]):.3f} s")


_IMPORT_ALL = "import tkr_nexus_worker.tasks"
_IMPORT_TASKS = f"""
from tkr_nexus_worker.cloud import NEXUS
from tkr_runtime.tasks.deferred_imports import defer_imports
defer_imports(NEXUS)
{_IMPORT_ALL}
"""


# What measures them.


@contextmanager
def fresh_machine() -> Iterator[dict[str, str]]:
    """Give the environment of a machine on which no worker has run yet."""
    folder = Path(tempfile.mkdtemp(prefix="tkr-"))
    try:
        yield {"XDG_RUNTIME_DIR": str(folder)}
    finally:
        for process in _processes():
            if str(folder) in " ".join(_command_line(process)[1:]):
                process.terminate()
                process.wait()
        shutil.rmtree(folder)


def measure(
    way: str,
    work: Work,
    nexus: LocalNexus,
    environment: dict[str, str] | None = None,
) -> Measurement:
    """Run one way in a process of its own and measure it with all that it starts.

    A preloaded process that an earlier run left counts with its memory, and with the
    CPU time that this run takes of it.
    """
    server = _server_processes(nexus)
    before = _cpu(server)
    with PeakMemory(server) as peak:
        answer = _answer(way, work.arguments, {**nexus.env, **(environment or {})})
    _wait_for_workers(server)
    return Measurement(float(answer), _cpu(server) - before, peak.bytes)


def _answer(command: str, arguments: list[str], environment: dict[str, str]) -> str:
    result = subprocess.run(
        [sys.executable, __file__, command, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return result.stdout


def _processes() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _server_processes(nexus: LocalNexus) -> set[psutil.Process]:
    """Return the processes of the embedded Nexus, which are not measured."""
    return {
        process
        for process in _processes()
        if str(nexus.directory) in " ".join(_command_line(process))
    }


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _measured(others: set[psutil.Process]) -> set[psutil.Process]:
    started = chain.from_iterable(_children(other) for other in others)
    return _processes() - others - set(started)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _cpu(others: set[psutil.Process]) -> float:
    """Return the CPU seconds of all processes but some, those that ended included."""
    ended = os.times()
    seconds = ended.children_user + ended.children_system
    for process in _measured(others):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        seconds += times.user + times.system
        seconds += times.children_user + times.children_system
    return seconds


def _wait_for_workers(others: set[psutil.Process]) -> None:
    """Wait for all processes but preloaded ones, which stay."""
    for process in _measured(others):
        words = _command_line(process)
        if "tkr_runtime.tasks.preloaded.server" not in words and "--serve" not in words:
            with suppress(psutil.Error):
                process.wait()


class PeakMemory:
    """Follows the memory of all processes but some while its body runs."""

    def __init__(self, others: set[psutil.Process]) -> None:
        self.bytes = 0
        self._others = others
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
            sizes = map(_proportional_memory, _measured(self._others))
            self.bytes = max(self.bytes, sum(sizes))


def _proportional_memory(process: psutil.Process) -> int:
    """Return the proportional set size of a process in bytes, 0 if it has ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def _table(title: str, *names: str) -> Table:
    table = Table(title=title)
    for column in (*names, "wall (s)", "/ plain", "CPU (s)", "memory (MB)"):
        table.add_column(column, justify="left" if column == "way" else "right")
    return table


def _add_rows(
    table: Table, n_circuits: int, rounds: list[dict[str, Measurement]]
) -> None:
    """Add a row of medians for each way; ratios are medians of those of the rounds."""
    first = next(iter(rounds[0]))
    for name in rounds[0]:
        runs = [a_round[name] for a_round in rounds]
        ratio = statistics.median(r[name].wall / r[first].wall for r in rounds)
        table.add_row(
            str(n_circuits),
            name,
            f"{statistics.median(run.wall for run in runs):.2f}",
            f"{ratio:.2f}",
            f"{statistics.median(run.cpu for run in runs):.2f}",
            f"{statistics.median(run.memory for run in runs) / 1e6:.0f}",
        )


if __name__ == "__main__":
    main()
