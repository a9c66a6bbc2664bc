"""Why tasks of a workflow failed, in sentences for a person.

Tierkreis itself raises only "Graph encountered errors". The worker writes the sentence
of a failed task to the file ``_message`` of its node, and this module reads it.
"""

from dataclasses import dataclass
from pathlib import Path

from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.cloud import clouds
from tkr_runtime.tasks.node_files import MESSAGE
from tkr_runtime.tierkreis_internals import ERROR, LOGS
from tkr_runtime.workflows.storage import write_problem

# The prefixes of lines in which a task reports what it does, besides those of clouds.
_OTHER_REPORTS = ("running: ", "HTTP Request: ")
_WRAPPER_ERROR = "tierkreis.worker.worker.TierkreisWorkerError"


@dataclass(frozen=True)
class TaskFailure:
    """A task that failed.

    :param location: The location of the task in the graph, as Tierkreis writes it.
    :param task: Its name, for example ``worker.upload``.
    :param message: Why it failed, in a sentence.
    :param log_path: The log of the task.
    """

    location: str
    task: str
    message: str
    log_path: Path

    def __str__(self) -> str:
        return f"{self.message} [task {self.task}, log {self.log_path}]"


def report_prefixes() -> tuple[str, ...]:
    """Return the prefixes of log lines in which tasks report what they do."""
    return ("task: ", *(cloud.log_prefix for cloud in clouds()))


def read_failures(storage: ControllerStorage) -> list[TaskFailure]:
    """Find the tasks of a workflow that failed.

    :param storage: The storage of a workflow after it raised an error.
    :returns: The failed tasks; empty if none failed.
    """
    root_error = storage.workflow_dir / str(Loc()) / ERROR
    if not storage.exists(root_error):
        return []
    # A node that several others depend on is listed once for each of them.
    locations = dict.fromkeys(storage.read(root_error).decode().split())
    return [
        _read_failure(storage, Loc(location))
        for location in locations
        if storage.node_has_error(Loc(location))
    ]


def _read_failure(storage: ControllerStorage, location: Loc) -> TaskFailure:
    node = storage.read_node_def(location)
    folder = storage.workflow_dir / str(location)
    return TaskFailure(
        location=str(location),
        task=getattr(node, "function_name", node.type),
        message=_read_message(storage, location, folder / MESSAGE),
        log_path=folder / LOGS,
    )


def _read_message(storage: ControllerStorage, location: Loc, message_file: Path) -> str:
    # On a full disk the file is empty.
    if storage.exists(message_file) and (message := storage.read(message_file)):
        return message.decode()
    lines = [
        line for line in storage.read_errors(location).splitlines() if line.strip()
    ]
    # A log that ends with a report is that of a worker that was stopped.
    if not lines or lines[-1].startswith((*_OTHER_REPORTS, *report_prefixes())):
        problem = write_problem(storage.workflow_dir)
        reason = (
            f"its files cannot be written ({problem})"
            if problem
            else "it may have been killed"
        )
        return f"The task ended without a message; {reason}."
    # The log of a Python worker of Tierkreis begins with the message; any other log
    # ends with it.
    return lines[0] if lines[-1].startswith(_WRAPPER_ERROR) else lines[-1]
