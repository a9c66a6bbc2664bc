"""What the runtime needs to know about a cloud and the worker that submits jobs to it.

The package of a worker describes itself by a :class:`Cloud` and registers it as an
entry point of the group ``tkr_runtime.clouds``. Workflows find all of them, so one
graph can use several.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

ENTRY_POINTS = "tkr_runtime.clouds"
"""The group of entry points by which clouds are found."""


class JobTasks(NamedTuple):
    """Which tasks of a worker submit jobs, and which show that a job has ended.

    :param submitting: Tasks that return a job that they have submitted.
    :param waiting: Tasks that return the final status of a job, as an object with
        ``job_id``.
    :param fetching: Tasks that take a job that has ended.
    :param polling: Tasks that take a job, each with the name of its output that says
        whether the job still waits or runs.
    :param job_inputs: The names under which tasks take a job, or a list of jobs.
    :param id_path: Where the id is in a job, as JSON keys.
    :param name_path: Where the name is in it.
    :param narrowing: Tasks that take jobs and return those of them that have not ended,
        each with the name of that output.
    """

    submitting: frozenset[str]
    waiting: frozenset[str]
    fetching: frozenset[str]
    polling: dict[str, str]
    job_inputs: tuple[str, ...] = ("execute_ref",)
    id_path: tuple[str, ...] = ("id",)
    name_path: tuple[str, ...] = ("annotations", "name")
    narrowing: Mapping[str, str] = {}


# A dataclass would take 30 ms to import, at the start of every command.
class Cloud(NamedTuple):
    """A cloud and its worker.

    :param name: The name of the cloud, as in "Job 'bell' is on …".
    :param worker_name: The name of the worker in graphs and executors.
    :param package: The package of the worker.
    :param version: The version of that package.
    :param command: The command for people; it has ``resume`` and ``cancel``.
    :param env_prefix: The prefix of its environment variables.
    :param log_prefix: The prefix of the lines in its log that are for the user.
    :param job_tasks: What its tasks do with jobs.
    :param deferred_imports: The modules that most of its tasks do not use, with the
        names in them that do not import the module; see
        :mod:`tkr_runtime.tasks.deferred_imports`.
    :param worker: The worker, as ``package.module:name``; its import may take seconds.
    :param cancel: The function that cancels a job by its id and returns its state
        afterwards, as ``package.module:name``.
    :param enter_fork: The function that reads the environment again, in a fork of a
        process that has imported the worker, as ``package.module:name``.
    :param before_fork: A function that takes the environment of a task and prepares
        this process for a fork with it, as ``package.module:name``; empty if nothing
        takes long enough.
    :param preload: A function that imports what tasks import only when they need it,
        for forks to have it, as ``package.module:name``; empty if there is nothing.
    :param login: The function that raises an error of the worker unless there are a
        server and a login, soon, as ``package.module:name``; empty if there is none.
    """

    name: str
    worker_name: str
    package: str
    version: str
    command: str
    env_prefix: str
    log_prefix: str
    job_tasks: JobTasks
    deferred_imports: Mapping[str, frozenset[str]]
    worker: str
    cancel: str
    enter_fork: str
    before_fork: str = ""
    preload: str = ""
    login: str = ""

    def load_worker(self) -> Any:
        """Import the worker, a :class:`tkr_runtime.tasks.worker.TaskWorker`."""
        return _resolve(self.worker)

    def cancel_job(self, job_id: str) -> str:
        """Cancel a job.

        :param job_id: The id of the job.
        :returns: Its state afterwards.
        """
        state: str = _resolve(self.cancel)(job_id)
        return state

    def check_login(self) -> None:
        """Raise an error of the worker unless there are a server and a login."""
        if self.login:
            _resolve(self.login)()

    def load_all(self) -> None:
        """Import the worker, and what its tasks import only when they need it."""
        self.load_worker()
        if self.preload:
            _resolve(self.preload)()

    def prepare_fork(self, environment: Mapping[str, str]) -> None:
        """Do in this process what its forks would each do for themselves.

        :param environment: The environment of the next fork.
        """
        if self.before_fork:
            _resolve(self.before_fork)(environment)

    def read_environment_again(self) -> None:
        """Let the client take the environment of a fork."""
        _resolve(self.enter_fork)()


def _resolve(name: str) -> Any:
    from pkgutil import resolve_name

    return resolve_name(name)


@cache
def clouds() -> tuple[Cloud, ...]:
    """Return the clouds of this environment whose packages can be imported.

    A cloud is also listed if its client is not installed.
    """
    # Only controllers and the preloaded process need it, and it takes time.
    from importlib.metadata import entry_points

    found = sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)
    return tuple(entry.load() for entry in found)


def cloud_of(worker_name: str) -> Cloud | None:
    """Return the cloud of a worker.

    :param worker_name: The name of the worker.
    :returns: The cloud; None if no cloud has this worker.
    """
    return next((it for it in clouds() if it.worker_name == worker_name), None)
