"""The directory of a workflow: whether tasks can find it and write to it."""

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.in_memory import ControllerInMemoryStorage
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.executor import MultipleExecutor, TaskExecutor

from tkr_runtime.errors import CheckpointError, InvalidInputError

_SPECIAL_TO_SHELLS = re.compile(r"[^\w@%+=:,./-]")
_ESCAPED = re.compile(r"\\.")
_PROBE_BYTES = 4096

FILE_ERRORS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
    }
)
"""The numbers of errors of a directory that cannot be written to."""


def shell_path(path: Path) -> Path:
    """Escape a path for the executors, which put it into shell commands as it is.

    :param path: Any path.
    :returns: The absolute path, with a backslash before what shells take as special.
    """
    return Path(_SPECIAL_TO_SHELLS.sub(r"\\\g<0>", str(path.absolute())))


def check_directory(storage: ControllerStorage, executor: ControllerExecutor) -> None:
    """Check that tasks will find the directory of a workflow and can write to it.

    Executors that were given a relative path get the absolute one, since some start
    the worker in another folder.

    :param storage: The storage of the workflow.
    :param executor: Its executor.
    :raises InvalidInputError: If the executor cannot work with such a path.
    :raises CheckpointError: If nothing can be written to the directory.
    """
    if isinstance(storage, ControllerInMemoryStorage):
        return
    for single in single_executors(executor):
        logs_path = getattr(single, "logs_path", None)
        if logs_path is not None:
            _check_for_shells(type(single).__name__, logs_path.absolute())
            single.logs_path = logs_path.absolute()  # type: ignore[attr-defined]
    problem = write_problem(storage.workflow_dir)
    if problem is not None:
        raise CheckpointError(
            f"Nothing can be written to the directory {storage.workflow_dir} of the "
            f"workflow ({problem}); make it writable, make room, or take another."
        )


def write_problem(directory: Path) -> str | None:
    """Try to write a little to a directory.

    :param directory: The directory; it is made if it does not exist.
    :returns: Why that is not possible; None if it is.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(os.urandom(_PROBE_BYTES))
    except OSError as error:
        return error.strerror
    return None


def single_executors(executor: ControllerExecutor) -> Iterator[ControllerExecutor]:
    """Iterate over the executors that an executor is combined of.

    :param executor: The executor.
    :returns: Its parts; the executor itself if it has none.
    """
    match executor:
        case MultipleExecutor():
            parts = [executor.default, *executor.executors.values()]
        case TaskExecutor():
            parts = [*executor.assignments.values()]
        case _:
            yield executor
            return
    for part in parts:
        yield from single_executors(part)


def _check_for_shells(executor: str, path: Path) -> None:
    special = _SPECIAL_TO_SHELLS.search(_ESCAPED.sub("", str(path)))
    if special is not None:
        raise InvalidInputError(
            f"The directory {path.parent} of the workflow has the character "
            f"{special[0]!r} in its path, which {executor} cannot handle; take another "
            "directory, or the executor that uv_executor(storage) returns."
        )
