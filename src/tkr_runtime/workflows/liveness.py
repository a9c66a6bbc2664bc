"""Which tasks still run, and which ended without saying so.

Tierkreis would wait indefinitely for the latter: a builtin task of Tierkreis 2.1.1
writes no ``_error`` when it fails, and neither does a task that is killed together with
the shell that waits for it.
"""

import re
import subprocess
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from uuid import UUID

from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.in_memory import ControllerInMemoryStorage
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.executor import ShellExecutor, UvExecutor

from tkr_runtime.tasks.executors import WarmExecutor
from tkr_runtime.tasks.task_lock import read_owner
from tkr_runtime.tierkreis_internals import ERROR
from tkr_runtime.workflows.storage import single_executors, unfinished_nodes

_PROC = Path("/proc")
_BUILTINS = "builtins."
# A shared file system may take a while to show a lock or a file of another machine.
_PATIENCE_ELSEWHERE_SECONDS = 60.0


def live_tasks(
    storage: ControllerStorage, among: Iterable[Loc] | None = None
) -> set[Loc]:
    """Find the tasks of a workflow that a process runs, here or on another machine.

    A task on another machine is found only if that machine shares locks with this one.
    A task that ends during the search may be listed. One that is not listed, and is
    unfinished afterwards, does not run.

    :param storage: The storage of the workflow.
    :param among: The tasks whose locks are checked; by default all unfinished ones.
    :returns: The locations of the tasks.
    """
    locked = {
        loc
        for loc in (unfinished_nodes(storage) if among is None else among)
        if (owner := read_owner(storage.workflow_dir / loc)) and owner.is_alive
    }
    # The executable hands the task to a fork, and ends after it.
    return locked | _tasks_of_processes(storage.workflow_id)


class LivenessMonitor:
    """Marks tasks of a workflow as failed that have no process any more.

    A task that may run on another machine is marked only if it has taken its lock
    there, and that machine shares locks with this one.

    :param storage: The storage of the workflow.
    :param executor: Its executor.
    """

    def __init__(
        self, storage: ControllerStorage, executor: ControllerExecutor
    ) -> None:
        self._storage = storage
        self._executors = list(single_executors(executor))
        self._in_memory = isinstance(storage, ControllerInMemoryStorage)
        self._all_here = all(
            isinstance(single, UvExecutor | ShellExecutor) for single in self._executors
        )
        self._dead_since: dict[Loc, float] = {}

    def mark_dead(self, tasks: Collection[Loc]) -> None:
        """Mark tasks as failed that had no process at this check and at the last one.

        The shell of an executor lives a moment longer than its task on either side, so
        one check is not enough. For a task on another machine, a minute must pass.

        :param tasks: The tasks that were started and may have ended since.
        """
        if self._in_memory:
            return
        # Processes come first: a task that ends later is found finished below.
        live = live_tasks(self._storage, tasks) | self._handed_over()
        now = time.monotonic()
        dead_since = {}
        for loc in tasks:
            if loc in live or self._storage.is_node_finished(loc):
                continue
            patience = self._patience(loc)
            if patience is None:
                continue
            since = self._dead_since.get(loc)
            if since is not None and now - since >= patience:
                self._storage.touch(self._storage.workflow_dir / loc / ERROR)
            dead_since[loc] = now if since is None else since
        self._dead_since = dead_since

    def _handed_over(self) -> set[Loc]:
        """Find the tasks that preloaded processes have, whose locks may come later."""
        return {
            Loc(Path(definition).parent.name)
            for single in self._executors
            if isinstance(single, WarmExecutor)
            for definition in single.handed_over()
        }

    def _patience(self, loc: Loc) -> float | None:
        """Return how long a task may have no process; None if that proves nothing."""
        node = self._storage.read_node_def(loc)
        if node.type != "function":
            return None
        if self._all_here or node.function_name.startswith(_BUILTINS):
            return 0.0
        owner = read_owner(self._storage.workflow_dir / loc)
        if owner is None or not owner.shares_locks:
            return None
        return _PATIENCE_ELSEWHERE_SECONDS


def _tasks_of_processes(workflow_id: UUID) -> set[Loc]:
    """Find the tasks of a workflow that a process of this machine runs.

    Every executor, and Tierkreis itself for its builtin tasks, passes the task to its
    worker as the argument ``<workflow>/<location>/definition``.
    """
    argument = re.compile(rf"{re.escape(str(workflow_id))}/(-[^/\s]*)/definition\b")
    return {
        Loc(match[1])
        for command in _command_lines()
        for match in argument.finditer(command)
    }


def _command_lines() -> Iterable[str]:
    """Return the command line of each process."""
    if not (_PROC / "self" / "cmdline").exists():  # as on macOS
        listing = ["ps", "-A", "-ww", "-o", "args="]
        result = subprocess.run(listing, capture_output=True, text=True, check=True)
        return result.stdout.splitlines()
    return [_command_line(path) for path in _PROC.glob("[0-9]*/cmdline")]


def _command_line(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # the process has just ended
        return ""
