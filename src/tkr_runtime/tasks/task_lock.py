"""A lock in the folder of its node shows which process runs a task.

A process sees others on its own machine alone. It sees a lock wherever the file system
of the workflow shares locks. So the lock distinguishes a task that runs on another
machine from one that was killed there, and keeps two processes from running one task.
Some file systems have no locks, or keep them to one machine. The owner of a task
therefore records whether it could see the lock of the controller.
"""

import json
import logging
import os
import platform
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tkr_runtime.locks import is_locked, try_lock
from tkr_runtime.tasks import concurrency

logger = logging.getLogger(__name__)

CONTROLLER_FILE = "_controller"
"""The file of a workflow that its controller holds locked."""

LONGEST_TASK_SECONDS = 30 * 3600.0
"""How long a task of a user's worker may run in another process, as one of a cloud."""

_OWNER_FILE = "_claim"
_POLL_SECONDS = 0.2
# Reading the owner of a task takes its lock for an instant, which is not worth a line.
_SECONDS_UNTIL_LOGGED = 1.0


@dataclass(frozen=True)
class TaskOwner:
    """The process that runs a task, or ran it last.

    :param host: Its machine; empty where that is not known.
    :param pid: Its process id on that machine.
    :param is_alive: Whether it holds the lock now, as seen from here.
    :param shares_locks: Whether it could see the lock of the controller, so that both
        machines see each other's locks.
    """

    host: str
    pid: int
    is_alive: bool
    shares_locks: bool

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.host else "unknown"


@contextmanager
def hold_task_lock(folder: Path, timeout: float) -> Generator[bool]:
    """Keep other processes from running a task while the body runs.

    Where there are no locks, as in a read-only folder, the body runs without one.

    :param folder: The folder of the node.
    :param timeout: How long to wait for another process that runs the task, in
        seconds.
    :returns: Whether another process ran the task and has ended in the meantime.
    :raises TimeoutError: If it still runs after that time.
    """
    path = folder / _OWNER_FILE
    try:
        file = path.open("a+")
    except OSError:
        yield False
        return
    with file:
        has_waited = _wait_for_lock(file, timeout)
        with suppress(OSError):
            _write_owner(file)
        yield has_waited
        # A process that waits has the file open, and finds the task done.
        with suppress(OSError):
            path.unlink()


def read_owner(folder: Path) -> TaskOwner | None:
    """Read which process runs a task, or ran it last.

    :param folder: The folder of the node.
    :returns: The process; None if the task never ran or is done.
    """
    try:
        with (folder / _OWNER_FILE).open() as file:
            is_alive = is_locked(file)
            text = file.read()
    except OSError:
        return None
    try:
        content = json.loads(text)
    except ValueError:  # just being written
        content = {}
    return TaskOwner(
        host=content.get("host", ""),
        pid=content.get("pid", 0),
        is_alive=is_alive,
        shares_locks=content.get("is_shared", False),
    )


def _wait_for_lock(file: TextIO, timeout: float) -> bool:
    """Take the lock of a file; return whether another process held it until then."""
    started = time.monotonic()
    is_logged = False
    while True:
        try:
            if try_lock(file):
                return is_logged
        except OSError:  # the file system has no locks
            return False
        waited = time.monotonic() - started
        if waited > timeout:
            raise TimeoutError(
                f"Another process has run this task for more than {timeout:g} "
                f"seconds ({_owner_in(file)}); end that process if it hangs, then "
                "resume the workflow."
            )
        if waited > _SECONDS_UNTIL_LOGGED and not is_logged:
            is_logged = True
            concurrency.release_slot()
            logger.warning(
                "task: waiting for the process that already runs this task (%s)",
                _owner_in(file),
            )
        time.sleep(_POLL_SECONDS if is_logged else _POLL_SECONDS / 10)


def _write_owner(file: TextIO) -> None:
    workflow_dir = Path(file.name).parent.parent
    content = {
        "host": platform.node(),
        "pid": os.getpid(),
        "is_shared": _sees_controller(workflow_dir),
    }
    # Unbuffered: on a full disk, nothing is left to fail when the file is closed.
    os.ftruncate(file.fileno(), 0)
    os.write(file.fileno(), json.dumps(content).encode())


def _owner_in(file: TextIO) -> TaskOwner | None:
    return read_owner(Path(file.name).parent)


def _sees_controller(workflow_dir: Path) -> bool:
    """Return whether the lock of a controller of the workflow is seen from here."""
    try:
        with (workflow_dir / CONTROLLER_FILE).open() as file:
            return is_locked(file)
    except OSError:
        return False
