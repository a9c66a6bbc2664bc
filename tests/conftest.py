"""An embedded Nexus for the tests of the worker, and qnexus connected to it."""

import gc
import json
import logging
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest
import qnexus
import qnexus.client
import tenacity
import trustme
from pytket.circuit import Circuit, OpType
from pytket.passes import AutoRebase
from qnexus.client.utils import write_token
from qnexus.config import CONFIG, Config
from qnexus.models.references import ExecuteJobRef
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.helpers import run_workflow as workflow_driver
from tests.helpers.many_jobs import add_jobs
from tests.helpers.repetition import SEED, seeded
from tierkreis.controller.data.location import WorkerCallArgs
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.storage import FileStorage
from tierkreis.worker.storage.filestorage import WorkerFileStorage

from local_artemis import LocalArtemis
from local_nexus import LocalNexus, Progress
from tkr_nexus_worker import programs
from tkr_nexus_worker.jobs import start_execute_job
from tkr_nexus_worker.nexus.states import JOB_STATES
from tkr_runtime.tasks import context

FINAL_STATES = {s.name for s in JOB_STATES.values() if s.is_final}
PROJECT = "tests of jobs"
OTHER = "other@example.com"
EXECUTABLES = Path(sys.executable).parent

# The three ways to run a task, as what the environment of a workflow has beside.
WAYS = {
    "preloaded": {},
    "cold": {"TKR_NEXUS_WARM": "0"},
    "in-process": {"TKR_TEST_EXECUTOR": "in-process"},
}
# For the few tests that show what could differ; all others have preloaded tasks.
in_every_way = pytest.mark.parametrize("way", WAYS, indirect=True)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Run folders in several processes, and single files and tests in this one."""
    single = any(not Path(arg).is_dir() for arg in config.args)
    # One of them often waits for a server or for other processes, and each starts some.
    return 0 if single else (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave out of garbage collection what is imported: it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_report_header() -> str:
    return f"seed: TKR_TEST_SEED={SEED}"


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """Random numbers that TKR_TEST_SEED repeats."""
    return seeded(request.node.nodeid)


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """Let servers and clients trust one authority beside those of the servers.

    A client reads the usual 150 ones for longer than most tests take. Gives the file
    with what was trusted before, if there is one.
    """
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    before = os.environ.get("SSL_CERT_FILE")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield before


@pytest.fixture(scope="session")
def shared_nexus() -> Iterator[LocalNexus]:
    """One server for all tests; use the fixture ``nexus``.

    It translates gates that devices do not have, for tests that do not concern them.
    """
    with LocalNexus(strict=False) as nexus:
        yield nexus


@pytest.fixture
def nexus(shared_nexus: LocalNexus) -> Iterator[LocalNexus]:
    """The shared server: an empty log, jobs that move at once, nothing that fails."""
    shared_nexus.clear_requests()
    yield shared_nexus
    shared_nexus.clear_faults()
    _empty_queue(shared_nexus)
    shared_nexus.clear_progress()


def _empty_queue(nexus: LocalNexus) -> None:
    """Leave no job that the next test would find ahead of its own in the queue."""
    for job in nexus.jobs():
        if job["status"] not in FINAL_STATES:
            nexus.set_job_status(job["id"], "CANCELLED")


@contextmanager
def qnexus_connected(environment: dict[str, str]) -> Iterator[None]:
    """Connect qnexus in this process to the Nexus that an environment describes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        config = Config()
        for name in type(config).model_fields:
            patch.setattr(CONFIG, name, getattr(config, name))
        _forget_client()
        try:
            yield
        finally:
            _forget_client()


def _forget_client() -> None:
    """Let qnexus make a new client, with the configuration it then has."""
    if qnexus.client._nexus_client is not None:
        qnexus.client._nexus_client.close()
        qnexus.client._nexus_client = None


@pytest.fixture
def connect_qnexus() -> Iterator[Callable[[dict[str, str]], None]]:
    """Connect qnexus in this process until the test ends."""
    with ExitStack() as stack:
        yield lambda environment: stack.enter_context(qnexus_connected(environment))


# Of the newest two jobs of the full server, and of its oldest.
TWO_OF_A_START = [
    "beefed00-0000-4000-8000-00000000000a",
    "beefed11-0000-4000-8000-00000000000b",
]
OLDEST = "0ddba11f-0000-4000-8000-00000000000c"
MANY_JOBS = 10_000
WAITING_JOBS = 30


@pytest.fixture(scope="session")
def shared_full_nexus() -> Iterator[LocalNexus]:
    """A server with many jobs, of which the newest wait; use ``full_nexus``."""
    others = [str(uuid4()) for _ in range(MANY_JOBS - 3)]
    with LocalNexus() as nexus:
        with qnexus_connected(nexus.env):
            project = str(qnexus.projects.create(name=PROJECT).id)
        add_jobs(nexus, project, [*TWO_OF_A_START, *others, OLDEST], WAITING_JOBS)
        yield nexus


@pytest.fixture
def full_nexus(shared_full_nexus, connect_qnexus) -> LocalNexus:
    """The server with many jobs, with qnexus in this process logged in to it."""
    connect_qnexus(shared_full_nexus.env)
    shared_full_nexus.clear_requests()
    return shared_full_nexus


@pytest.fixture
def connected(nexus, connect_qnexus) -> LocalNexus:
    """The shared server, with qnexus in this process logged in to it."""
    connect_qnexus(nexus.env)
    return nexus


def log_in_other(
    nexus: LocalNexus, environment: dict[str, str], tokens: Path
) -> dict[str, str]:
    """Log a second user in, and return the environment in which that user acts.

    :param environment: the environment of the first user.
    :param tokens: an empty directory for the login.
    """
    nexus.add_user(OTHER, "secret", "Other User")
    context = ssl.create_default_context(cafile=environment["SSL_CERT_FILE"])
    login = {"email": OTHER, "password": "secret"}
    url = f"{nexus.url}/auth/login"
    answer = httpx.post(url, json=login, verify=context).raise_for_status()
    others = environment | {"NEXUS_TOKEN_PATH": str(tokens)}
    with qnexus_connected(others):
        write_token("refresh_token", answer.cookies["myqos_oat"])
        write_token("access_token", answer.cookies["myqos_id"])
    return others


@pytest.fixture
def connect_other(nexus, connect_qnexus, tmp_path) -> Callable[[], None]:
    """Connect qnexus in this process as a second user, until the test ends."""
    return lambda: connect_qnexus(log_in_other(nexus, nexus.env, tmp_path))


type Submit = Callable[..., ExecuteJobRef]


@pytest.fixture
def submit(connected) -> Submit:
    """Submit a job of Bell pairs, by default under a name of its own."""

    def submit(
        name: str | None = None,
        *,
        circuits: int = 1,
        project: str = PROJECT,
        device: str = "H2-1LE",
    ) -> ExecuteJobRef:
        bell = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
        AutoRebase({OpType.PhasedX, OpType.Rz, OpType.ZZPhase}).apply(bell)
        uploaded = [programs.upload_circuit(bell, project) for _ in range(circuits)]
        return start_execute_job(
            project,
            name or f"job {uuid4()}",
            uploaded,
            [10] * circuits,
            QuantinuumConfig(device_name=device),
        )

    return submit


@pytest.fixture
def waiting_job(connected, submit) -> ExecuteJobRef:
    """A job of two circuits that stays in the queue."""
    connected.progress = Progress.seconds(queued=1e6)
    return submit(circuits=2)


@pytest.fixture
def quick_retries(monkeypatch) -> None:
    """Retries without pauses, at most three tries."""
    quick = {"wait": tenacity.wait_none(), "stop": tenacity.stop_after_attempt(3)}
    retrying = tenacity.Retrying
    monkeypatch.setattr(tenacity, "Retrying", lambda **it: retrying(**it | quick))


@pytest.fixture(scope="session", autouse=True)
def warm_worker() -> Iterator[Path]:
    """A folder for the preloaded processes of this run of the tests, which it ends."""
    folder = Path(tempfile.mkdtemp(prefix="tkr-"))  # sockets have short paths
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.setenv("TKR_NEXUS_WARM_IDLE", "60")
        patch.setenv("TKR_LIGHTWORKS_WARM_IDLE", "60")
        yield folder
    shutil.rmtree(folder)


@pytest.fixture
def way(request: pytest.FixtureRequest) -> str:
    """How tasks run: preloaded, but in tests that ``in_every_way`` marks."""
    return getattr(request, "param", "preloaded")


@pytest.fixture
def worker_environment(nexus, way, tmp_path) -> dict[str, str]:
    """The environment for processes that run workflows against the shared server."""
    return {
        **os.environ,
        **nexus.env,
        **WAYS[way],
        "HOME": str(tmp_path),
        "PATH": f"{EXECUTABLES}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture
def run_workflow(worker_environment):
    """Run a graph in a process of its own, under one of Tierkreis's executors."""

    def run(
        executor: str,
        inputs: dict[str, Any],
        *,
        graph: str = "ours",
        python: str | Path = sys.executable,
        environment: dict[str, str] = worker_environment,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, Path(workflow_driver.__file__), executor, graph],
            input=json.dumps(inputs),
            capture_output=True,
            text=True,
            env=environment,
            timeout=250,
        )

    return run


type MakeExecutor = Callable[[FileStorage], ControllerExecutor]


@pytest.fixture
def make_executor(connected, worker_environment, way, monkeypatch) -> MakeExecutor:
    """Executors for workflows of this process."""
    for name, value in worker_environment.items():
        monkeypatch.setenv(name, value)
    kind = "in-process" if way == "in-process" else "shell"
    return partial(workflow_driver.make_executor, kind)


@pytest.fixture
def make_storage(tmp_path) -> Callable[[], FileStorage]:
    """New, empty storages for workflows."""
    return lambda: FileStorage(uuid4(), tierkreis_directory=tmp_path / "checkpoints")


@pytest.fixture
def node_storage(tmp_path) -> FileStorage:
    """The storage of a workflow that has started."""
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
    storage.workflow_dir.mkdir()
    metadata = json.dumps({"start_time": "2026-01-01T00:00:00+00:00"})
    (storage.workflow_dir / "_metadata").write_text(metadata)
    return storage


@pytest.fixture
def node(connected, node_storage) -> Iterator[Path]:
    """The folder of a node of a workflow; the test is the task of that node."""
    folder = node_storage.workflow_dir / "-.N1"
    folder.mkdir()
    location = folder.relative_to(node_storage.tkr_dir)
    arguments = WorkerCallArgs(
        function_name="start_execute_job",
        inputs={},
        outputs={},
        output_dir=location / "outputs",
        done_path=location / "_done",
        error_path=location / "_error",
        logs_path=None,
    )
    with context.task_context(arguments, WorkerFileStorage(node_storage.tkr_dir)):
        yield folder


@pytest.fixture(scope="session")
def shared_artemis() -> Iterator[LocalArtemis]:
    """One server for all tests of photonic jobs; use the fixture ``artemis``."""
    with LocalArtemis() as artemis:
        yield artemis


@pytest.fixture
def artemis(shared_artemis, monkeypatch) -> Iterator[LocalArtemis]:
    """The shared server, to which this process is connected; jobs end at once."""
    shared_artemis.clear_requests()
    shared_artemis.progress = Progress.immediate()
    for name in ("TKR_LIGHTWORKS_HOME", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, shared_artemis.env[name])
    yield shared_artemis
    shared_artemis.clear_faults()
    shared_artemis.set_listing("names")
    for job in shared_artemis.jobs():
        if job["status"] not in ("Completed", "Failed", "Cancelled", "TimedOut"):
            shared_artemis.set_job_status(job["id"], "Cancelled")
    shared_artemis.clear_progress()


@pytest.fixture
def photonic_environment(artemis, tmp_path) -> dict[str, str]:
    """The environment for processes that run photonic workflows."""
    return {
        **os.environ,
        **{name: it for name, it in artemis.env.items() if name != "HOME"},
        "HOME": str(tmp_path),
        "TKR_DIR": str(tmp_path),
        "PATH": f"{EXECUTABLES}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture(autouse=True)
def _root_logger_as_it_was() -> Iterator[None]:
    """Undo what Tierkreis's logging set-up leaves behind."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
