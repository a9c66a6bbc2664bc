"""A worker of the user, as its preloaded process imports and runs it.

The preloaded process imports the packages that ``main.py``, and the modules beside it,
import at their top. Each fork then runs ``main.py`` from its first line, as a process
of its own would: with the environment of its task, and under the name ``__main__``.

The interpreter is that of the worker, whose environment may lack the dependencies of
this package: this module, and what it imports, need the standard library alone.
"""

import ast
import atexit
import builtins
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from tkr_runtime.cloud import ENTRY_POINTS, Cloud
from tkr_runtime.tasks.node_files import DONE, MESSAGE
from tkr_runtime.tasks.preloaded.identity import WorkerFolder
from tkr_runtime.tasks.preloaded.server import CannotPreloadError
from tkr_runtime.tasks.task_lock import LONGEST_TASK_SECONDS, hold_task_lock

PACKAGE = "tkr_worker"
"""The name by which preloaded processes of users' workers are found."""

ENV_PREFIX = "TKR_WORKER_"
"""The prefix of the environment variables for them."""

_IDLE_SECONDS = 900.0


class UserWorker:
    """A worker of the user.

    :param folder: Its folder.
    """

    package = PACKAGE
    env_prefix = ENV_PREFIX
    # Its modules may keep what one task did.
    fork_seconds = 0.0
    # A task that takes long may only wait, so that others may need to run beside it.
    slot_seconds = 20.0

    def __init__(self, folder: WorkerFolder) -> None:
        self.folder = folder
        self._file = Path(folder.path, "main.py")
        self._clouds: list[Cloud] = []

    def limits(self) -> tuple[int, float]:
        """Return the number of tasks at once, and the idle time in seconds.

        The executor has checked the variables.
        """
        n_tasks = os.environ.get(f"{ENV_PREFIX}WARM_TASKS", "")
        idle = os.environ.get(f"{ENV_PREFIX}WARM_IDLE", "")
        return (
            int(n_tasks) if n_tasks else max(4, 2 * (os.cpu_count() or 1)),
            float(idle) if idle else _IDLE_SECONDS,
        )

    def preload(self) -> list[str]:
        """Import what the worker imports.

        :returns: The files of the modules that are not installed packages.
        :raises CannotPreloadError: If one of them starts a thread, which no fork has.
        """
        for statement in _imports(self._file):
            code = compile(ast.Module([statement], []), str(self._file), "exec")
            # What cannot be imported fails where the task itself imports it.
            with suppress(Exception, SystemExit):
                exec(code, {"__name__": "__preload__"})  # noqa: S102
        others = {*threading.enumerate()} - {threading.main_thread()}
        if others:
            raise CannotPreloadError(
                "starts cold, as the modules that the worker imports start threads "
                f"({', '.join(it.name for it in others)})"
            )
        self._clouds = [*_imported_clouds()]
        return [*_own_files()]

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Do what a fork with an environment would otherwise do itself."""
        for cloud in self._clouds:
            cloud.prepare_fork(environment)

    def run(self, argv: list[str]) -> int:
        """Run a task in a fork, and return the exit code.

        :param argv: The arguments of the worker.
        """
        for cloud in self._clouds:
            cloud.read_environment_again()
        run_main(self.folder, argv)
        return 0

    def end(self) -> None:
        """Wait for threads and call exit handlers, as the interpreter does."""
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
        atexit._run_exitfuncs()  # noqa: SLF001


def run_main(folder: WorkerFolder, argv: list[str]) -> None:
    """Run ``main.py`` of a worker as the program of this process.

    Other processes are kept from running the same task meanwhile.

    :param folder: The folder of the worker.
    :param argv: Its arguments, of which the first is the definition of the task.
    """
    file = f"{folder.path}/main.py"
    main = ModuleType("__main__")
    main.__dict__.update(__file__=file, __builtins__=builtins)
    sys.modules["__main__"] = main
    sys.argv = ["main.py", *argv]
    code = compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
    _run_locked(argv[0], lambda: exec(code, main.__dict__))  # noqa: S102


def _run_locked(definition: str, run: Callable[[], None]) -> None:
    checkpoints = os.environ.get("TKR_DIR") or "~/.tierkreis/checkpoints"
    node = Path(checkpoints).expanduser().joinpath(definition).parent
    with hold_task_lock(node, LONGEST_TASK_SECONDS) as has_waited:
        if has_waited and (node / DONE).exists():
            return
        try:
            run()
        except Exception as error:
            if type(error).__name__ == "TierkreisWorkerError":
                reason = error.__cause__ or error
                # On a full disk, the error itself still has to be reported.
                with suppress(OSError):
                    message = str(reason) or type(reason).__name__
                    (node / MESSAGE).write_text(message)
            raise


def _imports(main: Path) -> Iterator[ast.stmt]:
    """Yield the imports of packages at the top of a program and of its own modules.

    The own modules run in the forks only, as the program does.

    :raises CannotPreloadError: If the program cannot be read.
    """
    files = [main]
    for file in files:
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError) as error:
            if file is not main:
                continue
            raise CannotPreloadError(
                f"starts cold, as {file} cannot be read ({error})"
            ) from error
        for statement in _statements_at_top(tree.body):
            own = [
                it for name in _packages(statement) for it in _own(main.parent, name)
            ]
            files += [it for it in own if it not in files]
            if not own and getattr(statement, "level", 0) == 0:
                yield statement


def _statements_at_top(
    statements: list[ast.stmt],
) -> Iterator[ast.Import | ast.ImportFrom]:
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.Try):
            yield from _statements_at_top(statement.body)


def _packages(statement: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(statement, ast.Import):
        return [alias.name.partition(".")[0] for alias in statement.names]
    return [(statement.module or "").partition(".")[0]]


def _own(folder: Path, name: str) -> list[Path]:
    """Return the files of a module or package beside the program, if it is one."""
    module, package = folder / f"{name}.py", folder / name
    if not name:
        return []
    if package.is_dir():
        return sorted(package.rglob("*.py"))
    return [module] if module.exists() else []


def _imported_clouds() -> Iterator[Cloud]:
    """Yield the clouds whose clients have read the environment of this process."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS):
        if entry.module in sys.modules:
            cloud: Cloud = entry.load()
            if cloud.enter_fork.partition(":")[0] in sys.modules:
                yield cloud


def _own_files() -> Iterator[str]:
    """Yield the files of modules that no installation renames when they change."""
    installed = (sys.prefix, sys.base_prefix)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and not file.startswith(installed):
            yield file
