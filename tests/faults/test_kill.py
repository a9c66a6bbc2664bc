"""A task that is killed at any moment and started again makes one thing on Nexus."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import qnexus as qnx
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.types import bytes_from_ptype
from tierkreis.storage import FileStorage

from tkr_nexus_worker import programs

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


@pytest.fixture
def run_task(environment) -> Iterator[RunTask]:
    with subprocess.Popen(
        [sys.executable, DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as driver:

        def run(definition: Path, kill_after: float | None) -> tuple[int, float]:
            request = {"definition": str(definition), "kill_after": kill_after}
            driver.stdin.write(json.dumps(request) + "\n")
            driver.stdin.flush()
            return tuple(json.loads(driver.stdout.readline()))

        yield run
        driver.stdin.close()


def new_task(folder: Path, function: str, inputs: dict) -> tuple[FileStorage, Path]:
    """Write the definition of a task in a new workflow, as the controller does."""
    storage = FileStorage(uuid4(), tierkreis_directory=folder)
    storage.write_metadata(Loc(""))
    for name, value in inputs.items():
        storage.write_output(Loc().N(-1), name, bytes_from_ptype(value))
    ports = {name: (Loc().N(-1), name) for name in inputs}
    definition = storage.write_worker_call_args(Loc().N(0), function, ports, ["value"])
    return storage, definition


def run_until_done(run_task: RunTask, definition: Path, lifetime: float, rng) -> int:
    """Start a task until it ends, killing it at random; return the number of kills."""
    for kills in range(MAX_KILLS):
        code, _ = run_task(definition, rng.uniform(0.0, 1.2 * lifetime))
        if code == 0:
            return kills
        assert code == -9
    code, _ = run_task(definition, None)
    assert code == 0
    return MAX_KILLS


def made_id(storage: FileStorage) -> str:
    return json.loads(storage.read_output(Loc().N(0), "value"))["id"]


def test_killed_submissions_make_one_job_each(connected, run_task, tmp_path):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    program = programs.upload_circuit(BELL, PROJECT)

    def task(name: str) -> tuple[FileStorage, Path]:
        return new_task(
            tmp_path,
            "start_execute_job",
            {
                "project_name": PROJECT,
                "job_name": name,
                "circuits": [program],
                "n_shots": [1],
                "backend_config": QuantinuumConfig(device_name="H2-1LE"),
            },
        )

    _, definition = task("to learn how long it takes")
    _, lifetime = run_task(definition, None)
    ids, kills = {}, 0
    for number in range(150):
        storage, definition = task(f"{tmp_path} {number}")
        kills += run_until_done(run_task, definition, lifetime, rng)
        ids[f"{tmp_path} {number}"] = made_id(storage)
    assert kills > 100
    jobs = [(j["name"], j["id"]) for j in connected.jobs() if j["name"] in ids]
    assert sorted(jobs) == sorted(ids.items())


def test_killed_uploads_make_one_circuit_each(connected, run_task, tmp_path):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)

    def task(name: str) -> tuple[FileStorage, Path]:
        circuit = BELL.copy()
        circuit.name = name
        inputs = {"project_name": PROJECT, "circ": circuit}
        return new_task(tmp_path, "upload_circuit", inputs)

    _, definition = task("to learn how long it takes")
    _, lifetime = run_task(definition, None)
    kills = 0
    for number in range(60):
        name = f"{tmp_path} {number}"
        storage, definition = task(name)
        kills += run_until_done(run_task, definition, lifetime, rng)
        [circuit] = qnx.circuits.get_all(name_exact=[name]).list()
        assert str(circuit.id) == made_id(storage)
    assert kills > 40


@pytest.fixture
def submission(connected, tmp_path):
    """A task that submits a job, and its workflow."""
    inputs = {
        "project_name": PROJECT,
        "job_name": f"{tmp_path}",
        "circuits": [programs.upload_circuit(BELL, PROJECT)],
        "n_shots": [1],
        "backend_config": QuantinuumConfig(device_name="H2-1LE"),
    }
    return inputs, new_task(tmp_path, "start_execute_job", inputs)


def jobs_of(connected, inputs) -> list[dict]:
    return [job for job in connected.jobs() if job["name"] == inputs["job_name"]]


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "CANCELLING", "PAUSED"])
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
