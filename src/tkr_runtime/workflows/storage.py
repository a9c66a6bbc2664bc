"""The storage of a workflow: whether tasks can use its directory, and its nodes."""

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.exceptions import EntryNotFoundError
from tierkreis.controller.storage.in_memory import ControllerInMemoryStorage
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.executor import MultipleExecutor, TaskExecutor

from tkr_runtime.errors import CheckpointError, InvalidInputError
from tkr_runtime.tasks.executors import SPECIAL_TO_SHELLS

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
"""The numbers of the errors of a directory that cannot be written to."""


@dataclass(frozen=True)
class StartedTask:
    """A task that the controller has started.

    :param loc: Its location in the graph.
    :param function: Its name, for example ``worker.get_results``.
    :param inputs: The files of its inputs, by name.
    :param outputs: The files of its outputs, by name.
    """

    loc: Loc
    function: str
    inputs: dict[str, Path]
    outputs: dict[str, Path]


def started_nodes(storage: ControllerStorage) -> list[Loc]:
    """List the nodes of a workflow that were started.

    :param storage: The storage of the workflow.
    :returns: Their locations, sorted as text.
    """
    names = sorted(path.name for path in storage.list_subpaths(storage.workflow_dir))
    locs = [Loc(name) for name in names if name.startswith("-")]
    return [loc for loc in locs if storage.is_node_started(loc)]


def started_graph(storage: ControllerStorage) -> bytes:
    """Return the graph with which a workflow was started, as JSON.

    :param storage: The storage of the workflow.
    :returns: The text; empty if the workflow was not started.
    """
    try:
        return storage.read_output(Loc("").N(-1), "body")
    except EntryNotFoundError:
        return b""


def unfinished_nodes(storage: ControllerStorage) -> list[Loc]:
    """List the nodes of a workflow that were started and have not finished.

    :param storage: The storage of the workflow.
    :returns: Their locations, sorted as text.
    """
    return [loc for loc in started_nodes(storage) if not storage.is_node_finished(loc)]


def started_tasks(storage: ControllerStorage) -> Iterator[StartedTask]:
    """Iterate over the tasks of a workflow that were started.

    :param storage: The storage of the workflow.
    :returns: The tasks, without those that a killed controller began to write.
    """
    for loc in started_nodes(storage):
        try:
            node = storage.read_node_def(loc)
            if node.type != "function":
                continue
            call = storage.read_worker_call_args(loc)
        except (EntryNotFoundError, ValueError):
            continue
        yield StartedTask(
            loc=loc,
            function=node.function_name,
            inputs={k: storage.tkr_dir / path for k, path in call.inputs.items()},
            outputs={k: storage.tkr_dir / path for k, path in call.outputs.items()},
        )


def check_directory(storage: ControllerStorage, executor: ControllerExecutor) -> None:
    """Check that tasks will find the directory of a workflow and can write to it.

    Executors with a relative path get the absolute one, because some start the worker
    in another folder.

    :param storage: The storage of the workflow.
    :param executor: Its executor.
    :raises InvalidInputError: If the executor cannot work with such a path.
    :raises CheckpointError: If the directory cannot be written to.
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
            f"The directory {storage.workflow_dir} of the workflow cannot be written "
            f"({problem}); make it writable, free some space, or use another one."
        )


def write_problem(directory: Path) -> str | None:
    """Try to write to a directory.

    :param directory: The directory, or one that can be created.
    :returns: Why that is not possible; None if it is.
    """
    existing = directory
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(os.urandom(_PROBE_BYTES))
    except OSError as error:
        return error.strerror
    return None


def single_executors(executor: ControllerExecutor) -> Iterator[ControllerExecutor]:
    """Iterate over the executors that an executor combines.

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
    special = SPECIAL_TO_SHELLS.search(_ESCAPED.sub("", str(path)))
    if special is not None:
        raise InvalidInputError(
            f"The directory {path.parent} of the workflow has the character "
            f"{special[0]!r} in its path, which {executor} cannot handle; use another "
            "directory, or the executor that uv_executor(storage) returns."
        )
