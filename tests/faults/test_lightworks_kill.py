"""A task that is killed at any moment and started again submits each sampler once."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import EXECUTABLES
from tests.faults.executables import Executables
from tests.faults.test_kill import (
    DRIVER,
    measure,
    new_task,
    run_until_done,
    until_enough,
)
from tests.helpers.photonic_workflows import QPU, identity
from tests.helpers.preloaded import kill
from tests.helpers.repetition import soak
from tierkreis.controller.data.location import Loc
from tierkreis.storage import FileStorage

SAMPLERS = [identity(2, 1, n_samples=1), identity(3, 1, n_samples=1)]


@pytest.fixture
def environment(photonic_environment) -> dict[str, str]:
    # On this machine a request that was cut off has long arrived after this time.
    return {**photonic_environment, "TKR_LIGHTWORKS_SETTLE_TIME": "0.3"}


@pytest.fixture(scope="module")
def driver() -> Iterator[subprocess.Popen]:
    with subprocess.Popen(
        [sys.executable, DRIVER, "lightworks_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        yield driver
        driver.stdin.close()


@pytest.fixture
def run_task(driver, environment):
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


def task(folder: Path, name: str) -> tuple[FileStorage, Path]:
    inputs = {"qpu_name": QPU, "job_name": name, "samplers": SAMPLERS}
    return new_task(folder, "submit_jobs", inputs)


def made_ids(storage: FileStorage) -> list[int]:
    value = json.loads(storage.read_output(Loc().N(0), "value"))
    return [job["job_id"] for job in value]


def ids_called(artemis, name: str) -> list[int]:
    return [it["id"] for it in artemis.jobs() if it["name"].startswith(f"{name}_")]


@pytest.mark.parametrize("listing", ["names", "ids"])
@pytest.mark.parametrize("n_kills", [2, soak(80)])
def test_killed_submissions_make_one_job_of_each_sampler(
    artemis, run_task, tmp_path, rng: random.Random, n_kills, listing
):
    artemis.set_listing(listing)
    _, definition = task(tmp_path, "to learn how long it takes")
    lifetime = measure(run_task, definition)
    kills, doubles = [], []
    for number in until_enough(3 * n_kills // 2, lambda: sum(kills) > n_kills):
        name = f"{tmp_path.name} {number}"
        storage, definition = task(tmp_path, name)
        kills.append(run_until_done(run_task, definition, lifetime, rng))
        if ids_called(artemis, name) != made_ids(storage):
            doubles.append((name, ids_called(artemis, name), made_ids(storage)))
    assert sum(kills) > n_kills
    assert doubles == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("n_tasks", [2, soak(40)])
def test_killed_executables_make_one_job_of_each_sampler(
    artemis, environment, tmp_path, rng, n_tasks
):
    folder = tempfile.mkdtemp(prefix="tkr-")  # sockets have short paths
    executables = Executables(
        {**environment, "XDG_RUNTIME_DIR": folder},
        tmp_path / "errors",
        EXECUTABLES / "tkr_lightworks_worker",
    )
    try:
        executables.run(task(tmp_path, "to start the preloaded process")[1])
        lifetime = executables.measure(task(tmp_path, "to learn how long")[1])
        kills = []
        for number in until_enough(n_tasks, lambda: sum(kills) >= n_tasks // 2):
            name = f"{tmp_path.name} {number}"
            storage, definition = task(tmp_path, name)
            victims = ["executable", "fork"]
            kills.append(executables.run_until_done(definition, lifetime, rng, victims))
            assert ids_called(artemis, name) == made_ids(storage)
        assert sum(kills) >= n_tasks // 2
    finally:
        kill(executables.servers())
        shutil.rmtree(folder)
