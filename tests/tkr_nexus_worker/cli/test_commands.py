"""The commands for workflows and jobs, as a person calls them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.builder import Graph
from tierkreis.exceptions import TierkreisError
from tierkreis.executor import ShellExecutor
from tierkreis.models import TKR
from tierkreis.storage import FileStorage

from local_nexus import Progress
from tkr_nexus_worker import WorkflowFailedError, programs, run
from tkr_nexus_worker.graphs import upload_circuit_graph
from tkr_nexus_worker.jobs import start_execute_job

COMMAND = Path(sys.executable).with_name("tkr-nexus")
BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()


def tkr_nexus(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=200,
    )


@pytest.fixture
def unfinished(tmp_path) -> FileStorage:
    """A workflow that died when only its end was missing."""
    g = Graph(TKR[int], TKR[int])
    storage = FileStorage(UUID(int=0xAB << 120), tierkreis_directory=tmp_path)
    executor = ShellExecutor(None, storage.workflow_dir)
    run(g.finish_with_outputs(g.inputs), 7, storage, executor)
    storage.delete(storage.workflow_dir / "-" / "_done")
    return storage


@pytest.mark.parametrize("executor", ["uv", "shell"])
def test_resume_takes_the_start_of_an_id_and_says_where_the_outputs_are(
    executor, unfinished
):
    options = ["--directory", unfinished.tkr_dir, "--executor", executor]
    result = tkr_nexus("resume", "ab", *options)
    assert result.returncode == 0, result.stderr
    folder = Path(result.stdout.split()[-1])
    assert (folder / "value").read_text() == "7"


@pytest.mark.parametrize("lacks", ["a server", "a login"])
def test_resume_warns_at_once_of_what_its_tasks_need(
    lacks, nexus, tmp_path, monkeypatch
):
    without = {"a server": {"NEXUS_PORT": "1"}, "a login": {"NEXUS_TOKEN_PATH": "/no"}}
    for name, value in (nexus.env | without[lacks]).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TKR_NEXUS_RETRY_TIME", "0.1")
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
    executor = ShellExecutor(None, storage.workflow_dir)
    graph = upload_circuit_graph()
    with pytest.raises(WorkflowFailedError):
        run(graph, {"project_name": "p", "circuit": BELL}, storage, executor)
    options = ["--directory", tmp_path, "--executor", "shell"]
    result = tkr_nexus("resume", storage.workflow_id, *options)
    lines = result.stderr.splitlines()
    [warning] = [line for line in lines if line.startswith("Warning: ")]
    assert lines.index(warning) <= 2
    message = {"a server": "no answer from Nexus", "a login": "`tkr-nexus login`"}
    assert message[lacks] in warning


OWN_WORKER = """
import json, os, sys
from pathlib import Path

folder = Path(os.environ["TKR_DIR"])
call = json.loads((folder / sys.argv[1]).read_text())
value = json.loads((folder / call["inputs"]["value"]).read_text())
(folder / call["outputs"]["value"]).write_text(str(2 * value))
(folder / call["done_path"]).touch()
"""
OWN_SCRIPT = """#!/bin/bash
echo $((2 * $(cat "$input_value_file"))) > "$output_value_file"
"""


class Double(NamedTuple):
    """The stub of a task of the user's own worker."""

    value: TKR[int]

    @staticmethod
    def out() -> type[TKR[int]]:
        return TKR[int]

    @property
    def namespace(self) -> str:
        return "own_worker"


@pytest.fixture
def unfinished_own(tmp_path) -> FileStorage:
    """A workflow that was killed before a task of the user's own worker started."""
    g = Graph(TKR[int], TKR[int])
    doubled = g.task(Double(g.inputs))
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path / "checkpoints")
    with pytest.raises(TierkreisError):
        run(
            g.finish_with_outputs(doubled),
            21,
            storage,
            ShellExecutor(None, storage.workflow_dir),
        )
    return storage


def make_registry(folder: Path, executor: str) -> Path:
    worker = folder / "own_worker"
    worker.mkdir(parents=True)
    if executor != "shell":
        (worker / "main.py").write_text(OWN_WORKER)
        project = '[project]\nname = "own-worker"\nversion = "1"\n'
        (worker / "pyproject.toml").write_text(project)
    else:
        (worker / "main.sh").write_text(OWN_SCRIPT)
        (worker / "main.sh").chmod(0o755)
    return folder


@pytest.mark.parametrize("executor", ["uv", "warm", "shell"])
def test_resume_takes_workers_of_the_user_from_registries(
    executor, unfinished_own, tmp_path, monkeypatch
):
    monkeypatch.setenv("TKR_WORKER_WARM_IDLE", "5")
    directory = unfinished_own.tkr_dir
    options = ["--directory", directory, "--executor", executor]
    unknown = tkr_nexus("resume", unfinished_own.workflow_id, *options)
    [line] = unknown.stderr.splitlines()
    assert "Cannot start the worker 'own_worker'" in line
    assert "--registry" in line
    (tmp_path / "empty").mkdir()
    for registry in (tmp_path / "empty", make_registry(tmp_path / "own", executor)):
        options += ["--registry", registry]
    result = tkr_nexus("resume", unfinished_own.workflow_id, *options)
    assert result.returncode == 0, result.stderr
    folder = Path(result.stdout.split()[-1])
    assert (folder / "value").read_text().strip() == "42"
    assert "starts cold" not in unfinished_own.logs_path.read_text()
    debug = unfinished_own.workflow_dir / "debug" / "executors"
    started = "".join(file.read_text() for file in debug.rglob("*") if file.is_file())
    assert ("/preloaded/launcher.py" in started) == (executor == "warm")


def test_resume_refuses_an_id_that_is_unknown_or_not_unique(unfinished, refusal):
    directory = unfinished.tkr_dir
    options = ["--directory", directory]
    unknown = refusal("resume", "cd", *options, exit_code=2)
    assert f"There is no workflow 'cd' in {directory}" in unknown
    (directory / str(UUID(int=0xAC << 120))).mkdir()
    assert "2 workflows" in refusal("resume", "a", *options, exit_code=2)


def test_resume_refuses_a_folder_without_a_run(tmp_path, refusal):
    workflow = uuid4()
    (tmp_path / str(workflow)).mkdir()
    said = refusal("resume", workflow, "--directory", tmp_path, exit_code=2)
    assert "contains no run" in said


def test_cancel_cancels_a_waiting_job_and_tells_its_state(connected, command):
    connected.progress = Progress.seconds(queued=1000.0)
    program = programs.upload_circuit(BELL, "tests of commands")
    job = start_execute_job(
        "tests of commands",
        "a job",
        [program],
        [10],
        QuantinuumConfig(device_name="H2-1LE"),
    )
    result = tkr_nexus("cancel", job.id)
    assert result.returncode == 0, result.stderr
    assert "'a job'" in result.stdout
    assert "CANCELLED" in result.stdout
    assert "CANCELLED" in command("cancel", job.id).stdout


@pytest.mark.parametrize("job", ["no such job", uuid4()])
def test_cancel_of_an_unknown_job_fails_in_one_line(connected, job, refusal):
    assert refusal("cancel", job, exit_code=2).startswith("There is no job")
