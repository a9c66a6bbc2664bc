"""Notices tasks that ended without a word, for which Tierkreis would wait for ever.

A builtin task of Tierkreis 2.1.1 leaves no ``_error`` when it fails, nor does any task
whose process group is killed at once with the shell that waits for it.
"""

from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.in_memory import ControllerInMemoryStorage
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.executor import ShellExecutor, UvExecutor

from tkr_nexus_worker.directories import single_executors
from tkr_nexus_worker.nodes import started_nodes
from tkr_nexus_worker.processes import running_tasks

_BUILTINS = "builtins."


class Watch:
    """Looks from time to time whether the tasks of a workflow still run.

    Tasks that an executor may have sent to another machine are not judged.

    :param storage: The storage of the workflow.
    :param executor: Its executor.
    """

    def __init__(
        self, storage: ControllerStorage, executor: ControllerExecutor
    ) -> None:
        self._storage = storage
        self._in_memory = isinstance(storage, ControllerInMemoryStorage)
        self._all_here = all(
            isinstance(single, UvExecutor | ShellExecutor)
            for single in single_executors(executor)
        )
        self._silent: set[Loc] = set()

    def look(self) -> None:
        """Mark as failed what had no process at this look and at the one before.

        The shell of an executor lives a moment before and after the process of its
        task; a second look, seconds later, tells a moment from an end.
        """
        if self._in_memory:
            return
        # Processes come first: what ends after this look is found finished below.
        running = running_tasks(self._storage.workflow_id)
        silent = {
            loc
            for loc in started_nodes(self._storage)
            if not self._storage.is_node_finished(loc)
            and loc not in running
            and self._is_judged(loc)
        }
        for loc in silent & self._silent:
            self._storage.touch(self._storage.workflow_dir / loc / "_error")
        self._silent = silent

    def _is_judged(self, loc: Loc) -> bool:
        node = self._storage.read_node_def(loc)
        return node.type == "function" and (
            self._all_here or node.function_name.startswith(_BUILTINS)
        )
