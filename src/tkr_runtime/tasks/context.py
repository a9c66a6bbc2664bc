"""What a task knows about the workflow that it belongs to."""

import json
import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tierkreis.controller.data.location import WorkerCallArgs
from tierkreis.worker.storage.filestorage import WorkerFileStorage
from tierkreis.worker.storage.protocol import WorkerStorage

from tkr_runtime.tierkreis_internals import METADATA

_PROCESS_STARTED = datetime.now(UTC)


@dataclass(frozen=True)
class TaskContext:
    """The place of a running task.

    :param workflow_id: The id of its workflow.
    :param location: The location of its node in the graph, as Tierkreis writes it.
    :param started: When the workflow was started, as Tierkreis recorded it. It
        distinguishes two runs with one id, and is the same after a run is resumed. For
        a workflow in memory, the start of this process.
    :param folder: The folder of the node; None for a workflow in memory.
    :param start_text: The same start as Tierkreis recorded it: a local time without a
        zone, so only the text is the same wherever the workflow is resumed.
    :param entered: When this task began, in seconds of the monotonic clock.
    """

    workflow_id: str
    location: str
    started: datetime
    folder: Path | None
    start_text: str = ""
    entered: float = field(default_factory=time.monotonic)


_current: ContextVar[TaskContext | None] = ContextVar("task", default=None)


def current() -> TaskContext | None:
    """Return the context of the running task.

    :returns: The context; None outside a task, as in a script.
    """
    return _current.get()


def iterations() -> tuple[int, ...]:
    """Return which iterations of loops the running task belongs to, counted from 1.

    :returns: One number for each loop, the outermost first; empty outside a loop.
    """
    task = current()
    found = re.findall(r"\.L(\d+)", "" if task is None else task.location)
    return tuple(int(index) + 1 for index in found)


@contextmanager
def task_context(arguments: WorkerCallArgs, storage: WorkerStorage) -> Generator[None]:
    """Make a task the current one while the body runs.

    :param arguments: The arguments of the task.
    :param storage: The storage of the worker.
    """
    token = _current.set(_read_context(arguments, storage))
    try:
        yield
    finally:
        _current.reset(token)


def _read_context(arguments: WorkerCallArgs, storage: WorkerStorage) -> TaskContext:
    node = arguments.done_path.parent
    workflow = node.parent
    in_memory = not isinstance(storage, WorkerFileStorage)
    start_text = (
        _PROCESS_STARTED.isoformat() if in_memory else _read_start(workflow, storage)
    )
    return TaskContext(
        workflow_id=workflow.name,
        location=node.name,
        started=datetime.fromisoformat(start_text).astimezone(),
        folder=None if in_memory else storage.resolve(node),
        start_text=start_text,
    )


def _read_start(workflow: Path, storage: WorkerStorage) -> str:
    return str(json.loads(storage.read_input(workflow / METADATA))["start_time"])
