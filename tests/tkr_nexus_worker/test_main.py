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
    ],
    ids=lambda command: str(command[-1]),
)
def test_every_command_has_help(command):
    result = call(*command, "--help")
    assert result.returncode == 0
    assert result.stdout.lower().startswith("usage:")


@pytest.mark.parametrize(
    ("content", "words"), [(None, "There is no file"), ("{}", "defines no task")]
)
def test_what_defines_no_task_is_refused_in_a_sentence(tmp_path, content, words):
    definition = tmp_path / "definition"
    if content is not None:
        definition.write_text(content)
    result = call(EXECUTABLES / "tkr_nexus_worker", str(definition))
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert str(definition) in line
    assert words in line
    assert line.endswith("people use the command tkr-nexus.")


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


def test_the_executable_imports_little_before_it_hands_a_task_over():
    code = (
        "import sys; from tkr_nexus_worker import main; "
        "from tkr_runtime.tasks.preloaded import client; "
        "print({'pydantic', 'subprocess', 'tierkreis'} & {*sys.modules})"
    )
    assert call(sys.executable, "-c", code).stdout == "set()\n"
