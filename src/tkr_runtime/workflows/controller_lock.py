"""What a process needs to be the controller of a workflow."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

from tierkreis.consts import TKR_DIR_KEY
from tierkreis.controller.storage.in_memory import ControllerInMemoryStorage
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.tasks.task_lock import CONTROLLER_FILE

# Tasks see by the lock whether there is a controller; that takes a moment.
_TRIES = 5
_PAUSE_SECONDS = 0.02


@contextmanager
def control(storage: ControllerStorage) -> Generator[None]:
    """Make this process the only controller of a workflow while the body runs.

    :param storage: The storage of the workflow.
    :raises InvalidInputError: If another process controls the workflow.
    """
    with _lock(storage), _builtins_find(storage):
        yield


@contextmanager
def _lock(storage: ControllerStorage) -> Generator[None]:
    """Keep other controllers out; the system frees the lock of a killed process."""
    if isinstance(storage, ControllerInMemoryStorage):
        yield
        return
    with (storage.workflow_dir / CONTROLLER_FILE).open("w") as file:
        if not any(_take(file) for _ in range(_TRIES)):
            raise InvalidInputError(
                f"Workflow {storage.workflow_id} is being run by another process; wait "
                "for it, or stop it first."
            )
        yield


def _take(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(_PAUSE_SECONDS)
        return False
    except OSError:
        # Some shared file systems know no locks. A second controller would start tasks
        # twice, but what they submit is found by its key.
        pass
    return True


@contextmanager
def _builtins_find(storage: ControllerStorage) -> Generator[None]:
    """Let Tierkreis's builtin tasks find a storage outside the default directory.

    Tierkreis starts them with the environment of this process.
    """
    before = os.environ.get(TKR_DIR_KEY)
    os.environ[TKR_DIR_KEY] = str(storage.tkr_dir.absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ[TKR_DIR_KEY]
        else:
            os.environ[TKR_DIR_KEY] = before
