"""The jobs that the tasks of a workflow submitted, as its storage shows them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_nexus_worker.nodes import StartedTask, started_tasks
from tkr_nexus_worker.processes import live_tasks

_SUBMITTING_TASKS = frozenset(
    {
        "nexus_worker.start_attempt",
        "nexus_worker.start_execute_job",
        "nexus_worker.start_single_job",
    }
)
_FETCHING_TASKS = frozenset(
    {
        "nexus_worker.collect_attempt",
        "nexus_worker.get_item_results",
        "nexus_worker.get_qsys_shots",
        "nexus_worker.get_results",
    }
)
# They end when the job has ended, whichever way the job was named.
_WAITING_TASKS = frozenset({"nexus_worker.wait_until_complete"})
# The tasks that tell whether a job still waits or runs, and by which output.
_POLLING_TASKS = {
    "nexus_worker.await_news": "is_unfinished",
    "nexus_worker.is_running": "value",
    "nexus_worker.is_unfinished": "value",
}


@dataclass(frozen=True)
class Submission:
    """A job that a workflow submitted.

    :param id: The id of the job on Nexus.
    :param name: The name of the job.
    """

    id: str
    name: str

    def __str__(self) -> str:
        return f"job {self.name!r} ({self.id})"


def live_jobs(storage: ControllerStorage) -> list[Submission]:
    """Find the jobs of a workflow of whose end the workflow has not heard.

    :param storage: The storage of the workflow.
    :returns: The jobs, in the order of the tasks that submitted them.
    """
    submitted: dict[str, Submission] = {}
    ended: set[str] = set()
    for task in started_tasks(storage):
        if not storage.is_node_finished(task.loc):
            continue
        if task.function in _SUBMITTING_TASKS:
            job = _read_job(storage, task.outputs["value"])
            submitted[job.id] = job
        elif task.function in _WAITING_TASKS:
            ended.add(_read_object(storage, task.outputs["value"])["job_id"])
        elif _tells_an_end(storage, task):
            ended.add(_read_job(storage, task.inputs["execute_ref"]).id)
    return [job for job in submitted.values() if job.id not in ended]


def submitting_tasks(storage: ControllerStorage) -> list[Loc]:
    """Find the tasks of a workflow that are submitting a job at this moment.

    :param storage: The storage of the workflow.
    :returns: Their locations.
    """
    live = live_tasks(storage)
    return [
        task.loc
        for task in started_tasks(storage)
        if task.function in _SUBMITTING_TASKS
        and task.loc in live
        and not storage.is_node_finished(task.loc)
    ]


def _tells_an_end(storage: ControllerStorage, task: StartedTask) -> bool:
    if task.function in _POLLING_TASKS:
        output = task.outputs[_POLLING_TASKS[task.function]]
        return bool(json.loads(storage.read(output)) is False)
    return task.function in _FETCHING_TASKS


def _read_object(storage: ControllerStorage, path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(storage.read(path))
    return value


def _read_job(storage: ControllerStorage, path: Path) -> Submission:
    ref = _read_object(storage, path)
    return Submission(id=ref["id"], name=ref["annotations"]["name"])
