"""A lock in the folder of its node tells a task that runs from one that was killed."""

import errno
import fcntl
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from tests.helpers.waiting import wait_until
from tierkreis.controller.data.graph import Func
from tierkreis.controller.data.location import Loc
from tierkreis.executor import ShellExecutor
from tierkreis.storage import FileStorage

from tkr_runtime.tasks import concurrency
from tkr_runtime.tasks.task_lock import hold_task_lock, read_owner
from tkr_runtime.workflows import liveness
from tkr_runtime.workflows.controller_lock import control_workflow
from tkr_runtime.workflows.liveness import LivenessMonitor, live_tasks
from tkr_runtime.workflows.recovery import prepare_to_resume

TASK = Loc().N(1)
# It does not name its task on its command line, as if it were on another machine.
HOLDER = """
import sys
from pathlib import Path
from tkr_runtime.tasks import concurrency
from tkr_runtime.tasks.task_lock import hold_task_lock
with hold_task_lock(Path(sys.stdin.readline().strip()), 10.0):
    print("claimed", flush=True)
    sys.stdin.readline()
"""


class ElsewhereExecutor:
    """Stands for an executor that sends tasks to other machines."""


@pytest.fixture
def storage(tmp_path, monkeypatch) -> FileStorage:
    """A workflow with a task that was started and has not finished."""
    monkeypatch.setattr("tkr_runtime.workflows.recovery._SETTLE_SECONDS", 0.0)
    storage = FileStorage(uuid4(), tierkreis_directory=tmp_path)
    storage.write_metadata(Loc(""))
    storage.write_node_def(TASK, Func("nexus_worker.get_results", {}))
    return storage


@pytest.fixture
def hold(storage) -> Iterator[Callable[[], subprocess.Popen]]:
    """Start a process that runs the task."""
    holders = []

    def start() -> subprocess.Popen:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(holder)
        holder.stdin.write(f"{storage.workflow_dir / TASK}\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "claimed\n"
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


def kill(holder: subprocess.Popen) -> None:
    holder.kill()
    holder.wait()


def test_a_claim_names_its_process_and_ends_with_it(storage, hold):
    holder = hold()
    owner = read_owner(storage.workflow_dir / TASK)
    assert (owner.host, owner.pid) == (platform.node(), holder.pid)
    assert owner.is_alive
    kill(holder)
    assert not read_owner(storage.workflow_dir / TASK).is_alive


def test_a_claim_of_a_task_that_is_done_leaves_nothing(tmp_path):
    with hold_task_lock(tmp_path, 1.0) as has_waited:
        assert not has_waited
        assert read_owner(tmp_path).is_alive
    assert list(tmp_path.iterdir()) == []


def test_who_waits_too_long_for_a_task_is_told_which_process_has_it(storage, hold):
    holder = hold()
    folder = storage.workflow_dir / TASK
    with (
        pytest.raises(TimeoutError, match=f"process {holder.pid} on "),
        hold_task_lock(folder, 0.1),
    ):
        pass


def test_who_waits_for_a_task_is_told_so(storage, hold, caplog):
    holder = hold()
    # In a fork it gives its place to others first.
    concurrency.hold_slot(holder.kill)
    with hold_task_lock(storage.workflow_dir / TASK, 30.0) as has_waited:
        assert has_waited
    assert f"already runs this task (process {holder.pid} on " in caplog.text


def test_where_there_are_no_locks_tasks_run_without(tmp_path, monkeypatch):
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with hold_task_lock(tmp_path, 1.0) as has_waited:
        assert not has_waited
        assert not read_owner(tmp_path).is_alive


def test_a_folder_that_cannot_be_written_to_does_not_keep_a_task_from_running(tmp_path):
    with hold_task_lock(tmp_path / "missing", 1.0) as has_waited:
        assert not has_waited


def test_a_disk_that_is_full_does_not_keep_a_task_from_running(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with hold_task_lock(tmp_path, 1.0):
            assert read_owner(tmp_path).is_alive
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_resumed_workflow_leaves_a_task_to_the_process_that_claims_it(
    storage, hold, caplog
):
    caplog.set_level("INFO")
    executor = ElsewhereExecutor()
    holder = hold()
    prepare_to_resume(storage, executor)
    assert storage.is_node_started(TASK)
    assert f"still running: {TASK} (process {holder.pid} on " in caplog.text
    kill(holder)
    prepare_to_resume(storage, executor)
    assert not storage.is_node_started(TASK)


def test_a_task_without_a_claim_is_found_by_its_process_alone(storage):
    assert live_tasks(storage) == set()
    argument = f"{storage.workflow_id}/{TASK}/definition"
    process = subprocess.Popen([sys.executable, "-c", "input()", argument], stdin=-1)
    assert wait_until(lambda: live_tasks(storage) == {TASK})
    process.communicate(b"\n")
    assert live_tasks(storage) == set()


@pytest.fixture
def watch(storage, monkeypatch) -> LivenessMonitor:
    monkeypatch.setattr(liveness, "_PATIENCE_ELSEWHERE_SECONDS", 0.0)
    return LivenessMonitor(storage, ElsewhereExecutor())


def test_a_task_killed_elsewhere_is_noticed_where_locks_are_shared(
    storage, hold, watch
):
    with control_workflow(storage):
        holder = hold()
        for _ in range(3):
            watch.mark_dead([TASK])
        assert not storage.node_has_error(TASK)
        kill(holder)
        watch.mark_dead([TASK])
        assert not storage.node_has_error(TASK)
        watch.mark_dead([TASK])
        assert storage.node_has_error(TASK)


def test_a_task_elsewhere_that_did_not_see_the_controller_is_not_judged(
    storage, hold, watch
):
    # As on a file system that keeps locks to one machine.
    kill(hold())
    for _ in range(3):
        watch.mark_dead([TASK])
    assert not storage.node_has_error(TASK)


def test_a_task_that_waits_to_be_started_elsewhere_is_not_judged(storage, watch):
    for _ in range(3):
        watch.mark_dead([TASK])
    assert not storage.node_has_error(TASK)


def test_a_task_here_is_judged_without_a_claim(storage):
    watch = LivenessMonitor(storage, ShellExecutor(None, storage.workflow_dir))
    for _ in range(2):
        watch.mark_dead([TASK])
    assert storage.node_has_error(TASK)
