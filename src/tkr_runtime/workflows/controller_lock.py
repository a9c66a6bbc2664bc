"""The lock and the environment of the process that controls a workflow."""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, nullcontext
from threading import Lock

from tierkreis.consts import TKR_DIR_KEY
from tierkreis.controller.storage.in_memory import ControllerInMemoryStorage
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.locks import hold_lock
from tkr_runtime.tasks.task_lock import CONTROLLER_FILE

# A task that checks whether there is a controller holds the lock for an instant.
_TIMEOUT_SECONDS = 0.1

# What the variable was before, then the directories of the workflows that threads of
# this process control; the last one holds.
_directories: list[str | None] = []
_lock = Lock()


@contextmanager
def control_workflow(storage: ControllerStorage) -> Generator[None]:
    """Make this process the only controller of a workflow while the body runs.

    On a file system without locks, a second controller is not noticed. It would start
    tasks twice, but a task finds the job that another one has submitted.

    :param storage: The storage of the workflow.
    :raises InvalidInputError: If another process controls the workflow.
    """
    is_in_memory = isinstance(storage, ControllerInMemoryStorage)
    with (
        nullcontext() if is_in_memory else _controller_lock(storage),
        _directory_for_builtins(storage),
    ):
        yield


@contextmanager
def _controller_lock(storage: ControllerStorage) -> Generator[None]:
    path = storage.workflow_dir / CONTROLLER_FILE
    with ExitStack() as stack:
        try:
            stack.enter_context(hold_lock(path, timeout=_TIMEOUT_SECONDS))
        except TimeoutError as error:
            raise InvalidInputError(
                f"Workflow {storage.workflow_id} is being run by another process; wait "
                "for it, or stop it first."
            ) from error
        yield


@contextmanager
def _directory_for_builtins(storage: ControllerStorage) -> Generator[None]:
    """Let Tierkreis's builtin tasks find a storage outside the default directory.

    Tierkreis starts them with the environment of this process.
    """
    directory = str(storage.tkr_dir.absolute())
    with _lock:
        if not _directories:
            _directories.append(os.environ.get(TKR_DIR_KEY))
        _directories.append(directory)
        os.environ[TKR_DIR_KEY] = directory
    try:
        yield
    finally:
        with _lock:
            _directories.remove(directory)
            last = _directories[-1]
            if len(_directories) == 1:
                _directories.clear()
            if last is None:
                del os.environ[TKR_DIR_KEY]
            else:
                os.environ[TKR_DIR_KEY] = last
