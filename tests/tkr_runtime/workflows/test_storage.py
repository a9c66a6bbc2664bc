"""Directories of workflows that are full, read-only, relative or oddly named."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pytket.circuit import Circuit
from quantinuum_schemas.models.backend_config import QuantinuumConfig
from tierkreis.builder import Graph
from tierkreis.builtins import tkr_id
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.types import bytes_from_ptype
from tierkreis.executor import MultipleExecutor, ShellExecutor
from tierkreis.models import TKR
from tierkreis.storage import FileStorage

from tkr_nexus_worker import (
    CheckpointError,
    InvalidInputError,
    NexusWorkerError,
    programs,
    run,
    uv_executor,
)
from tkr_nexus_worker.graphs import upload_circuit_graph
from tkr_nexus_worker.jobs.submit import start_execute_job

BELL = Circuit(2, name="bell").H(0).CX(0, 1).measure_all()
PROJECT = "tests of directories"
UPLOAD = {"project_name": PROJECT, "circuit": BELL}


@pytest.fixture
def environment(worker_environment, monkeypatch) -> None:
    for name, value in worker_environment.items():
        monkeypatch.setenv(name, value)


def identity():
    g = Graph(TKR[str], TKR[str])
    return g.finish_with_outputs(g.task(tkr_id(g.inputs)))


def shell_executor(storage: FileStorage) -> ShellExecutor:
    return ShellExecutor(None, storage.workflow_dir, log_env_in_debug=False)


@pytest.mark.parametrize("name", ["with space", "$HOME & (more)"])
def test_uv_executor_works_in_a_directory_with_characters_special_to_shells(
    name, environment, tmp_path
):
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path / name)
    ref = run(upload_circuit_graph(), UPLOAD, storage, uv_executor(storage))
    assert ref["annotations"]["name"] == "bell"
    assert "uploaded circuit" in storage.logs_path.read_text()


def test_other_executors_refuse_such_a_directory_before_anything_is_sent(
    environment, nexus, tmp_path
):
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path / "with space")
    executor = MultipleExecutor(shell_executor(storage), {}, {})
    with pytest.raises(InvalidInputError, match="uv_executor"):
        run(upload_circuit_graph(), UPLOAD, storage, executor)
    assert nexus.requests() == []
    assert not storage.workflow_dir.exists()


@pytest.mark.parametrize("make_executor", [uv_executor, shell_executor])
def test_a_relative_directory_works(
    make_executor, environment, nexus, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    storage = FileStorage(uuid4(), tierkreis_directory=Path("checkpoints"))
    ref = run(upload_circuit_graph(), UPLOAD, storage, make_executor(storage))
    assert ref["annotations"]["name"] == "bell"


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting is not permitted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_read_only_directory_is_refused_in_one_sentence(environment, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    storage = FileStorage(uuid4(), tierkreis_directory=small_disk)
    with pytest.raises(CheckpointError, match=r"written .*\(Read-only file system\)"):
        run(identity(), "text", storage, shell_executor(storage))


@pytest.mark.parametrize("size", [150_000, 300_000])
def test_a_disk_that_gets_full_is_named(size, environment, small_disk):
    storage = FileStorage(uuid4(), tierkreis_directory=small_disk)
    with pytest.raises(NexusWorkerError, match="No space left on device"):
        run(identity(), size * "a", storage, shell_executor(storage))


@pytest.fixture
def job(connected):
    program = programs.upload_circuit(BELL, PROJECT)
    config = QuantinuumConfig(device_name="H2-1LE")
    return start_execute_job(PROJECT, "a job", [program], [10], config)


def test_an_output_that_cannot_be_written_is_named_with_its_job(
    job, worker_environment, tmp_path
):
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
    storage.write_metadata(Loc(""))
    storage.write_output(Loc().N(-1), "execute_ref", bytes_from_ptype(job))
    definition = storage.write_worker_call_args(
        Loc().N(0),
        "is_running",
        {"execute_ref": (Loc().N(-1), "execute_ref")},
        ["value"],
    )
    node = storage.workflow_dir / "-.N0"
    output = node / "outputs" / "value"
    output.symlink_to("/dev/full")
    worker = Path(sys.executable).with_name("tkr_nexus_worker")
    result = subprocess.run(
        [worker, definition],
        capture_output=True,
        text=True,
        env={**worker_environment, "TKR_DIR": str(tmp_path)},
    )
    assert result.returncode == 1
    message = (node / "_message").read_text()
    assert f"cannot be written to {output} (No space left on device)" in message
    assert str(job.id) in message
    assert not output.is_symlink()
