"""Ctrl-C during a workflow keeps its job and names it, or cancels it if asked to."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from tests.conftest import in_every_way
from tests.helpers import control_workflow
from tests.helpers.waiting import wait_until
from tierkreis.controller.data.location import Loc
from tierkreis.storage import FileStorage

from local_nexus import Fault, LocalNexus, Progress
from tkr_nexus_worker import InvalidInputError, run
from tkr_runtime.workflows.interrupt import handle_interrupt

DRIVER = Path(control_workflow.__file__)
LIMIT = 200
CTRL_C = b"\x03"
SUBMIT = {"method": "POST", "path": "/api/jobs/*"}


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

    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def shown(self) -> str:
        """What was shown so far."""
        return self._shown.decode()

    def screen(self) -> str:
        """Everything that was shown up to the end of the process and its workers."""
        self.process.wait(LIMIT)
        self._reader.join()
        os.close(self.master)
        return self._shown.decode()


@pytest.fixture
def storage(tmp_path) -> FileStorage:
    return FileStorage(uuid4(), tierkreis_directory=tmp_path / "checkpoints")


@pytest.fixture
def start(storage, worker_environment) -> Callable[..., AtTerminal]:
    """Run the graph at a terminal."""
    arguments = ["run", "nexus", storage.tkr_dir, str(storage.workflow_id)]
    return lambda *options: AtTerminal([*arguments, *options], worker_environment)


def stop_when(
    controller: AtTerminal, nexus: LocalNexus, condition: Callable[[], object]
) -> Callable[[], tuple[dict, str]]:
    """Type Ctrl-C as soon as a condition holds.

    Returns a function that waits for the end, and returns the one job that there is
    then and what was shown.
    """
    before = {job["id"] for job in nexus.jobs()}
    assert wait_until(lambda: condition() or controller.has_ended(), LIMIT)
    assert not controller.has_ended(), controller.screen()
    controller.type(CTRL_C)

    def finish() -> tuple[dict, str]:
        screen = controller.screen()
        assert "KeyboardInterrupt" in screen
        [job] = [job for job in nexus.jobs() if job["id"] not in before]
        return job, screen

    return finish


def stop_while_the_job_waits(nexus, storage, start, on_interrupt):
    """Run the graph until its job waits in the queue, and type Ctrl-C."""
    nexus.progress = Progress.seconds(queued=10_000.0)
    # The loop is started once the job is known to the workflow.
    loop = storage.debug_path / "nodes"
    job, screen = stop_when(start(on_interrupt), nexus, loop.exists)()
    assert f"job 'a job' ({job['id']})" in screen
    assert f"tkr-nexus resume {storage.workflow_id} --directory" in screen
    return job, screen


def resume_on_the_command_line(storage, environment) -> None:
    command = Path(sys.executable).with_name("tkr-nexus")
    resumed = subprocess.run(
        [command, "resume", str(storage.workflow_id), "--directory", storage.tkr_dir],
        capture_output=True,
        text=True,
        env=environment,
        timeout=LIMIT,
    )
    assert resumed.returncode == 0, resumed.stderr
    assert len(json.loads(storage.read_output(Loc(), "value"))) == 2


@in_every_way
def test_ctrl_c_keeps_the_job_and_names_the_commands(
    nexus, storage, start, worker_environment
):
    job, screen = stop_while_the_job_waits(nexus, storage, start, "keep")
    assert job["status"] == "QUEUED"
    assert f"tkr-nexus cancel {job['id']}" in screen
    nexus.progress = Progress.immediate()
    jobs = len(nexus.jobs())
    resume_on_the_command_line(storage, worker_environment)
    assert len(nexus.jobs()) == jobs


def test_ctrl_c_cancels_the_job_if_asked_to(nexus, storage, start):
    job, screen = stop_while_the_job_waits(nexus, storage, start, "cancel")
    assert job["status"] == "CANCELLED"
    assert "is now in the state CANCELLED" in screen


@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_during_the_submission_loses_no_job(
    when, nexus, storage, start, worker_environment
):
    nexus.add_fault(Fault("hang", when=when, times=1, **SUBMIT))
    controller = start("keep")
    finish = stop_when(controller, nexus, lambda: nexus.faults()[0].fired)
    controller.process.wait(LIMIT)
    nexus.clear_faults()
    job, screen = finish()
    assert "A task is submitting a job right now and will finish that" in screen
    resume_on_the_command_line(storage, worker_environment)
    assert nexus.jobs(1)[-1]["id"] == job["id"]


def test_ctrl_c_during_the_submission_cancels_the_job_if_asked_to(
    nexus, storage, start
):
    nexus.progress = Progress.seconds(queued=10_000.0)
    nexus.add_fault(Fault("hang", when="after", times=1, **SUBMIT))
    controller = start("cancel")
    finish = stop_when(controller, nexus, lambda: nexus.faults()[0].fired)
    assert wait_until(lambda: "being submitted" in controller.shown())
    nexus.clear_faults()
    job, screen = finish()
    assert job["status"] == "CANCELLED"
    assert "is now in the state CANCELLED" in screen


def test_ctrl_c_waits_for_a_submission_that_would_end_with_the_process(
    nexus, storage, start
):
    nexus.progress = Progress.seconds(queued=10_000.0)
    nexus.add_fault(Fault("hang", when="after", times=1, **SUBMIT))
    controller = start("keep", "in-process")
    finish = stop_when(controller, nexus, lambda: nexus.faults()[0].fired)
    assert wait_until(lambda: "being submitted" in controller.shown())
    nexus.clear_faults()
    job, screen = finish()
    assert f"tkr-nexus cancel {job['id']}" in screen


def test_a_second_ctrl_c_does_not_wait_for_the_submission(nexus, storage, start):
    nexus.add_fault(Fault("hang", when="after", times=1, **SUBMIT))
    controller = start("cancel")
    finish = stop_when(controller, nexus, lambda: nexus.faults()[0].fired)
    assert wait_until(lambda: "being submitted" in controller.shown())
    controller.type(CTRL_C)
    controller.process.wait(LIMIT)
    nexus.clear_faults()
    job, screen = finish()
    assert job["status"] != "CANCELLED"
    assert "A task is submitting a job right now and will finish that" in screen
    assert f"tkr-nexus resume {storage.workflow_id} --directory" in screen


@pytest.fixture
def ctrl_c_interrupts():
    """As in a program; the processes of a parallel test run ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_that_becomes_another_error_is_still_ctrl_c(
    ctrl_c_interrupts, node_storage, capsys
):
    def write() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            # As pydantic does in the middle of writing JSON.
            raise ValueError("cannot be serialized") from error

    with pytest.raises(KeyboardInterrupt), handle_interrupt(node_storage, "keep"):
        write()
    assert f"resume {node_storage.workflow_id}" in capsys.readouterr().err


def test_an_unknown_wish_for_interrupts_is_refused(storage):
    graph = control_workflow.nested()
    with pytest.raises(InvalidInputError, match="on_interrupt is 'ask'"):
        run(graph, 1, storage, None, on_interrupt="ask")
