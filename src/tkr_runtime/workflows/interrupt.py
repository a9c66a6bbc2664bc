"""What happens when a person stops a running workflow by Ctrl-C.

Workers run in sessions of their own, so Ctrl-C does not reach them, and they are not
stopped here either. A job may wait in a queue for days: the person is shown how to
resume the workflow and how to cancel the job.
"""

import json
import os
import platform
import shlex
import signal
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType
from typing import Any, Literal, get_args

from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.filestorage import DEFAULT_DIRECTORY
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.cloud import Cloud, JobTasks, cloud_of, clouds
from tkr_runtime.errors import InvalidInputError, WorkerError
from tkr_runtime.tasks.task_lock import read_owner
from tkr_runtime.workflows.liveness import live_tasks
from tkr_runtime.workflows.storage import StartedTask, started_tasks

type OnInterrupt = Literal["keep", "cancel"]
"""What happens to the jobs of a workflow that is stopped by Ctrl-C."""

_POLL_SECONDS = 0.2
_LONGEST_SUBMISSION_SECONDS = 600.0


@dataclass(frozen=True)
class SubmittedJob:
    """A job that a workflow submitted.

    :param cloud: The cloud to which it was submitted.
    :param id: The id of the job there.
    :param name: The name of the job.
    """

    cloud: Cloud
    id: str
    name: str

    @property
    def cancel_command(self) -> str:
        """The command that cancels the job."""
        return f"{self.cloud.command} cancel {self.id}"

    def __str__(self) -> str:
        return f"job {self.name!r} ({self.id})"


def check_on_interrupt(on_interrupt: str) -> None:
    """Check a value of :data:`OnInterrupt`.

    :param on_interrupt: The value.
    :raises InvalidInputError: If it is not one.
    """
    choices = get_args(OnInterrupt.__value__)
    if on_interrupt not in choices:
        raise InvalidInputError(
            f"on_interrupt is {on_interrupt!r}; give one of {', '.join(choices)}."
        )


@contextmanager
def handle_interrupt(
    storage: ControllerStorage, on_interrupt: OnInterrupt
) -> Generator[None]:
    """Tell a person who stops the body by Ctrl-C what happens to the jobs.

    :param storage: The storage of the workflow.
    :param on_interrupt: Whether to keep the jobs or to cancel them.
    :raises KeyboardInterrupt: Always again.
    """
    interrupted = Event()
    try:
        with _noting_interrupts(interrupted):
            yield
    except BaseException as error:
        # In the middle of pydantic, Ctrl-C becomes an error of pydantic.
        if not (isinstance(error, KeyboardInterrupt) or interrupted.is_set()):
            raise
        if on_interrupt == "cancel" or _submits_in_this_process(storage):
            _wait_for_submissions(storage)
        _print(f"Stopped workflow {storage.workflow_id}; nothing is lost.")
        for job in unfinished_jobs(storage):
            if on_interrupt == "cancel":
                _cancel(job)
            else:
                _print(f"The {job} continues; to cancel it: {job.cancel_command}")
        if submitting_tasks(storage):
            _print("A task is submitting a job right now and will finish that.")
        _print(f"To continue the workflow: {resume_command(storage)}")
        if isinstance(error, KeyboardInterrupt):
            raise
        raise KeyboardInterrupt from error


@contextmanager
def _noting_interrupts(interrupted: Event) -> Generator[None]:
    """Set an event at Ctrl-C, whatever becomes of the KeyboardInterrupt.

    Only the main thread can, and not where the program handles Ctrl-C by itself.
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or current_thread() is not main_thread():
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def resume_command(storage: ControllerStorage) -> str:
    """Return the command that resumes a workflow.

    :param storage: The storage of the workflow.
    :returns: A line for a shell.
    """
    used = (cloud for _, cloud, _ in _tasks_of_clouds(storage))
    cloud = next(used, clouds()[0])
    command = [cloud.command, "resume", str(storage.workflow_id)]
    directory = storage.tkr_dir.absolute()
    if directory != DEFAULT_DIRECTORY:
        command += ["--directory", str(directory)]
    return shlex.join(command)


def unfinished_jobs(storage: ControllerStorage) -> list[SubmittedJob]:
    """Find the jobs of a workflow that have not ended as far as the workflow knows.

    :param storage: The storage of the workflow.
    :returns: The jobs, in the order of the tasks that submitted them.
    """
    submitted: dict[str, SubmittedJob] = {}
    ended: set[str] = set()
    for task, cloud, function in _tasks_of_clouds(storage):
        if not storage.is_node_finished(task.loc):
            continue
        if function in cloud.job_tasks.submitting:
            jobs = _read_jobs(storage, task.outputs["value"], cloud)
            submitted |= {job.id: job for job in jobs}
        elif function in cloud.job_tasks.waiting:
            ended.add(str(json.loads(storage.read(task.outputs["value"]))["job_id"]))
        elif function in cloud.job_tasks.narrowing:
            output = task.outputs[cloud.job_tasks.narrowing[function]]
            left = {job.id for job in _read_jobs(storage, output, cloud)}
            taken = _jobs_taken(storage, task, cloud)
            ended.update(job.id for job in taken if job.id not in left)
        elif _shows_end(storage, task, cloud.job_tasks, function):
            ended.update(job.id for job in _jobs_taken(storage, task, cloud))
    return [job for job in submitted.values() if job.id not in ended]


def submitting_tasks(storage: ControllerStorage) -> list[Loc]:
    """Find the tasks of a workflow that are submitting a job right now.

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
    """Iterate over the tasks of our workers, with their clouds and function names."""
    for task in started_tasks(storage):
        worker_name, _, function = task.function.partition(".")
        cloud = cloud_of(worker_name)
        if cloud is not None:
            yield task, cloud, function


def _shows_end(
    storage: ControllerStorage, task: StartedTask, job_tasks: JobTasks, function: str
) -> bool:
    """Return whether a finished task shows that the job it was given has ended."""
    if function in job_tasks.polling:
        output = task.outputs[job_tasks.polling[function]]
        return bool(json.loads(storage.read(output)) is False)
    return function in job_tasks.fetching


def _jobs_taken(
    storage: ControllerStorage, task: StartedTask, cloud: Cloud
) -> Iterator[SubmittedJob]:
    """Iterate over the jobs that a task was given."""
    for name in cloud.job_tasks.job_inputs:
        if name in task.inputs:
            yield from _read_jobs(storage, task.inputs[name], cloud)


def _read_jobs(
    storage: ControllerStorage, path: Path, cloud: Cloud
) -> list[SubmittedJob]:
    """Read the job or the jobs that a task returned or was given."""
    value = json.loads(storage.read(path))
    refs = value if isinstance(value, list) else [value]
    id_path, name_path = cloud.job_tasks.id_path, cloud.job_tasks.name_path
    return [
        SubmittedJob(cloud, str(_get(ref, id_path)), str(_get(ref, name_path)))
        for ref in refs
        if isinstance(ref, dict)  # else the id or name of a job, given by a person
    ]


def _get(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _submits_in_this_process(storage: ControllerStorage) -> bool:
    """Return whether this process itself submits a job, which would end with it."""
    this_process = (platform.node(), os.getpid())
    owners = (
        read_owner(storage.workflow_dir / loc) for loc in submitting_tasks(storage)
    )
    return any(
        owner is not None and (owner.host, owner.pid) == this_process
        for owner in owners
    )


def _wait_for_submissions(storage: ControllerStorage) -> None:
    """Wait until no task is submitting: only then are all jobs known."""
    if not submitting_tasks(storage):
        return
    deadline = time.monotonic() + _LONGEST_SUBMISSION_SECONDS
    with suppress(KeyboardInterrupt):
        _print("Waiting for a job that is being submitted; press Ctrl-C again to skip.")
        while submitting_tasks(storage) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _cancel(job: SubmittedJob) -> None:
    try:
        state = job.cloud.cancel_job(job.id)
    except WorkerError as error:
        _print(f"{error} To cancel the {job} later: {job.cancel_command}")
    else:
        _print(f"The {job} is now in the state {state}.")


def _print(text: str) -> None:
    sys.stderr.write(f"{text}\n")
