"""What went wrong in a workflow, in words for a person.

Tierkreis itself raises only "Graph encountered errors". The worker leaves the sentence
of a failed task in the file ``_message`` of its node; this module finds it again.
"""

from dataclasses import dataclass
from pathlib import Path

from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.worker.storage.protocol import WorkerStorage

from tkr_runtime.cloud import clouds
from tkr_runtime.workflows.storage import write_problem

MESSAGE_FILE = "_message"
"""The file of a node with the sentence of its failed task."""

# What the lines of a task begin with that tell what it does, beside those of clouds.
_OTHER_REPORTS = ("running: ", "HTTP Request: ")
_WRAPPER_ERROR = "tierkreis.worker.worker.TierkreisWorkerError"


@dataclass(frozen=True)
class TaskFailure:
    """A task that failed.

    :param location: Where the task stands in the graph, as Tierkreis writes it.
    :param task: Its name, for example ``worker.upload``.
    :param message: Why it failed, in a sentence.
    :param log_path: The file with everything that the task wrote.
    """

    location: str
    task: str
    message: str
    log_path: Path

    def __str__(self) -> str:
        return f"{self.message} [task {self.task}, log {self.log_path}]"


def report_prefixes() -> tuple[str, ...]:
    """Return what the lines begin with by which tasks tell a person what they do."""
    return ("task: ", *(cloud.log_prefix for cloud in clouds()))


def read_failures(storage: ControllerStorage) -> list[TaskFailure]:
    """Find the tasks of a workflow that failed.

    :param storage: The storage of a workflow after it raised an error.
    :returns: The failed tasks; empty if none failed.
    """
    root_error = storage.workflow_dir / str(Loc()) / "_error"
    if not storage.exists(root_error):
        return []
    # A node that several others wait for is listed once for each of them.
    locations = dict.fromkeys(storage.read(root_error).decode().split())
    return [
        _read_failure(storage, Loc(location))
        for location in locations
        if storage.node_has_error(Loc(location))
    ]


def write_message(storage: WorkerStorage, definition: Path, message: str) -> None:
    """Leave the sentence of a failed task where :func:`read_failures` looks for it.

    :param storage: The storage of the worker.
    :param definition: The definition of the task.
    :param message: The sentence.
    """
    storage.write_error(definition.with_name(MESSAGE_FILE), message)


def _read_failure(storage: ControllerStorage, location: Loc) -> TaskFailure:
    node = storage.read_node_def(location)
    folder = storage.workflow_dir / str(location)
    return TaskFailure(
        location=str(location),
        task=getattr(node, "function_name", node.type),
        message=_read_message(storage, location, folder / MESSAGE_FILE),
        log_path=folder / "logs",
    )


def _read_message(storage: ControllerStorage, location: Loc, message_file: Path) -> str:
    # A full disk leaves the file empty.
    if storage.exists(message_file) and (message := storage.read(message_file)):
        return message.decode()
    lines = [
        line for line in storage.read_errors(location).splitlines() if line.strip()
    ]
    # A worker that only told what it did has been stopped in the middle of it.
    if not lines or lines[-1].startswith((*_OTHER_REPORTS, *report_prefixes())):
        problem = write_problem(storage.workflow_dir)
        reason = (
            f"nothing can be written ({problem})"
            if problem
            else "it may have been killed"
        )
        return f"The task ended without a message; {reason}."
    # A Python worker of Tierkreis starts its log with the message; the log of anything
    # else ends with it.
    return lines[0] if lines[-1].startswith(_WRAPPER_ERROR) else lines[-1]
