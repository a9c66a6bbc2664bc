"""Which process runs a task, told by a lock in the folder of its node.

Processes are seen on their own machine alone. A lock is seen wherever the file system
of the workflow shares locks: it tells a task that runs on another machine from one that
was killed there, and keeps two processes from the same task. Some file systems know no
locks, or keep them to one machine; a claim therefore says whether the lock of the
controller was seen from where the task runs.
"""

import fcntl
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

from tkr_runtime.tasks import places

logger = logging.getLogger(__name__)

CONTROLLER_FILE = "_controller"
"""The file of a workflow that its controller holds locked."""

_CLAIM_FILE = "_claim"
_LOOK_SECONDS = 0.2
# To see whether a task is claimed takes the lock for a moment.
_MOMENT = 1.0


@dataclass(frozen=True)
class Claim:
    """What the folder of a node tells of the process that runs its task.

    :param host: The machine of the process; empty where that is not known.
    :param pid: Its id there.
    :param is_held: Whether it holds the lock now, as seen from here.
    :param is_shared: Whether it has seen the lock of the controller, so that locks are
        seen from one machine to the other.
    """

    host: str
    pid: int
    is_held: bool
    is_shared: bool

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.host else "unknown"


@contextmanager
def claimed(folder: Path, patience: float) -> Generator[bool]:
    """Keep other processes from the task of a node while the body runs.

    Where no lock can be had, as in a read-only folder, the body runs without.

    :param folder: The folder of the node.
    :param patience: How long to wait for another process that runs the task, in
        seconds.
    :returns: Whether there was one that has ended in the meantime.
    :raises TimeoutError: If it still runs after that time.
    """
    path = folder / _CLAIM_FILE
    try:
        file = path.open("a+")
    except OSError:
        yield False
        return
    with file:
        has_waited = _wait_for_lock(file, patience)
        with suppress(OSError):
            _sign(file)
        yield has_waited
        # Who waits for it still has it open, and finds the task done.
        with suppress(OSError):
            path.unlink()


def read_claim(folder: Path) -> Claim | None:
    """Read who runs the task of a node, or ran it last.

    :param folder: The folder of the node.
    :returns: The claim; None where there was none, or its task is done.
    """
    try:
        with (folder / _CLAIM_FILE).open() as file:
            is_held = _is_locked(file)
            text = file.read()
    except OSError:
        return None
    try:
        content = json.loads(text)
    except ValueError:  # just being written
        content = {}
    return Claim(
        host=content.get("host", ""),
        pid=content.get("pid", 0),
        is_held=is_held,
        is_shared=content.get("is_shared", False),
    )


def _wait_for_lock(file: TextIO, patience: float) -> bool:
    """Take the lock of a file; return whether another process had it until then."""
    started = time.monotonic()
    is_told = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = time.monotonic() - started
            if waited > patience:
                raise TimeoutError(
                    f"Another process has run this task for more than {patience:g} "
                    f"seconds ({_claim_in(file)}); end that process if it hangs, then "
                    "resume the workflow."
                ) from None
            if waited > _MOMENT and not is_told:
                is_told = True
                places.release()
                logger.warning(
                    "task: waiting for the process that already runs this task (%s)",
                    _claim_in(file),
                )
            time.sleep(_LOOK_SECONDS if is_told else _LOOK_SECONDS / 10)
        except OSError:  # the file system knows no locks
            return False
        else:
            return is_told


def _sign(file: TextIO) -> None:
    workflow_dir = Path(file.name).parent.parent
    content = {
        "host": platform.node(),
        "pid": os.getpid(),
        "is_shared": _is_controlled(workflow_dir),
    }
    # Unbuffered: on a full disk, nothing is left to fail when the file is closed.
    os.ftruncate(file.fileno(), 0)
    os.write(file.fileno(), json.dumps(content).encode())


def _claim_in(file: TextIO) -> Claim | None:
    return read_claim(Path(file.name).parent)


def _is_controlled(workflow_dir: Path) -> bool:
    """Tell whether the lock of a controller of the workflow is seen from here."""
    try:
        with (workflow_dir / CONTROLLER_FILE).open() as file:
            return _is_locked(file)
    except OSError:
        return False


def _is_locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # the file system knows no locks
        return False
    return False
