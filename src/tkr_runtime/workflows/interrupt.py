"""What happens when a person stops a running workflow by Ctrl-C.

Workers run in sessions of their own, so that Ctrl-C does not reach them; neither are
they stopped here. A job may wait in a queue for days: the person is told how to go on
with it and how to cancel it.
"""

import os
import platform
import shlex
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Literal, get_args

from tierkreis.controller.storage.filestorage import DEFAULT_DIRECTORY
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.cloud import clouds
from tkr_runtime.errors import InvalidInputError, WorkerError
from tkr_runtime.tasks.task_lock import read_claim
from tkr_runtime.workflows.submissions import Submission, live_jobs, submitting_tasks

type OnInterrupt = Literal["keep", "cancel"]
"""What becomes of the jobs of a workflow that is stopped by Ctrl-C."""

_LOOK_SECONDS = 0.2
_LONGEST_SUBMISSION = 600.0


def check_on_interrupt(on_interrupt: str) -> None:
    """Check a value of :data:`OnInterrupt`.

    :param on_interrupt: The value.
    :raises InvalidInputError: If it is none.
    """
    choices = get_args(OnInterrupt.__value__)
    if on_interrupt not in choices:
        raise InvalidInputError(
            f"on_interrupt is {on_interrupt!r}; give one of {', '.join(choices)}."
        )


@contextmanager
def told_interruptions(
    storage: ControllerStorage, on_interrupt: OnInterrupt
) -> Generator[None]:
    """Tell a person who stops the body by Ctrl-C what becomes of the jobs.

    :param storage: The storage of the workflow.
    :param on_interrupt: Whether to keep the jobs or to cancel them.
    :raises KeyboardInterrupt: Always again.
    """
    try:
        yield
    except KeyboardInterrupt:
        if on_interrupt == "cancel" or _submits_here(storage):
            _wait_for_submissions(storage)
        _say(f"Stopped workflow {storage.workflow_id}; nothing is lost.")
        for job in live_jobs(storage):
            if on_interrupt == "cancel":
                _cancel(job)
            else:
                _say(f"The {job} goes on; to cancel it: {_cancel_command(job)}")
        if submitting_tasks(storage):
            _say("A task is submitting a job at this moment and will finish that.")
        _say(f"To go on with the workflow: {resume_command(storage)}")
        raise


def resume_command(storage: ControllerStorage) -> str:
    """Return the command that goes on with a workflow.

    :param storage: The storage of the workflow.
    :returns: A line for a shell.
    """
    command = [clouds()[0].command, "resume", str(storage.workflow_id)]
    directory = storage.tkr_dir.absolute()
    if directory != DEFAULT_DIRECTORY:
        command += ["--directory", str(directory)]
    return shlex.join(command)


def _cancel_command(job: Submission) -> str:
    return f"{job.cloud.command} cancel {job.id}"


def _submits_here(storage: ControllerStorage) -> bool:
    """Tell whether this process itself submits a job, which would end with it."""
    here = (platform.node(), os.getpid())
    claims = (
        read_claim(storage.workflow_dir / loc) for loc in submitting_tasks(storage)
    )
    return any(
        claim is not None and (claim.host, claim.pid) == here for claim in claims
    )


def _wait_for_submissions(storage: ControllerStorage) -> None:
    """Wait until no task is submitting: only then are all jobs known."""
    if not submitting_tasks(storage):
        return
    _say("Waiting for a job that is being submitted; Ctrl-C again does not wait.")
    deadline = time.monotonic() + _LONGEST_SUBMISSION
    with suppress(KeyboardInterrupt):
        while submitting_tasks(storage) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)


def _cancel(job: Submission) -> None:
    try:
        state = job.cloud.cancel_job(job.id)
    except WorkerError as error:
        _say(f"{error} To cancel the {job} later: {_cancel_command(job)}")
    else:
        _say(f"The {job} is now in the state {state}.")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
