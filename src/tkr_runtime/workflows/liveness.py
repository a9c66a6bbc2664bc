"""Notices tasks that ended without a word, for which Tierkreis would wait for ever.

A builtin task of Tierkreis 2.1.1 leaves no ``_error`` when it fails, nor does any task
whose process group is killed at once with the shell that waits for it.
"""

import time
from collections.abc import Collection

from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.in_memory import ControllerInMemoryStorage
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.executor import ShellExecutor, UvExecutor

from tkr_runtime.tasks.task_lock import read_claim
from tkr_runtime.workflows.processes import live_tasks
from tkr_runtime.workflows.storage import single_executors

_BUILTINS = "builtins."
# A shared file system may need a while until it tells of a lock, or of a file.
_SECONDS_ELSEWHERE = 60.0


class Watch:
    """Looks from time to time whether the tasks of a workflow still run.

    A task that an executor may have sent to another machine is judged only if it has
    claimed its node there, and that machine shares locks with this one.

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
        self._silent_since: dict[Loc, float] = {}

    def look(self, tasks: Collection[Loc]) -> None:
        """Mark as failed what had no process at this look and at the one before.

        The shell of an executor lives a moment before and after the process of its
        task; a second look, seconds later, tells a moment from an end. Of a task on
        another machine, a minute does.

        :param tasks: The tasks that were started and may have ended meanwhile.
        """
        if self._in_memory:
            return
        # Processes come first: what ends after this look is found finished below.
        live = live_tasks(self._storage, tasks)
        now = time.monotonic()
        silent_since = {}
        for loc in tasks:
            if loc in live or self._storage.is_node_finished(loc):
                continue
            patience = self._patience(loc)
            if patience is None:
                continue
            since = self._silent_since.get(loc)
            if since is not None and now - since >= patience:
                self._storage.touch(self._storage.workflow_dir / loc / "_error")
            silent_since[loc] = now if since is None else since
        self._silent_since = silent_since

    def _patience(self, loc: Loc) -> float | None:
        """Return for how long a task may be silent; None if that says nothing."""
        node = self._storage.read_node_def(loc)
        if node.type != "function":
            return None
        if self._all_here or node.function_name.startswith(_BUILTINS):
            return 0.0
        claim = read_claim(self._storage.workflow_dir / loc)
        return _SECONDS_ELSEWHERE if claim is not None and claim.is_shared else None
