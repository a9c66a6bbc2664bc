"""An executor that runs the tasks of workers in the process of the controller.

For notebooks and scripts: no process is started, the client of the cloud is imported
once, and nothing but Tierkreis's own builtin tasks runs elsewhere. The tasks end with
the process.
"""

import contextvars
import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tierkreis.controller.storage.data import ExecutorDebugData
from tierkreis.controller.storage.filestorage import ControllerFileStorage
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.cloud import Cloud, cloud_of, clouds
from tkr_runtime.errors import InvalidInputError
from tkr_runtime.tasks import places
from tkr_runtime.workflows.failures import write_message

if TYPE_CHECKING:
    from tierkreis.worker.storage.filestorage import WorkerFileStorage

_TASKS_AT_ONCE = 8
_task_log: contextvars.ContextVar[list[Path]] = contextvars.ContextVar("task_log")


class InProcessExecutor:
    """Runs the tasks of our workers in threads of this process.

    Combine it with executors for other workers by Tierkreis's ``MultipleExecutor`` or
    ``TaskExecutor``. At most 8 tasks run at once; those that only wait do not count.

    :param storage: The storage of the workflow, a ``FileStorage``. (With a storage in
        memory, Tierkreis's ``InMemoryExecutor`` does the same.)
    :raises InvalidInputError: If it is a storage of another kind.
    """

    def __init__(self, storage: ControllerStorage) -> None:
        if not isinstance(storage, ControllerFileStorage):
            raise InvalidInputError(
                f"InProcessExecutor works with a FileStorage, not with a "
                f"{type(storage).__name__}; with a storage in memory take Tierkreis's "
                "InMemoryExecutor."
            )
        _log_to_files(__name__.partition(".")[0])
        self._storage = storage
        self._places = threading.BoundedSemaphore(_TASKS_AT_ONCE)

    def run(self, launcher_name: str, worker_call_args_path: Path) -> ExecutorDebugData:
        """Start a task.

        :param launcher_name: The name of its worker.
        :param worker_call_args_path: Its definition, below the directory of the
            storage.
        :returns: What Tierkreis notes of it.
        :raises InvalidInputError: If it is a task of another worker.
        """
        cloud = cloud_of(launcher_name)
        if cloud is None:
            workers = " and ".join(it.worker_name for it in clouds())
            raise InvalidInputError(
                f"InProcessExecutor runs tasks of {workers}, not of {launcher_name}; "
                "combine it with another executor by Tierkreis's MultipleExecutor."
            )
        _log_to_files(cloud.package)
        threading.Thread(
            target=contextvars.Context().run,
            args=(self._run_task, cloud, worker_call_args_path),
            name=str(worker_call_args_path.parent),
            daemon=True,
        ).start()
        return ExecutorDebugData(
            executor=type(self).__name__, launch_command=f"(thread) {launcher_name}"
        )

    def _run_task(self, cloud: Cloud, definition: Path) -> None:
        node = self._storage.tkr_dir / definition.parent
        _task_log.set([node / "logs", self._storage.logs_path])
        with self._place():
            try:
                self._call(cloud, definition)
            except BaseException:
                # Whatever it is, a task that ends without a word is waited for.
                logging.getLogger(__name__).exception("encountered error")
                (node / "_error").touch()

    def _call(self, cloud: Cloud, definition: Path) -> None:
        from tierkreis.worker.storage.filestorage import WorkerFileStorage

        worker = cloud.load_worker()
        storage = WorkerFileStorage(self._storage.tkr_dir.absolute())
        arguments = storage.read_call_args(definition)
        node = storage.resolve(definition).parent
        with worker.stored_in(storage):
            try:
                with worker.claimed(node) as is_ours:
                    if is_ours:
                        worker.functions[arguments.function_name](arguments)
            except Exception as error:
                self._tell(storage, cloud, definition, error)
                raise
        storage.mark_done(arguments.done_path)

    def _tell(
        self,
        storage: "WorkerFileStorage",
        cloud: Cloud,
        definition: Path,
        error: Exception,
    ) -> None:
        message = str(error) or type(error).__name__
        write_message(storage, definition, message)
        logging.getLogger(__name__).error("%s%s", cloud.log_prefix, message)

    @contextmanager
    def _place(self) -> Generator[None]:
        """Hold one of the places for tasks, until the task gives it back or ends."""
        self._places.acquire()
        places.release_by(self._places.release)
        try:
            yield
        finally:
            places.release()


class _TaskFiles(logging.Handler):
    """Writes what a task logs to the files in which other executors put it."""

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{self.format(record)}\n"
        for path in _task_log.get([]):
            with path.open("a") as file:
                file.write(text)


def _log_to_files(package_name: str) -> None:
    package = logging.getLogger(package_name)
    if not any(isinstance(handler, _TaskFiles) for handler in package.handlers):
        package.addHandler(_TaskFiles())
        package.setLevel(logging.INFO)
