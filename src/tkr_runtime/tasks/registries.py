"""Workers in registries: folders with a ``main.py`` that makes a Tierkreis worker.

The in-process executor imports such a worker into its own process.
"""

import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from tierkreis import Worker
from tierkreis.controller.data.location import WorkerCallArgs
from tierkreis.controller.executor.check_launcher import check_and_set_launcher
from tierkreis.controller.executor.registries import find_registry_for_worker
from tierkreis.worker.storage.filestorage import WorkerFileStorage

from tkr_runtime.errors import InvalidInputError
from tkr_runtime.tasks.node_files import DONE
from tkr_runtime.tasks.task_lock import LONGEST_TASK_SECONDS, hold_task_lock

_directory: ContextVar[Path] = ContextVar("directory")
_imported: dict[Path, "ImportedWorker"] = {}
_import_lock = threading.Lock()


def find_worker(registries: Path | Sequence[Path], name: str) -> Path:
    """Return the folder of a worker.

    :param registries: The folders that contain the folders of workers.
    :param name: The name of the worker.
    :raises TierkreisError: If none of them contains it.
    """
    paths = [registries] if isinstance(registries, Path) else list(registries)
    registry = find_registry_for_worker(name, paths)
    return check_and_set_launcher(registry, name, ".py").parent.resolve()


class _StorageOfTask(WorkerFileStorage):
    """Reads and writes in the directory of the task that this thread runs."""

    def __init__(self) -> None:
        pass

    def resolve(self, path: Path | str) -> Path:
        return _directory.get() / path


class ImportedWorker:
    """A worker of the user, imported into this process.

    :param worker: The worker.
    :param loggers: The names of the loggers of its modules.
    """

    log_prefix = ""

    def __init__(self, worker: Worker, loggers: Sequence[str]) -> None:
        worker.storage = _StorageOfTask()
        self.loggers = loggers
        self._worker = worker

    def function(self, name: str) -> Callable[[WorkerCallArgs], None]:
        """Return the function that runs a task.

        :param name: The name of the task.
        :raises InvalidInputError: If the worker has no such task.
        """
        function = self._worker.functions.get(name)
        if function is None:
            raise InvalidInputError(
                f"The worker {self._worker.name} has no task {name}; it has "
                f"{', '.join(sorted(self._worker.functions)) or 'none'}."
            )
        return function

    @contextmanager
    def stored_in(self, storage: WorkerFileStorage) -> Generator[None]:
        """Use a storage for the tasks of this thread while the body runs.

        :param storage: The storage.
        """
        token = _directory.set(storage.tierkreis_dir)
        try:
            yield
        finally:
            _directory.reset(token)

    @contextmanager
    def locked(self, folder: Path) -> Generator[bool]:
        """Keep other processes from running a task while the body runs.

        :param folder: The folder of its node.
        :returns: Whether the task must be run, because no other process completed it.
        """
        with hold_task_lock(folder, LONGEST_TASK_SECONDS) as has_waited:
            yield not (has_waited and (folder / DONE).exists())


def import_worker(folder: Path) -> ImportedWorker:
    """Import the worker of a folder, once.

    Its modules stay apart from others of the same names, as if it had a process of its
    own; installed packages are those of this process.

    :param folder: The folder, with a ``main.py``.
    :returns: The worker.
    :raises InvalidInputError: If it cannot be imported, or makes no worker.
    """
    with _import_lock:
        if folder not in _imported:
            _imported[folder] = _import(folder)
        return _imported[folder]


def _import(folder: Path) -> ImportedWorker:
    name = f"tkr_worker_{folder.name}"
    spec = spec_from_file_location(name, folder / "main.py")
    assert spec is not None  # noqa: S101 (the file has the ending of a module)
    assert spec.loader is not None  # noqa: S101
    main = sys.modules[name] = module_from_spec(spec)
    with _modules_of(folder) as own:
        try:
            spec.loader.exec_module(main)
        except Exception as error:
            del sys.modules[name]
            raise InvalidInputError(
                f"{folder / 'main.py'} cannot be imported into this process "
                f"({type(error).__name__}: {error}); install what it needs in this "
                "environment, or run it by warm_executor."
            ) from error
    workers = [it for it in vars(main).values() if isinstance(it, Worker)]
    if not workers:
        raise InvalidInputError(
            f"{folder / 'main.py'} makes no worker; give a registry whose folders "
            "contain workers of Tierkreis."
        )
    return ImportedWorker(workers[0], [name, *own])


@contextmanager
def _modules_of(folder: Path) -> Generator[list[str]]:
    """Import modules of a folder while the body runs, not others of their names.

    :returns: A list to which the names of the imported modules are added.
    """
    names = {path.stem for path in folder.iterdir()} - set(sys.stdlib_module_names)
    hidden: dict[str, ModuleType] = {}
    for name in list(sys.modules):
        if name.partition(".")[0] in names:
            hidden[name] = sys.modules.pop(name)
    # A new list: who searches the old one meanwhile would miss what moves in it.
    sys.path = [str(folder), *sys.path]
    own: list[str] = []
    try:
        yield own
    finally:
        index = sys.path.index(str(folder))
        sys.path = [*sys.path[:index], *sys.path[index + 1 :]]
        own += [it for it in list(sys.modules) if it.partition(".")[0] in names]
        sys.modules.update(hidden)
