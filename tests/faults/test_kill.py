"""A task that is killed at any moment and started again makes one thing on Nexus."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tests.faults.executables import LIMIT, Executables, Lifetime
from tests.helpers.preloaded import kill
from tests.helpers.repetition import soak
from tests.helpers.waiting import wait_until
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.types import bytes_from_ptype
from tierkreis.storage import FileStorage

from local_nexus import Fault
from tkr_nexus_worker import budget, programs
from tkr_runtime.jobs.ledger import Ledger

DRIVER = Path(__file__).with_name("killable.py")
PROJECT = "tests of kills"
BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
MAX_KILLS = 6

type RunTask = Callable[[Path, float | None], tuple[int, float]]


@pytest.fixture
def environment(worker_environment, tmp_path) -> dict[str, str]:
    # On this machine a request that was cut off has long arrived after this time.
    return {
        **worker_environment,
        "TKR_NEXUS_SETTLE_TIME": "0.3",
        "TKR_DIR": str(tmp_path),
    }


@pytest.fixture(scope="module")
def driver(shared_nexus) -> Iterator[subprocess.Popen]:
    with subprocess.Popen(
        [sys.executable, DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **shared_nexus.env},
    ) as driver:
        yield driver
        driver.stdin.close()


@pytest.fixture
def run_task(driver, environment) -> RunTask:
    def run(definition: Path, kill_after: float | None) -> tuple[int, float]:
        request = {
            "definition": str(definition),
            "kill_after": kill_after,
            "environment": environment,
        }
        driver.stdin.write(json.dumps(request) + "\n")
        driver.stdin.flush()
        return tuple(json.loads(driver.stdout.readline()))

    return run


def new_task(folder: Path, function: str, inputs: dict) -> tuple[FileStorage, Path]:
    """Write the definition of a task in a new workflow, as the controller does."""
    storage = FileStorage(uuid4(), tierkreis_directory=folder)
    storage.write_metadata(Loc(""))
    for name, value in inputs.items():
        storage.write_output(Loc().N(-1), name, bytes_from_ptype(value))
    ports = {name: (Loc().N(-1), name) for name in inputs}
    definition = storage.write_worker_call_args(Loc().N(0), function, ports, ["value"])
    return storage, definition


@pytest.fixture
def submission_of(connected) -> Callable[[str], dict]:
    """Give the inputs of a task that submits a job under some name."""
    inputs = {
        "project_name": PROJECT,
        "circuits": [programs.upload_circuit(BELL, PROJECT)],
        "n_shots": [1],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    return lambda name: {**inputs, "job_name": name}


def run_until_done(
    run_task: RunTask, definition: Path, lifetime: Lifetime, rng: random.Random
) -> int:
    """Start a task until it ends, killing it at random; return the number of kills."""
    for kills in range(MAX_KILLS):
        code, seconds = run_task(definition, lifetime.moment(rng))
        if code == 0:
            if not kills:
                lifetime.seconds = seconds
            return kills
        assert code == -9
    measure(run_task, definition)
    return MAX_KILLS


def measure(run_task: RunTask, definition: Path) -> Lifetime:
    """Return how long a task takes that is not killed."""
    code, seconds = run_task(definition, None)
    assert code == 0
    return Lifetime(seconds)


def until_enough(n_tasks: int, is_enough: Callable[[], bool]) -> Iterator[int]:
    """Count tasks, more than asked for while too few were hit, as some end too soon."""
    for number in range(4 * n_tasks):
        if number >= n_tasks and is_enough():
            return
        yield number


def made_id(storage: FileStorage) -> str:
    return json.loads(storage.read_output(Loc().N(0), "value"))["id"]


@pytest.mark.parametrize("n_kills", [2, soak(80)])
def test_killed_submissions_make_one_job_each(
    connected, run_task, submission_of, tmp_path, rng, n_kills
):
    def task(name: str) -> tuple[FileStorage, Path]:
        return new_task(tmp_path, "start_execute_job", submission_of(name))

    _, definition = task("to learn how long it takes")
    lifetime = measure(run_task, definition)
    ids, kills = {}, []
    for number in until_enough(3 * n_kills // 2, lambda: sum(kills) > n_kills):
        storage, definition = task(f"{tmp_path} {number}")
        kills.append(run_until_done(run_task, definition, lifetime, rng))
        ids[f"{tmp_path} {number}"] = made_id(storage)
    assert sum(kills) > n_kills
    jobs = [(j["name"], j["id"]) for j in connected.jobs() if j["name"] in ids]
    assert sorted(jobs) == sorted(ids.items())


@pytest.mark.parametrize("n_kills", [3, soak(40)])
def test_killed_uploads_make_one_circuit_each(
    connected, run_task, tmp_path, rng, n_kills
):
    def task(name: str) -> tuple[FileStorage, Path]:
        circuit = BELL.copy()
        circuit.name = name
        inputs = {"project_name": PROJECT, "circ": circuit}
        return new_task(tmp_path, "upload_circuit", inputs)

    _, definition = task("to learn how long it takes")
    lifetime = measure(run_task, definition)
    kills = []
    for number in until_enough(3 * n_kills // 2, lambda: sum(kills) > n_kills):
        name = f"{tmp_path} {number}"
        storage, definition = task(name)
        kills.append(run_until_done(run_task, definition, lifetime, rng))
        [circuit] = qnx.circuits.get_all(name_exact=[name]).list()
        assert str(circuit.id) == made_id(storage)
    assert sum(kills) > n_kills


@pytest.mark.parametrize("n_kills", [2, soak(40)])
def test_killed_submissions_reserve_once_each(
    connected, run_task, submission_of, tmp_path, rng, n_kills
):
    shared = budget(hqc=1000, path=str(tmp_path / "ledger"))
    machine = QuantinuumConfig(device_name="H2-1", noisy_simulation=False)

    def task(name: str) -> tuple[FileStorage, Path]:
        inputs = {**submission_of(name), "backend_config": machine, "budget": shared}
        return new_task(tmp_path, "start_execute_job", inputs)

    storage, definition = task("to learn how long it takes")
    lifetime = measure(run_task, definition)
    ids, kills = {made_id(storage)}, []
    for number in until_enough(n_kills, lambda: sum(kills) >= n_kills):
        storage, definition = task(f"{tmp_path} {number}")
        kills.append(run_until_done(run_task, definition, lifetime, rng))
        ids.add(made_id(storage))
    entries = Ledger(tmp_path / "ledger").balance().entries
    assert {entry.job_id for entry in entries} == ids
    assert len(entries) == len(ids)
    assert {entry.state for entry in entries} == {"submitted"}


@pytest.fixture
def executables(environment, tmp_path) -> Iterator[Executables]:
    """Executables with preloaded processes of their own."""
    folder = tempfile.mkdtemp(prefix="tkr-")  # sockets have short paths
    own = Executables({**environment, "XDG_RUNTIME_DIR": folder}, tmp_path / "errors")
    yield own
    kill(own.servers())
    shutil.rmtree(folder)


@pytest.mark.timeout(1200)  # cold, each start of a task takes seconds
@pytest.mark.parametrize(
    ("victims", "n_tasks"),
    [
        (["executable", "fork"], 6),
        (["server"], 1),
        soak((["executable", "fork"], 40)),
        soak((["server"], 6)),
    ],
)
def test_killed_executables_submit_one_job_each(
    victims, n_tasks, connected, executables, submission_of, tmp_path, rng
):
    def task(name: str) -> tuple[FileStorage, Path]:
        return new_task(tmp_path, "start_execute_job", submission_of(name))

    executables.run(task("to start the preloaded process")[1])
    lifetime = executables.measure(task("to learn how long it takes")[1])
    ids, kills = {}, []
    # Where the preloaded process is killed, the executable goes on by itself.
    n_kills = 0 if victims == ["server"] else n_tasks // 2
    for number in until_enough(n_tasks, lambda: sum(kills) >= n_kills):
        name = f"{tmp_path} {number}"
        storage, definition = task(name)
        kills.append(executables.run_until_done(definition, lifetime, rng, victims))
        ids[name] = made_id(storage)
    assert sum(kills) >= n_kills
    jobs = [(j["name"], j["id"]) for j in connected.jobs() if j["name"] in ids]
    assert sorted(jobs) == sorted(ids.items())


@pytest.mark.parametrize("n_tasks", [3, soak(15)])
def test_killed_batches_upload_each_circuit_once(
    connected, executables, tmp_path, rng, n_tasks
):
    def task(name: str) -> tuple[FileStorage, Path, set[str]]:
        circuits = [Circuit(1, name=f"{name} {i}").measure_all() for i in range(12)]
        inputs = {"project_name": PROJECT, "circuits": circuits}
        names = {circuit.name for circuit in circuits}
        return *new_task(tmp_path, "upload_circuits", inputs), names

    executables.run(task("to start the preloaded process")[1])
    lifetime = executables.measure(task("to learn how long it takes")[1])
    kills = []
    for number in until_enough(n_tasks, lambda: sum(kills) > n_tasks // 2):
        storage, definition, names = task(f"{tmp_path} {number}")
        victims = ["executable", "fork"]
        kills.append(executables.run_until_done(definition, lifetime, rng, victims))
        uploaded = qnx.circuits.get_all(name_exact=sorted(names)).list()
        assert {circuit.annotations.name for circuit in uploaded} == names
        assert len(uploaded) == len(names)
        used = json.loads(storage.read_output(Loc().N(0), "value"))
        assert {program["id"] for program in used} == {str(c.id) for c in uploaded}
    assert sum(kills) > n_tasks // 2


def test_two_processes_of_one_task_make_one_job(executables, connected, submission):
    inputs, (storage, definition) = submission
    executables.run(definition)  # starts the preloaded process
    with connected.fault(Fault("hang", path="/api/jobs/*", times=1)):
        first = executables.start(definition)
        assert wait_until(lambda: connected.faults()[0].fired)
        second = executables.start(definition)
        errors = executables.errors
        assert wait_until(lambda: "already runs this task" in errors.read_text())
    assert (first.wait(LIMIT), second.wait(LIMIT)) == (0, 0)
    assert errors.read_text().count("running: start_execute_job") == 2
    [job] = jobs_of(connected, inputs)
    assert job["id"] == made_id(storage)


@pytest.fixture
def submission(submission_of, tmp_path):
    """A task that submits a job, and its workflow."""
    inputs = submission_of(str(tmp_path))
    return inputs, new_task(tmp_path, "start_execute_job", inputs)


def jobs_of(connected, inputs) -> list[dict]:
    return [job for job in connected.jobs() if job["name"] == inputs["job_name"]]


@pytest.mark.parametrize("state", ["QUEUED", "CANCELLING", "PAUSED"])
def test_a_task_started_again_adopts_its_living_job(
    connected, run_task, submission, state
):
    inputs, (storage, definition) = submission
    run_task(definition, None)
    connected.set_job_status(made_id(storage), state)
    first = made_id(storage)
    assert run_task(definition, None)[0] == 0
    assert made_id(storage) == first
    assert len(jobs_of(connected, inputs)) == 1


def test_a_task_started_again_adopts_its_completed_job(connected, run_task, submission):
    inputs, (storage, definition) = submission
    run_task(definition, None)
    connected.set_job_status(made_id(storage), "COMPLETED")
    assert run_task(definition, None)[0] == 0
    assert len(jobs_of(connected, inputs)) == 1


@pytest.mark.parametrize("state", ["ERROR", "CANCELLED", "TERMINATED", "DEPLETED"])
def test_a_task_started_again_replaces_a_job_that_ended_badly(
    connected, run_task, submission, state
):
    inputs, (storage, definition) = submission
    run_task(definition, None)
    first = made_id(storage)
    connected.set_job_status(first, state)
    assert run_task(definition, None)[0] == 0
    assert made_id(storage) != first
    assert len(jobs_of(connected, inputs)) == 2


def test_a_new_run_of_the_workflow_submits_anew(
    connected, run_task, submission, tmp_path
):
    inputs, (storage, definition) = submission
    run_task(definition, None)
    first = made_id(storage)
    storage.clean_graph_files()
    storage.write_metadata(Loc(""))
    for name, value in inputs.items():
        storage.write_output(Loc().N(-1), name, bytes_from_ptype(value))
    ports = {name: (Loc().N(-1), name) for name in inputs}
    storage.write_worker_call_args(Loc().N(0), "start_execute_job", ports, ["value"])
    assert run_task(definition, None)[0] == 0
    assert made_id(storage) != first
    assert len(jobs_of(connected, inputs)) == 2
