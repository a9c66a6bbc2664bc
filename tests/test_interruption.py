"""Ctrl-C during a workflow keeps its job and names it, or cancels it if asked to."""

import json
import os
import pty
import runpy
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import pytest
from tierkreis.controller.data.location import Loc
from tierkreis.storage import FileStorage

from local_nexus import Progress
from tkr_nexus_worker import InvalidInputError, run

DRIVER = Path(__file__).with_name("control_workflow.py")
LIMIT = 200
CTRL_C = b"\x03"


class AtTerminal:
    """A controller at a terminal of its own, where Ctrl-C can be typed."""

    def __init__(self, arguments: list, environment: dict) -> None:
        self.master, terminal = pty.openpty()
        # A new session whose terminal is this one, as a shell in a window has.
        code = (
            "import fcntl, os, sys, termios; "
            "fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, DRIVER, *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**environment, "COLUMNS": "400"},
            start_new_session=True,
        )
        os.close(terminal)

        self._shown = b""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self._shown += os.read(self.master, 10_000)
            except OSError:  # Linux's sign for the end of a terminal
                return

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def screen(self) -> str:
        """Everything that was shown up to the end of the process and its workers."""
        self.process.wait(LIMIT)
        self._reader.join()
        os.close(self.master)
        return self._shown.decode()


@pytest.fixture
def storage(tmp_path) -> FileStorage:
    return FileStorage(uuid4(), tierkreis_directory=tmp_path / "checkpoints")


def stop_while_the_job_waits(nexus, storage, environment, on_interrupt):
    """Run the graph until its job waits in the queue, and type Ctrl-C."""
    nexus.progress = Progress.seconds(queued=10_000.0)
    before = {job["id"] for job in nexus.jobs()}
    arguments = ["run", "nexus", storage.tkr_dir, str(storage.workflow_id)]
    controller = AtTerminal([*arguments, on_interrupt], environment)
    deadline = time.monotonic() + LIMIT
    # The loop is started once the job is known to the workflow.
    while not (storage.debug_path / "nodes").exists():
        assert controller.process.poll() is None, controller.screen()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    controller.type(CTRL_C)
    screen = controller.screen()
    assert "KeyboardInterrupt" in screen
    [job] = [job for job in nexus.jobs() if job["id"] not in before]
    assert f"job 'a job' ({job['id']})" in screen
    assert f"tkr-nexus resume {storage.workflow_id} --directory" in screen
    return job, screen


def test_ctrl_c_keeps_the_job_and_names_the_commands(
    nexus, storage, worker_environment
):
    job, screen = stop_while_the_job_waits(nexus, storage, worker_environment, "keep")
    assert job["status"] == "QUEUED"
    assert f"tkr-nexus cancel {job['id']}" in screen
    nexus.progress = Progress.immediate()
    jobs = len(nexus.jobs())
    command = Path(sys.executable).with_name("tkr-nexus")
    resumed = subprocess.run(
        [command, "resume", str(storage.workflow_id), "--directory", storage.tkr_dir],
        capture_output=True,
        text=True,
        env=worker_environment,
        timeout=LIMIT,
    )
    assert resumed.returncode == 0, resumed.stderr
    assert len(json.loads(storage.read_output(Loc(), "value"))) == 2
    assert len(nexus.jobs()) == jobs


def test_ctrl_c_cancels_the_job_if_asked_to(nexus, storage, worker_environment):
    job, screen = stop_while_the_job_waits(nexus, storage, worker_environment, "cancel")
    assert job["status"] == "CANCELLED"
    assert "is now in the state CANCELLED" in screen


def test_an_unknown_wish_for_interrupts_is_refused(storage):
    graph = runpy.run_path(str(DRIVER))["nested"]()
    with pytest.raises(InvalidInputError, match="on_interrupt is 'ask'"):
        run(graph, 1, storage, None, on_interrupt="ask")
