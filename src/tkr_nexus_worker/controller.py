"""The loop of a controller that sleeps while it has nothing to do.

Tierkreis's own loop walks the whole graph every 10 ms, also while a job waits in a
queue for a day. This one walks it when a task has ended.
"""

import time
from collections.abc import Callable

from tierkreis.controller import resume_graph
from tierkreis.controller.data.graph import GraphData
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.types import ptype_from_bytes
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.start import start_nodes
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.controller.storage.walk import walk_node

_SHORTEST_PAUSE = 0.005
_LONGEST_PAUSE = 2.0
# A look comes late by at most this part of the time that a task has taken.
_LATENESS = 0.05
# The watch reads the command lines of all processes.
_SELDOM = 0.5
_LONGEST_WATCH_PAUSE = 300.0
# The part of a processor that the controller takes, and the seconds that it may take
# before. A walk takes longer the more tasks there are: one for each of their ends would
# cost the square of their number.
_SHARE = 0.1
_FREE_SECONDS = 0.5


def drive(
    storage: ControllerStorage,
    executor: ControllerExecutor,
    watch: Callable[[], None],
    watch_seconds: float,
    shortest_pause: float = _SHORTEST_PAUSE,
) -> None:
    """Bring a workflow that was started to its end.

    :param storage: The storage of the workflow.
    :param executor: Starts the tasks.
    :param watch: Called from time to time while tasks run.
    :param watch_seconds: The time between its first calls; later they come more seldom,
        up to five minutes after each other.
    :param shortest_pause: Between two looks at the tasks that run, in seconds; the
        pause grows to two seconds while they take long.
    :raises TierkreisError: If a task failed.
    """
    message = storage.read_output(Loc().N(-1), "body")
    graph = ptype_from_bytes(message, GraphData)
    idle = _Idle(storage, watch, watch_seconds, shortest_pause)
    while not storage.is_node_finished(Loc()):
        walk = walk_node(storage, Loc(), graph.output_idx(), graph)
        if walk.errored:
            resume_graph(storage, executor, n_iterations=1)  # reports them, and raises
        start_nodes(storage, executor, walk.inputs_ready)
        if walk.inputs_ready or not walk.started:
            idle.reset()
        else:
            idle.pause_until_end_of_any(walk.started)
    storage.write_workflow_completion_time()


class _Idle:
    """The pauses of a controller, which grow while nothing happens."""

    def __init__(
        self,
        storage: ControllerStorage,
        watch: Callable[[], None],
        watch_seconds: float,
        shortest_pause: float,
    ) -> None:
        self._storage = storage
        self._watch = watch
        self._watch_seconds = watch_seconds
        self._shortest = shortest_pause
        self._credit = _FREE_SECONDS
        self._accounted = time.monotonic()
        self._used = time.thread_time()
        self.reset()

    def reset(self) -> None:
        self._since = self._watched = time.monotonic()

    def pause_until_end_of_any(self, locs: list[Loc]) -> None:
        """Sleep until one of some tasks has ended, well or badly.

        The watch marks those as failed that ended without a word.
        """
        while not any(map(self._has_ended, locs)):
            now = time.monotonic()
            pause = (now - self._since) * _LATENESS
            time.sleep(min(max(pause, self._shortest), _LONGEST_PAUSE))
            seldom = min((now - self._since) * _SELDOM, _LONGEST_WATCH_PAUSE)
            watch_pause = max(self._watch_seconds, seldom)
            if now - self._watched > watch_pause:
                self._watched = now
                self._watch()
        self._keep_to_share()

    def _keep_to_share(self) -> None:
        """Sleep if this thread has taken more than its part of a processor.

        What ends in the meantime is seen by one walk.
        """
        now, used = time.monotonic(), time.thread_time()
        earned = _SHARE * (now - self._accounted)
        self._credit = min(self._credit + earned, _FREE_SECONDS) - (used - self._used)
        self._accounted, self._used = now, used
        if self._credit < 0:
            time.sleep(-self._credit / _SHARE)

    def _has_ended(self, loc: Loc) -> bool:
        storage = self._storage
        return storage.is_node_finished(loc) or storage.node_has_error(loc)
