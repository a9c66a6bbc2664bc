"""Workers of the user in preloaded processes: the same as those that start cold."""

import os
import signal
import subprocess
import sys
import sysconfig
import threading
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psutil
import pytest
from tests.helpers.preloaded import kill, preloaded_processes
from tests.helpers.waiting import wait_until
from tests.tkr_runtime.tasks.test_preloaded import LIMIT, Workbench
from tierkreis.builder import Graph
from tierkreis.controller.data.graph import Func
from tierkreis.controller.data.location import Loc
from tierkreis.models import TKR, Workflow
from tierkreis.storage import FileStorage

from tkr_nexus_worker import WorkflowFailedError, run, warm_executor
from tkr_runtime.tasks import executors
from tkr_runtime.tasks.executors import WarmExecutor
from tkr_runtime.tasks.preloaded import user_worker
from tkr_runtime.workflows.liveness import LivenessMonitor

LAUNCHER = Path(user_worker.__file__).with_name("launcher.py")
NAME = "counting_worker"
MAIN = """
import logging, os, sys, time
import numpy as np
import factors
from tierkreis import Worker

worker = Worker("counting_worker")
AT_START = os.environ.get("OF_THE_TASK", "")

@worker.task()
def scaled(value: float) -> float:
    print("printed")
    if value < 0:
        raise ValueError("The value must not be negative.")
    return float(np.float64(value) * factors.FACTOR)

@worker.task()
def about() -> list[str]:
    main = sys.modules["__main__"]
    known = "tkr_nexus_worker" in sys.modules or "local_nexus" in sys.modules
    return [AT_START, factors.AT_IMPORT, sys.executable, str(os.getppid()),
            main.__file__, sys.argv[0], sys.path[0], str(known)]

@worker.task()
def slow(seconds: float) -> str:
    with open(os.path.join(os.environ["TKR_DIR"], "runs"), "a") as runs:
        runs.write("run\\n")
    time.sleep(seconds)
    return "slept"

if __name__ == "__main__":
    worker.app(sys.argv)
"""
FACTORS = 'import os\nFACTOR = 3\nAT_IMPORT = os.environ.get("OF_THE_TASK", "")\n'
BEATING = """
import threading
threading.Thread(target=threading.Event().wait, daemon=True, name="beat").start()
"""
PROJECT = """[project]
name = "counting-worker"
version = "1"
requires-python = ">=3.12"

[tool.uv]
package = false
"""


@pytest.fixture(scope="module")
def environment_of_worker(tmp_path_factory) -> Path:
    """An environment with Tierkreis and numpy, but without this package."""
    folder = tmp_path_factory.mktemp("worker") / ".venv"
    venv.create(folder, symlinks=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(folder)})
    ours = sysconfig.get_path("purelib")
    # The editable installation of this package is a .pth file, which is not read twice.
    Path(packages, "dependencies.pth").write_text(f"{ours}\n")
    return folder


@pytest.fixture
def registry(tmp_path, environment_of_worker, monkeypatch) -> Path:
    """A registry with a worker that knows nothing of this package."""
    folder = tmp_path / "registry" / NAME
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(MAIN)
    (folder / "factors.py").write_text(FACTORS)
    (folder / "pyproject.toml").write_text(PROJECT)
    monkeypatch.setenv("UV_NO_SYNC", "1")
    monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", str(environment_of_worker))
    monkeypatch.setenv("TKR_WORKER_WARM_IDLE", "60")
    return folder.parent


class UserBench(Workbench):
    """Tasks of a worker of the user, each started as the executor starts it."""

    def __init__(self, folder: Path, environment: dict[str, str], worker: Path):
        super().__init__(folder, environment)
        self.worker = worker
        python = environment["UV_PROJECT_ENVIRONMENT"] + "/bin/python3"
        self.command = [python, str(LAUNCHER)]

    def start(self, place: str, **options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.command, f"{place}/definition"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.worker,
            env=self.environment,
            **options,
        )

    def value(self, task: str, **inputs: object) -> object:
        place = self.node(task, **inputs)
        code, _, errors = self.run(place)
        assert code == 0, errors
        return self.output(place)

    def parent(self) -> int:
        """Run a task; return the parent of the process that ran it."""
        return int(self.value("about")[3])


@pytest.fixture
def bench(registry, tmp_path, warm_worker) -> Iterator[UserBench]:
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    environment = {**os.environ, "TKR_DIR": str(checkpoints)}
    bench = UserBench(checkpoints, environment, registry / NAME)
    yield bench
    kill(servers_of(bench))


def servers_of(bench: UserBench) -> list[psutil.Process]:
    servers = preloaded_processes(bench.sockets)
    return [it for it in servers if str(bench.worker) in it.cmdline()]


def test_each_task_runs_main_anew_in_a_fork_that_has_the_packages(bench):
    for value in ("first", "second"):
        bench.environment["OF_THE_TASK"] = value
        seen = bench.value("about")
        (server,) = servers_of(bench)
        assert seen == [
            value,
            value,
            bench.command[0],
            str(server.pid),
            str(bench.worker / "main.py"),
            "main.py",
            str(bench.worker),
            "False",
        ]
    assert bench.value("scaled", value=2) == 6.0


def test_code_output_and_message_are_those_of_a_cold_start(bench):
    outcomes = []
    for warm in ("1", "0"):
        bench.environment["TKR_WORKER_WARM"] = warm
        good, bad = bench.node("scaled", value=1), bench.node("scaled", value=-1)
        code, output, errors = bench.run(good)
        failed, _, trace = bench.run(bad)
        last = trace.splitlines()[-1]
        files = sorted(path.name for path in (bench.folder / good).iterdir())
        message = (bench.folder / bad / "_message").read_text()
        outcomes.append((code, output, errors, failed, last, files, message))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][:2] == (0, "printed\n")
    assert outcomes[0][3] == 1
    assert outcomes[0][-1] == "The value must not be negative."


def test_a_change_of_the_sources_or_packages_starts_a_new_process(
    bench, environment_of_worker
):
    first = bench.parent()
    assert bench.parent() == first
    # Python does not see a change within a second that leaves the size as it is.
    (bench.worker / "factors.py").write_text(FACTORS.replace("3", "4.0"))
    assert bench.value("scaled", value=2) == 8.0
    second = bench.parent()
    packages = sysconfig.get_path("purelib", vars={"base": str(environment_of_worker)})
    Path(packages, "new-1.0.dist-info").mkdir(exist_ok=False)
    assert len({first, second, bench.parent()}) == 3


def test_the_process_keeps_only_variables_that_are_named(bench):
    bench.environment |= {"A_TOKEN": "secret", "OF_THE_TASK": "kept"}
    bench.value("scaled", value=1)
    (server,) = servers_of(bench)
    assert {"A_TOKEN", "OF_THE_TASK"} & server.environ().keys() == set()
    kill([server])
    bench.command = [bench.command[0], str(LAUNCHER)]
    definition = f"{bench.node('scaled', value=1)}/definition"
    subprocess.run(
        [*bench.command, definition, "OF_THE_TASK"],
        cwd=bench.worker,
        env=bench.environment,
        check=True,
    )
    (server,) = servers_of(bench)
    assert server.environ()["OF_THE_TASK"] == "kept"
    assert "A_TOKEN" not in server.environ()


def test_a_worker_whose_packages_start_threads_starts_cold_and_says_so(bench, tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "beating.py").write_text(BEATING)
    bench.environment["PYTHONPATH"] = str(packages)
    (bench.worker / "main.py").write_text(f"import beating\n{MAIN}")
    for _ in range(2):
        code, _, errors = bench.run(bench.node("scaled", value=1))
        assert code == 0, errors
        assert "task: starts cold, as the modules that the worker imports" in errors
        assert "(beat)" in errors
    assert servers_of(bench) == []


def test_a_killed_executable_takes_its_task_with_it_and_a_fork_passes_its_end_on(bench):
    (server,) = (bench.value("about"), servers_of(bench))[1]
    process = bench.start(bench.node("slow", seconds=LIMIT))
    assert wait_until(server.children)
    (fork,) = server.children()
    process.kill()
    process.communicate()
    assert wait_until(lambda: not psutil.pid_exists(fork.pid))
    process = bench.start(bench.node("slow", seconds=LIMIT))
    assert wait_until(server.children)
    server.children()[0].send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT)
    assert process.returncode == -signal.SIGTERM


def test_two_processes_of_one_task_run_it_once(bench):
    bench.value("about")
    place = bench.node("slow", seconds=1.5)
    first = bench.start(place)
    claim = bench.folder / place / "_claim"
    assert wait_until(lambda: claim.exists() and claim.read_text())
    second = bench.start(place)
    outcomes = [process.communicate(timeout=LIMIT) for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), outcomes
    assert (bench.folder / "runs").read_text() == "run\n"
    assert "already runs this task" in outcomes[1][1]


@pytest.mark.soak
def test_a_task_that_takes_long_gives_its_place_to_others(bench):
    bench.environment["TKR_WORKER_WARM_TASKS"] = "1"
    bench.value("about")
    long = bench.start(bench.node("slow", seconds=LIMIT))
    assert wait_until((bench.folder / "runs").exists)
    assert bench.value("scaled", value=1) == 3.0
    assert long.poll() is None
    long.kill()
    long.communicate()


class scaled(NamedTuple):  # noqa: N801 (as stubs are named)
    """The stub of the task."""

    value: TKR[float]

    @staticmethod
    def out() -> type[TKR[float]]:
        return TKR[float]

    @property
    def namespace(self) -> str:
        return NAME


def scaled_twice() -> Workflow[TKR[float], TKR[float]]:
    g = Graph(TKR[float], TKR[float])
    return g.finish_with_outputs(g.task(scaled(g.task(scaled(g.inputs)))))


def test_the_warm_executor_runs_workflows_of_the_user(
    registry, tmp_path, bench, monkeypatch
):
    def start(value: float) -> tuple[FileStorage, object]:
        directory = tmp_path / "a directory; $HOME"
        storage = FileStorage(uuid4(), tierkreis_directory=directory)
        executor = warm_executor(registry, storage)
        return storage, run(scaled_twice(), value, storage, executor)

    executables = []
    start_executable = executors._start_executable

    def note(*arguments: Any) -> None:
        executables.append(arguments)
        start_executable(*arguments)

    monkeypatch.setattr(executors, "_start_executable", note)
    for is_first in (True, False):
        executables.clear()
        storage, output = start(2.0)
        assert output == 18.0
        assert bool(executables) is is_first
        logs = storage.logs_path
        assert wait_until(lambda: logs.read_text().count("printed") == 2)  # noqa: B023
        assert len(servers_of(bench)) == 1
        with pytest.raises(WorkflowFailedError, match=r"^The value must not be neg"):
            start(-1.0)


def definition_of(bench: UserBench, task: str, **inputs: object) -> Path:
    return Path(bench.node(task, **inputs), "definition")


@pytest.fixture
def warm(registry, bench) -> WarmExecutor:
    """An executor of the tasks of the bench, whose preloaded process runs."""
    storage = FileStorage(UUID(bench.workflow), None, bench.folder)
    executor = warm_executor(registry, storage)
    definition = definition_of(bench, "about")
    executor.run(NAME, definition)
    assert wait_until(lambda: bench.is_done(str(definition.parent)))
    return executor


def test_a_task_that_was_handed_over_outlives_its_executor(warm, bench):
    definition = definition_of(bench, "slow", seconds=1)
    code = f"""
import os, pathlib, time, uuid
from tierkreis.storage import FileStorage
from tkr_nexus_worker import warm_executor
folder = pathlib.Path({str(bench.folder)!r})
storage = FileStorage(uuid.UUID({bench.workflow!r}), None, folder)
executor = warm_executor(pathlib.Path({str(bench.worker.parent)!r}), storage)
executor.run({NAME!r}, pathlib.Path({str(definition)!r}))
assert executor.handed_over() == {{{str(definition)!r}}}
while not (folder / "runs").exists():
    time.sleep(0.01)
os._exit(0)
"""
    environment = {**bench.environment, "TKR_DIR": str(bench.folder)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert wait_until(lambda: bench.is_done(str(definition.parent)))
    assert (bench.folder / "runs").read_text() == "run\n"


def test_a_task_whose_preloaded_process_dies_runs_in_an_executable(warm, bench):
    definition = definition_of(bench, "slow", seconds=1)
    warm.run(NAME, definition)
    assert warm.handed_over() == {str(definition)}
    assert wait_until((bench.folder / "runs").exists)
    kill(servers_of(bench))
    assert wait_until(lambda: bench.is_done(str(definition.parent)))
    assert (bench.folder / "runs").read_text() == "run\nrun\n"
    assert wait_until(lambda: not warm.handed_over())


def test_a_task_that_waits_for_its_turn_counts_as_running(warm, bench):
    warm.env["TKR_WORKER_WARM_TASKS"] = "1"
    long, waiting = (definition_of(bench, "slow", seconds=s) for s in (3, 0))
    for definition in (long, waiting):
        storage = FileStorage(UUID(bench.workflow), None, bench.folder)
        loc = Loc(definition.parent.name)
        storage.write_node_def(loc, Func(f"{NAME}.slow", {}))
        warm.run(NAME, definition)
    monitor = LivenessMonitor(storage, warm)
    for _ in range(3):
        monitor.mark_dead([Loc(it.parent.name) for it in (long, waiting)])
    assert not list(bench.folder.rglob("_error"))
    assert wait_until(lambda: bench.is_done(str(waiting.parent)))


def test_more_tasks_than_there_is_room_for_have_executables(warm, bench, monkeypatch):
    monkeypatch.setattr(warm._hand_over, "_places", threading.BoundedSemaphore(1))
    first, second = (definition_of(bench, "slow", seconds=s) for s in (1, 0))
    warm.run(NAME, first)
    warm.run(NAME, second)
    assert warm.handed_over() == {str(first)}
    for definition in (first, second):
        place = str(definition.parent)
        assert wait_until(lambda: bench.is_done(place))  # noqa: B023


def test_a_change_of_the_worker_is_noticed_by_an_executor(warm, bench):
    source = bench.worker / "factors.py"
    source.write_text(source.read_text().replace("FACTOR = 3", "FACTOR = 5.0"))
    definition = definition_of(bench, "scaled", value=2)
    warm.run(NAME, definition)
    place = str(definition.parent)
    assert wait_until(lambda: bench.is_done(place))
    assert bench.output(place) == 10.0


def test_without_uv_or_an_interpreter_the_worker_starts_as_uv_starts_it(
    registry, tmp_path, make_storage, caplog, monkeypatch
):
    uv = tmp_path / "uv"
    uv.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('no such project')\n")
    uv.chmod(0o755)
    executor = warm_executor(registry, make_storage())
    assert executor._interpreter(registry / NAME, str(uv)) is None
    assert "starts cold, because uv cannot tell its interpreter" in caplog.text
