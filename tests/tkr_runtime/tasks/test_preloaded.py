"""The preloaded worker: the same as a worker that starts cold, whatever happens."""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from pytket.circuit import Circuit
from tests.helpers import preloaded, waiting
from tests.helpers.repetition import soak
from tierkreis.controller.data.location import WorkerCallArgs

from local_nexus import Fault, LocalNexus, Progress
from tkr_lightworks_worker import preload as preload_lightworks
from tkr_nexus_worker import REGISTRY_PATH, preload
from tkr_runtime.tasks.preloaded import client, identity

EXECUTABLE = Path(sys.executable).with_name("tkr_nexus_worker")
PROJECT_NAME = "tests of the warm worker"
UPLOAD = "POST", "/api/circuits/*"
BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
LIMIT = 60
_PR_SET_CHILD_SUBREAPER = 36


def wait_until(condition: Callable[[], object]) -> None:
    assert waiting.wait_until(condition, LIMIT)


class Workbench:
    """Tasks of a workflow, each with a folder, run by the executable."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.workflow = str(uuid4())
        self.folder = folder
        self.environment = environment
        self._numbers = count(1)
        self.sockets = Path(environment["XDG_RUNTIME_DIR"])
        root = folder / self.workflow
        root.mkdir()
        metadata = {"start_time": "2026-01-01T00:00:00+00:00"}
        (root / "_metadata").write_text(json.dumps(metadata))

    def node(self, task: str, **inputs: object) -> str:
        """Write the definition of a task, and return its place."""
        place = f"{self.workflow}/-.N{next(self._numbers)}"
        node = self.folder / place
        (node / "outputs").mkdir(parents=True)
        for name, value in inputs.items():
            (node / name).write_text(json.dumps(value))
        arguments = WorkerCallArgs(
            function_name=task,
            inputs={name: Path(place, name) for name in inputs},
            outputs={"value": Path(place, "outputs", "value")},
            output_dir=Path(place, "outputs"),
            done_path=Path(place, "_done"),
            error_path=Path(place, "logs"),
            logs_path=Path(self.workflow, "logs"),
        )
        (node / "definition").write_text(arguments.model_dump_json())
        return place

    def upload(self, name: str = "bell") -> str:
        circuit = BELL.to_dict() | {"name": name}
        return self.node("upload_circuit", project_name=PROJECT_NAME, circ=circuit)

    def start(self, place: str, **options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [EXECUTABLE, f"{place}/definition"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            **options,
        )

    def run(self, place: str, **options: object) -> tuple[int, str, str]:
        process = self.start(place, **options)
        output, errors = process.communicate(timeout=LIMIT)
        return process.returncode, output, errors

    def output(self, place: str) -> object:
        return json.loads((self.folder / place / "outputs" / "value").read_text())

    def is_done(self, place: str) -> bool:
        return (self.folder / place / "_done").exists()

    def servers(self) -> list[psutil.Process]:
        """The preloaded processes themselves, without their forks."""
        return preloaded.preloaded_processes(self.sockets)

    def forks(self) -> list[psutil.Process]:
        """Those of all preloaded processes, also those that wait for a task."""
        return [fork for server in self.servers() for fork in server.children()]

    def workers(self) -> list[psutil.Process]:
        """The processes that run tasks of this workflow."""
        return preloaded.workers(self.folder / self.workflow)


def environment_of_bench(folder: Path, sockets: Path) -> dict[str, str]:
    return {
        "TKR_DIR": str(folder),
        "XDG_RUNTIME_DIR": str(sockets),
        "TKR_NEXUS_WARM": "1",
    }


@pytest.fixture
def make_bench(worker_environment, tmp_path) -> Iterator[Callable[..., Workbench]]:
    """Workbenches with preloaded processes of their own."""
    folders, benches = [], []

    def make(**environment: str) -> Workbench:
        folders.append(Path(tempfile.mkdtemp(prefix="tkr-")))
        checkpoints = tmp_path / f"checkpoints{len(folders)}"
        checkpoints.mkdir()
        own = environment_of_bench(checkpoints, folders[-1])
        benches.append(Workbench(checkpoints, worker_environment | own | environment))
        return benches[-1]

    yield make
    for bench in benches:
        for server in bench.servers():
            server.kill()
    for folder in folders:
        shutil.rmtree(folder)


@pytest.fixture
def shared_bench(worker_environment, warm_worker, tmp_path) -> Workbench:
    """A workbench on the preloaded process of all tests."""
    environment = environment_of_bench(tmp_path, warm_worker)
    return Workbench(tmp_path, worker_environment | environment)


def process_of(errors: str) -> int:
    """Read which process wrote a log that has its id at the start of each line."""
    (process,) = set(re.findall(r"^(\d+) running: ", errors, re.MULTILINE))
    return int(process)


def test_tasks_run_in_forks_of_one_process(shared_bench):
    shared_bench.environment["TKR_LOG_FORMAT"] = "%(process)d %(message)s"
    processes = []
    # An installation beside the tests, as by uv run, makes a new one.
    before = {server.pid for server in shared_bench.servers()}
    for name in ("a", "b"):
        process = shared_bench.start(shared_bench.upload(name))
        errors = process.communicate(timeout=LIMIT)[1]
        assert process.returncode == 0, errors
        processes.append(process_of(errors))
        assert processes[-1] != process.pid
        shared_bench.environment["OF_THE_TASK"] = name
    assert len(set(processes)) == 2
    after = {server.pid for server in shared_bench.servers()}
    assert after
    assert len(after - before) <= 1


def test_a_program_can_start_the_process_before_its_first_task(make_bench, monkeypatch):
    bench = make_bench()
    for name, value in bench.environment.items():
        monkeypatch.setenv(name, value)
    preload()
    preload()
    (server,) = bench.servers()
    code, _, errors = bench.run(bench.upload())
    assert code == 0, errors
    assert bench.servers() == [server]
    assert bench.forks()


@pytest.mark.parametrize(
    ("start", "variable"),
    [
        (preload, "TKR_NEXUS_WARM"),
        (preload_lightworks, "TKR_LIGHTWORKS_WARM"),
    ],
)
def test_a_program_starts_no_process_that_no_task_would_use(
    start, variable, make_bench, monkeypatch
):
    bench = make_bench()
    for name, value in bench.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(variable, "0")
    start()
    assert bench.servers() == []
    monkeypatch.setenv(variable, "1")
    start()
    assert len(bench.servers()) == 1


def test_a_fork_runs_the_next_task_of_its_environment_unless_one_failed(make_bench):
    bench = make_bench(TKR_LOG_FORMAT="%(process)d %(message)s")

    def process_of_upload() -> int:
        code, _, errors = bench.run(bench.upload())
        assert code == 0, errors
        return process_of(errors)

    bench.run(bench.upload())  # which starts the preloaded process
    processes = [process_of_upload() for _ in range(3)]
    assert len(set(processes)) == 1
    assert [fork.pid for fork in bench.forks()] == processes[:1]
    code, _, _ = bench.run(bench.node("upload_circuit", project_name="", circ=5))
    assert code == 1
    wait_until(lambda: not bench.forks())
    assert process_of_upload() not in processes
    bench.environment["OF_THE_TASK"] = "another"
    assert process_of_upload() not in processes
    assert len(bench.forks()) == 2


def test_a_fork_that_waits_ends_with_the_preloaded_process(make_bench):
    bench = make_bench()
    bench.run(bench.upload())
    bench.run(bench.upload())
    (server,), (fork,) = bench.servers(), bench.forks()
    server.terminate()
    wait_until(lambda: not fork.is_running())


def without_times(errors: str, place: str) -> str:
    errors = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", errors)
    return re.sub(r", line \d+|\d\d:\d\d:\d\d|-\.N\d+", "", errors.replace(place, ""))


@pytest.mark.parametrize(
    ("task", "inputs"),
    [
        ("upload_circuit", {"project_name": PROJECT_NAME, "circ": BELL.to_dict()}),
        soak(("upload_circuit", {"project_name": "", "circ": BELL.to_dict()})),
        ("upload_circuit", {"project_name": PROJECT_NAME, "circ": 5}),
        soak(("collect_results", {"job_name": "a job", "items": []})),
        ("no_such_task", {}),
    ],
)
def test_outcome_output_and_log_are_those_of_a_cold_start(task, inputs, shared_bench):
    outcomes = []
    for warm in ("1", "0"):
        shared_bench.environment["TKR_NEXUS_WARM"] = warm
        place = shared_bench.node(task, **inputs)
        code, output, errors = shared_bench.run(place)
        # The first circuit makes the project, the second finds it.
        errors = "\n".join(line for line in errors.splitlines() if "HTTP" not in line)
        files = sorted(p.name for p in (shared_bench.folder / place).iterdir())
        files = [name for name in files if not name.startswith("_making_")]
        outcomes.append((code, output, without_times(errors, place), files))
    frames_of_the_start = re.compile(r'  File "[^"]*(main|fork|server)\.py".*\n.*\n')
    warm, cold = (
        (code, output, frames_of_the_start.sub("", errors), files)
        for code, output, errors, files in outcomes
    )
    assert warm == cold


def test_the_task_has_the_folder_mask_and_environment_of_the_executable(shared_bench):
    shared_bench.environment["TKR_DIR"] = "."
    place = shared_bench.upload()
    code, _, errors = shared_bench.run(place, cwd=shared_bench.folder, umask=0o077)
    assert code == 0, errors
    output = shared_bench.folder / place / "outputs" / "value"
    assert output.stat().st_mode & 0o777 == 0o600


def test_the_task_talks_to_the_nexus_that_the_environment_names(shared_bench):
    assert shared_bench.run(shared_bench.upload())[0] == 0
    shared_bench.environment["NEXUS_PORT"] = "9"
    shared_bench.environment["TKR_NEXUS_RETRY_TIME"] = "0.1"
    code, _, errors = shared_bench.run(shared_bench.upload())
    assert code == 1
    assert "no answer from Nexus at https://127.0.0.1:9" in errors


def test_many_at_once_start_one_process(make_bench):
    bench = make_bench()
    places = [bench.upload(f"circuit {index}") for index in range(12)]
    processes = [bench.start(place) for place in places]
    wait_until(bench.servers)
    assert len(bench.servers()) == 1
    for process in processes:
        assert process.wait(LIMIT) == 0
        process.communicate()
    assert len({bench.output(place)["id"] for place in places}) == 12


@pytest.fixture
def runs_here(monkeypatch, tmp_path) -> Callable[..., bool]:
    """Whether a process with some environment must run its task itself."""
    sockets = tempfile.mkdtemp(prefix="tkr-")

    def run(**environment: str) -> bool:
        monkeypatch.setenv("XDG_RUNTIME_DIR", sockets)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = client.run(["no task"], "tkr_nexus_worker", "TKR_NEXUS_")
        assert preloaded.preloaded_processes(sockets) == []
        return code is None

    yield run
    shutil.rmtree(sockets)


@pytest.mark.parametrize(
    "environment",
    [
        {"TKR_NEXUS_WARM": "0"},
        {"SLURM_JOB_ID": "17"},
        {"XDG_RUNTIME_DIR": "/nowhere"},
        {"XDG_RUNTIME_DIR": "/tmp/" + "long" * 30},
    ],
)
def test_a_process_runs_its_task_itself_where_none_is_wanted_or_possible(
    environment, runs_here
):
    assert runs_here(**environment)


def test_without_a_preloaded_process_the_task_runs_all_the_same(make_bench):
    bench = make_bench(SLURM_JOB_ID="17")
    place = bench.upload()
    assert bench.run(place)[0] == 0
    assert bench.is_done(place)
    assert bench.servers() == []
    assert list(bench.sockets.iterdir()) == []


@pytest.mark.parametrize("kind", ["open", "link", "file"])
def test_a_folder_that_others_could_use_is_not_used(kind, runs_here, tmp_path):
    folder = tmp_path / f"tkr-nexus-worker-{os.getuid()}"
    match kind:
        case "open":
            folder.mkdir()
            folder.chmod(0o755)
        case "link":
            (tmp_path / "elsewhere").mkdir(mode=0o700)
            folder.symlink_to(tmp_path / "elsewhere")
        case "file":
            folder.touch(mode=0o700)
    assert runs_here(XDG_RUNTIME_DIR=str(tmp_path))


def test_only_the_owner_can_reach_the_process(shared_bench):
    assert shared_bench.run(shared_bench.upload())[0] == 0
    folder = shared_bench.sockets / f"tkr-nexus-worker-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {0o600}


def test_the_preloaded_process_keeps_no_secrets(make_bench, nexus):
    bench = make_bench(NEXUS_QA_USER_PASSWORD="the password", TKR_LOG_LEVEL="DEBUG")
    assert bench.run(bench.upload())[0] == 0
    (server,) = bench.servers()
    tokens = Path(nexus.env["NEXUS_TOKEN_PATH"])
    secrets = ["the password"]
    for name, field in [("token", "refresh_token"), ("id", "access_token")]:
        content = json.loads((tokens / f"{name}.json").read_text())
        secrets.append(content["data"][field])
    kept = " ".join(server.environ().values())
    logs = list(bench.sockets.rglob("*.log"))
    assert logs
    kept += "".join(log.read_text() for log in logs)
    assert not [secret for secret in secrets if secret in kept]


def test_when_the_executable_is_killed_its_task_ends_at_once(shared_bench, nexus):
    assert shared_bench.run(shared_bench.upload())[0] == 0
    with nexus.fault(Fault("hang", method=UPLOAD[0], path=UPLOAD[1])):
        place = shared_bench.upload("killed")
        process = shared_bench.start(place)
        wait_until(shared_bench.workers)
        (fork,) = shared_bench.workers()
        process.kill()
        process.communicate()
        wait_until(lambda: not psutil.pid_exists(fork.pid))
    assert not shared_bench.is_done(place)


def test_a_task_that_dies_by_a_signal_passes_it_on(shared_bench, nexus):
    assert shared_bench.run(shared_bench.upload())[0] == 0
    with nexus.fault(Fault("hang", method=UPLOAD[0], path=UPLOAD[1])):
        process = shared_bench.start(shared_bench.upload("killed"))
        wait_until(shared_bench.workers)
        (fork,) = shared_bench.workers()
        fork.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT)
    assert process.returncode == -signal.SIGTERM


def run_while_the_server_dies(
    bench: Workbench, nexus: LocalNexus
) -> tuple[psutil.Process, psutil.Process]:
    """Run a task whose server dies meanwhile; return that server, and its fork."""
    assert bench.run(bench.upload())[0] == 0
    (server,) = bench.servers()
    fault = nexus.add_fault(Fault("hang", method=UPLOAD[0], path=UPLOAD[1]))
    place = bench.upload("survivor")
    process = bench.start(place)
    wait_until(bench.workers)
    (fork,) = bench.workers()
    server.kill()
    nexus.remove_fault(fault)
    errors = process.communicate(timeout=LIMIT)[1]
    assert process.returncode == 0, errors
    assert bench.is_done(place)
    return server, fork


def is_dead(process: psutil.Process) -> bool:
    """Return whether a process has ended, also if its parent has not asked yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_when_the_preloaded_process_dies_its_tasks_run_cold(make_bench, nexus):
    bench = make_bench(TKR_NEXUS_SETTLE_TIME="0.3")
    server, fork = run_while_the_server_dies(bench, nexus)
    wait_until(lambda: is_dead(fork))
    assert bench.run(bench.upload())[0] == 0
    assert [other.pid for other in bench.servers()] != [server.pid]


@pytest.fixture
def adopts_orphans() -> Iterator[None]:
    """Make this process the parent of all orphans."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    yield
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 0)


@pytest.mark.usefixtures("adopts_orphans")
def test_a_dead_task_whose_parent_never_asks_is_not_waited_for(make_bench, nexus):
    bench = make_bench(TKR_NEXUS_SETTLE_TIME="0.3")
    server, fork = run_while_the_server_dies(bench, nexus)
    wait_until(lambda: fork.status() == psutil.STATUS_ZOMBIE)
    for orphan in (server, fork):
        os.waitpid(orphan.pid, 0)


def test_it_does_not_survive_a_change_of_the_packages(make_bench, tmp_path):
    packages = tmp_path / "packages"
    packages.mkdir()
    bench = make_bench(PYTHONPATH=str(packages))
    assert bench.run(bench.upload())[0] == 0
    (old,) = bench.servers()
    (packages / "new-1.0.dist-info").mkdir()
    assert bench.run(bench.upload())[0] == 0
    assert old not in bench.servers()[1:]
    wait_until(lambda: not psutil.pid_exists(old.pid))
    (new,) = bench.servers()
    assert new.pid != old.pid


def test_an_environment_that_uv_makes_in_a_worker_changes_no_packages(tmp_path):
    worker = identity.WorkerFolder(str(tmp_path))
    watched = identity.watched_paths("tkr_nexus_worker", worker)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "module.py").touch()
    assert identity.watched_paths("tkr_nexus_worker", worker) == watched
    (tmp_path / "module.py").touch()
    assert identity.watched_paths("tkr_nexus_worker", worker) != watched
    own = [it.removeprefix(str(REGISTRY_PATH)) for it in watched]
    assert "/nexus_worker/main.py" in own
    assert not any(path.startswith("/nexus_worker/.venv/") for path in own)


def test_a_task_that_wants_all_imports_has_a_process_of_its_own(make_bench):
    bench = make_bench()
    assert bench.run(bench.upload())[0] == 0
    bench.environment["TKR_NEXUS_DEFER"] = "0"
    assert bench.run(bench.upload())[0] == 0
    environments = [server.environ() for server in bench.servers()]
    switches = {environment.get("TKR_NEXUS_DEFER") for environment in environments}
    assert switches == {None, "0"}


def test_it_ends_when_it_is_idle(make_bench):
    bench = make_bench(TKR_NEXUS_WARM_IDLE="0.5")
    assert bench.run(bench.upload())[0] == 0
    wait_until(lambda: not bench.servers())
    folder = bench.sockets / f"tkr-nexus-worker-{os.getuid()}"
    assert not list(folder.glob("*.sock"))
    assert bench.run(bench.upload())[0] == 0


def test_as_many_tasks_as_allowed_run_at_once_but_those_that_wait(make_bench, nexus):
    nexus.set_progress(Progress(running=3600.0), job="a waiting job")
    bench = make_bench(TKR_NEXUS_WARM_TASKS="1")
    submit = bench.node(
        "start_single_job",
        project_name=PROJECT_NAME,
        job_name="a waiting job",
        circuit=uploaded(bench),
        n_shots=1,
        backend_config={"type": "QuantinuumConfig", "device_name": "H2-1LE"},
    )
    code, _, errors = bench.run(submit)
    assert code == 0, errors
    waiting = bench.node(
        "await_news",
        execute_ref=bench.output(submit),
        polling_interval=0.1,
        seen="RUNNING",
    )
    wait_until(lambda: nexus.jobs(1)[-1]["status"] == "RUNNING")
    waiter = bench.start(waiting)
    wait_until(bench.workers)
    with nexus.fault(Fault("hang", method=UPLOAD[0], path=UPLOAD[1], times=1)):
        first = bench.start(bench.upload("first"))
        wait_until(lambda: len(bench.workers()) == 2)
        second = bench.upload("second")
        waits_for_first = bench.start(second)
        wait_until(lambda: len(executables(bench)) == 3)
        assert not bench.is_done(second)
        assert len(bench.workers()) == 2
    for process in (first, waits_for_first):
        assert process.wait(LIMIT) == 0, process.communicate()
        process.communicate()
    assert waiter.poll() is None, waiter.communicate()
    waiter.kill()
    waiter.communicate()


def uploaded(bench: Workbench) -> object:
    place = bench.upload()
    code, _, errors = bench.run(place)
    assert code == 0, errors
    return bench.output(place)


def executables(bench: Workbench) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(bench.workflow in word for word in process.info["cmdline"] or [])
    ]
