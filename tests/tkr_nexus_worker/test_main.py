"""The executable as executors and people call it."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

EXECUTABLES = Path(sys.executable).parent
PROJECT = Path(__file__).parents[2]


def call(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        arguments, capture_output=True, text=True, timeout=60, cwd=PROJECT
    )


@pytest.mark.parametrize("name", ["tkr_nexus_worker", "tkr-nexus-worker"])
def test_without_arguments_the_worker_tells_its_usage_and_succeeds(name):
    result = call(EXECUTABLES / name)
    assert result.returncode == 0
    assert "DEFINITION" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        [EXECUTABLES / "tkr_nexus_worker"],
        [EXECUTABLES / "tkr-nexus"],
        [sys.executable, "-m", "local_nexus"],
        [sys.executable, "benchmarks/submit_poll.py"],
        [sys.executable, "examples/nexus_polling.py"],
        [sys.executable, "examples/embed_in_graph.py"],
        [sys.executable, "examples/custom_submit.py"],
    ],
    ids=lambda command: str(command[-1]),
)
def test_every_command_has_help(command):
    result = call(*command, "--help")
    assert result.returncode == 0
    assert result.stdout.lower().startswith("usage:")


def test_a_definition_that_does_not_exist_is_an_error():
    result = call(EXECUTABLES / "tkr_nexus_worker", "/nowhere/definition")
    assert result.returncode != 0
    assert "/nowhere/definition" in result.stderr


WORKFLOW = """
import sys
from tkr_runtime.workflows.progress import show_progress
from tierkreis.storage import FileStorage
from pathlib import Path
from uuid import UUID

storage = FileStorage(UUID(sys.argv[2]), tierkreis_directory=Path(sys.argv[1]))
storage.logs_path.parent.mkdir(parents=True)
with show_progress(storage):
    storage.logs_path.write_text("noise\\nnexus: uploaded 'x'\\nnexus: QUEUED\\n")
"""


def run_with_stderr(stderr: int, folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", WORKFLOW, folder, str(uuid4())],
        stderr=stderr,
        check=True,
        timeout=60,
        env={**os.environ, "TERM": "xterm"},
    )


def test_progress_is_shown_at_a_terminal(tmp_path):
    ours, theirs = pty.openpty()
    run_with_stderr(theirs, tmp_path)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert "uploaded 'x'" in shown
    assert "QUEUED" in shown
    assert "noise" not in shown


def test_progress_is_quiet_elsewhere(tmp_path):
    with (tmp_path / "stderr").open("w+") as stderr:
        run_with_stderr(stderr.fileno(), tmp_path)
        stderr.seek(0)
        assert stderr.read() == ""
