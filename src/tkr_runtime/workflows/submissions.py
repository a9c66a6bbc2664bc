"""The jobs that the tasks of a workflow submitted, as its storage shows them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.cloud import Cloud, JobTasks, cloud_of
from tkr_runtime.workflows.nodes import StartedTask, started_tasks
from tkr_runtime.workflows.processes import live_tasks


@dataclass(frozen=True)
class Submission:
    """A job that a workflow submitted.

    :param cloud: The cloud to which it was submitted.
    :param id: The id of the job there.
    :param name: The name of the job.
    """

    cloud: Cloud
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
    for task, cloud, function in _tasks_of_clouds(storage):
        if not storage.is_node_finished(task.loc):
            continue
        if function in cloud.job_tasks.submitting:
            ref = _read_object(storage, task.outputs["value"])
            job = Submission(cloud, ref["id"], ref["annotations"]["name"])
            submitted[job.id] = job
        elif function in cloud.job_tasks.waiting:
            ended.add(_read_object(storage, task.outputs["value"])["job_id"])
        elif _tells_an_end(storage, task, cloud.job_tasks, function):
            ended.add(_read_object(storage, task.inputs["execute_ref"])["id"])
    return [job for job in submitted.values() if job.id not in ended]


def submitting_tasks(storage: ControllerStorage) -> list[Loc]:
    """Find the tasks of a workflow that are submitting a job at this moment.

    :param storage: The storage of the workflow.
    :returns: Their locations.
    """
    live = live_tasks(storage)
    return [
        task.loc
        for task, cloud, function in _tasks_of_clouds(storage)
        if function in cloud.job_tasks.submitting
        and task.loc in live
        and not storage.is_node_finished(task.loc)
    ]


def _tasks_of_clouds(
    storage: ControllerStorage,
) -> Iterator[tuple[StartedTask, Cloud, str]]:
    """Iterate over the tasks of our workers, with their clouds and their own names."""
    for task in started_tasks(storage):
        worker_name, _, function = task.function.partition(".")
        cloud = cloud_of(worker_name)
        if cloud is not None:
            yield task, cloud, function


def _tells_an_end(
    storage: ControllerStorage, task: StartedTask, job_tasks: JobTasks, function: str
) -> bool:
    if function in job_tasks.polling:
        output = task.outputs[job_tasks.polling[function]]
        return bool(json.loads(storage.read(output)) is False)
    return function in job_tasks.fetching


def _read_object(storage: ControllerStorage, path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(storage.read(path))
    return value
