"""An executor that runs the tasks of workers in the process of the controller.

It is for notebooks and scripts: it starts no process and imports each worker, and the
client of a cloud, once. Only Tierkreis's builtin tasks run elsewhere. The tasks end
with the process.
"""

import contextvars
import logging
import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tierkreis.controller.storage.data import ExecutorDebugData
from tierkreis.controller.storage.filestorage import ControllerFileStorage
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.exceptions import TierkreisError

from tkr_runtime.cloud import cloud_of, clouds
from tkr_runtime.errors import InvalidInputError
from tkr_runtime.tasks import concurrency
from tkr_runtime.tasks.registries import ImportedWorker, find_worker, import_worker
from tkr_runtime.tasks.worker import TaskWorker, write_message
from tkr_runtime.tierkreis_internals import ERROR, LOGS

if TYPE_CHECKING:
    from tierkreis.worker.storage.filestorage import WorkerFileStorage

_TASKS_AT_ONCE = 8
_log_files: contextvars.ContextVar[list[Path]] = contextvars.ContextVar("log_files")


class InProcessExecutor:
    """Runs the tasks of Python workers in threads of this process.

    It runs the workers of clouds, and those of registries, which are imported into this
    process and its environment. Combine it with executors for other workers by
    Tierkreis's ``MultipleExecutor`` or ``TaskExecutor``. At most 8 tasks run at once;
    tasks that only wait for a job do not count.

    :param storage: The storage of the workflow, a ``FileStorage``. (With a storage in
        memory, Tierkreis's ``InMemoryExecutor`` does the same.)
    :param registry: The folder, or folders, that contain the folders of the workers of
        the user, as for Tierkreis's ``UvExecutor``.
    :raises InvalidInputError: If it is a storage of another kind.
    """

    def __init__(
        self, storage: ControllerStorage, registry: Path | Sequence[Path] = ()
    ) -> None:
        if not isinstance(storage, ControllerFileStorage):
            raise InvalidInputError(
                f"InProcessExecutor needs a FileStorage, not a "
                f"{type(storage).__name__}; for a storage in memory, use Tierkreis's "
                "InMemoryExecutor."
            )
        _log_to_files(__name__.partition(".")[0])
        self._storage = storage
        self._registries = [registry] if isinstance(registry, Path) else [*registry]
        self._slots = threading.BoundedSemaphore(_TASKS_AT_ONCE)
        self.task_ended = threading.Event()
        """Set when a task ends, for a controller that waits for it."""

    def run(self, launcher_name: str, worker_call_args_path: Path) -> ExecutorDebugData:
        """Start a task.

        :param launcher_name: The name of its worker.
        :param worker_call_args_path: Its definition, relative to the directory of the
            storage.
        :returns: What Tierkreis records about it.
        :raises InvalidInputError: If it is a task of another worker.
        """
        load = self._find(launcher_name)
        threading.Thread(
            target=contextvars.Context().run,
            args=(self._run_task, load, worker_call_args_path),
            name=str(worker_call_args_path.parent),
            daemon=True,
        ).start()
        return ExecutorDebugData(
            executor=type(self).__name__, launch_command=f"(thread) {launcher_name}"
        )

    def _find(self, name: str) -> Callable[[], TaskWorker | ImportedWorker]:
        """Return what imports a worker, which may take seconds."""
        cloud = cloud_of(name)
        if cloud is not None:
            _log_to_files(cloud.package)
            return cloud.load_worker
        try:
            folder = find_worker(self._registries, name)
        except TierkreisError as error:
            workers = " and ".join(it.worker_name for it in clouds())
            raise InvalidInputError(
                f"InProcessExecutor runs tasks of {workers}, and of the workers in its "
                f"registries, not of {name}; give the folder that contains this "
                "worker, or combine it with another executor by Tierkreis's "
                "MultipleExecutor."
            ) from error

        def load() -> ImportedWorker:
            worker = import_worker(folder)
            for logger in worker.loggers:
                _log_to_files(logger)
            return worker

        return load

    def _run_task(
        self, load: Callable[[], TaskWorker | ImportedWorker], definition: Path
    ) -> None:
        node = self._storage.tkr_dir / definition.parent
        _log_files.set([node / LOGS, self._storage.logs_path])
        with self._slot():
            try:
                self._call(load, definition)
            except BaseException:
                logging.getLogger(__name__).exception("encountered error")
                # The controller would wait indefinitely for a task that leaves no sign.
                (node / ERROR).touch()
            finally:
                self.task_ended.set()

    def _call(
        self, load: Callable[[], TaskWorker | ImportedWorker], definition: Path
    ) -> None:
        from tierkreis.worker.storage.filestorage import WorkerFileStorage

        storage = WorkerFileStorage(self._storage.tkr_dir.absolute())
        arguments = storage.read_call_args(definition)
        node = storage.resolve(definition).parent
        prefix = ""
        try:
            worker = load()
            prefix = worker.log_prefix
            with worker.stored_in(storage), worker.locked(node) as must_run:
                if must_run:
                    worker.function(arguments.function_name)(arguments)
        except Exception as error:
            self._report(storage, prefix, definition, error)
            raise
        storage.mark_done(arguments.done_path)

    def _report(
        self,
        storage: "WorkerFileStorage",
        prefix: str,
        definition: Path,
        error: Exception,
    ) -> None:
        message = str(error) or type(error).__name__
        # On a full disk, the error itself still has to be marked.
        with suppress(OSError):
            write_message(storage, definition, message)
        logging.getLogger(__name__).error("%s%s", prefix, message)

    @contextmanager
    def _slot(self) -> Generator[None]:
        """Hold one of the slots for tasks until the task releases it or ends."""
        self._slots.acquire()
        concurrency.hold_slot(self._slots.release)
        try:
            yield
        finally:
            concurrency.release_slot()


class _LogFiles(logging.Handler):
    """Writes what a task logs to the files in which other executors put it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = f"{self.format(record)}\n"
        except Exception:  # noqa: BLE001 (as every handler of logging does)
            self.handleError(record)
            return
        for path in _log_files.get([]):
            with suppress(OSError):
                _append(path, text.encode(errors="backslashreplace"))


def _append(path: Path, content: bytes) -> None:
    """Append to a file; a pipe that nobody reads is an error instead of a wait."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _log_to_files(package_name: str) -> None:
    package = logging.getLogger(package_name)
    if not any(isinstance(handler, _LogFiles) for handler in package.handlers):
        package.addHandler(_LogFiles())
        package.setLevel(logging.INFO)
