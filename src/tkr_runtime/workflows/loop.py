"""The loop of a controller that sleeps while it has nothing to do.

Tierkreis's own loop walks the whole graph every 10 ms, also while a job waits in a
queue for a day. This one walks when a task has ended, and walks the graph of that task
alone: what its end makes possible is there, or around that graph once it has ended too.
"""

import time
from collections.abc import Callable, Collection
from functools import lru_cache

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
_LATENESS = 0.01
# The part of a processor that looks take; that of many tasks takes milliseconds.
_SHARE_OF_LOOKS = 0.02
# The watch reads the command lines of all processes.
_SELDOM = 0.5
_LONGEST_WATCH_PAUSE = 300.0
# The part of a processor that the controller takes, and the seconds that it may take
# before. The more jobs wait in a queue, the more often one of them has moved.
_SHARE = 0.1
_FREE_SECONDS = 0.5


def drive(
    storage: ControllerStorage,
    executor: ControllerExecutor,
    watch: Callable[[Collection[Loc]], None],
    watch_seconds: float,
    shortest_pause: float = _SHORTEST_PAUSE,
) -> None:
    """Bring a workflow that was started to its end.

    :param storage: The storage of the workflow.
    :param executor: Starts the tasks.
    :param watch: Called from time to time with the tasks that run.
    :param watch_seconds: The time between its first calls; later they come more seldom,
        up to five minutes after each other.
    :param shortest_pause: Between two looks at the tasks that run, in seconds; the
        pause grows to two seconds while they take long.
    :raises TierkreisError: If a task failed.
    """
    frontier = _Frontier(storage, executor)
    idle = _Idle(storage, watch, watch_seconds, shortest_pause)
    frontier.advance(Loc())
    while not storage.is_node_finished(Loc()):
        before = frozenset(frontier.running)
        ended = idle.pause_until_end_of_any(before)
        for graph in {_graph_around(loc) for loc in ended}:
            frontier.advance(graph)
        if not frontier.running <= before:
            idle.reset()
    storage.write_workflow_completion_time()


class _Frontier:
    """The tasks of a workflow that run, and what their ends make possible.

    :param storage: The storage of the workflow.
    :param executor: Starts the tasks.
    """

    def __init__(
        self, storage: ControllerStorage, executor: ControllerExecutor
    ) -> None:
        self.running: set[Loc] = set()
        self._storage = storage
        self._executor = executor

    def advance(self, loc: Loc) -> None:
        """Start what can be started in a graph, and around it once it has ended.

        :param loc: The location of a graph that was started.
        :raises TierkreisError: If a task failed.
        """
        while not self._storage.is_node_finished(loc):
            graph = _read_graph(self._storage.read_output(loc.N(-1), "body"))
            walk = walk_node(self._storage, loc, graph.output_idx(), graph)
            if walk.errored:
                # It reports them, and raises.
                resume_graph(self._storage, self._executor, n_iterations=1)
            start_nodes(self._storage, self._executor, walk.inputs_ready)
            if walk.started and not walk.inputs_ready:
                self.running -= self._running_in(loc)
                self.running.update(walk.started)
                return
        self.running -= self._running_in(loc)
        if loc != Loc() and not self._running_in(_node_around(loc)):
            self.advance(_graph_around(loc))

    def _running_in(self, loc: Loc) -> set[Loc]:
        return {task for task in self.running if task.startswith(f"{loc}.")}


def _node_around(loc: Loc) -> Loc:
    """Return the node that runs a graph: an eval, or the loop or map that repeats it.

    :param loc: The location of the graph.
    """
    step, outer = loc.pop_last()
    return loc if step[0] == "N" else outer


def _graph_around(loc: Loc) -> Loc:
    """Return the location of the graph to which a node, or a graph in it, belongs."""
    _, outer = _node_around(loc).pop_last()
    return outer


@lru_cache(maxsize=16)
def _read_graph(message: bytes) -> GraphData:
    return ptype_from_bytes(message, GraphData)


class _Idle:
    """The pauses of a controller, which grow while nothing happens."""

    def __init__(
        self,
        storage: ControllerStorage,
        watch: Callable[[Collection[Loc]], None],
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

    def pause_until_end_of_any(self, locs: Collection[Loc]) -> list[Loc]:
        """Sleep until one of some tasks has ended, and return those that have.

        The watch marks those as failed that ended without a word.
        """
        while True:
            used = time.thread_time()
            if any(map(self._has_ended, locs)):
                break
            pause = (time.thread_time() - used) / _SHARE_OF_LOOKS
            now = time.monotonic()
            pause = max(pause, (now - self._since) * _LATENESS, self._shortest)
            time.sleep(min(pause, _LONGEST_PAUSE))
            seldom = min((now - self._since) * _SELDOM, _LONGEST_WATCH_PAUSE)
            watch_pause = max(self._watch_seconds, seldom)
            if now - self._watched > watch_pause:
                self._watched = now
                self._watch(locs)
        self._keep_to_share()
        return [loc for loc in locs if self._has_ended(loc)]

    def _keep_to_share(self) -> None:
        """Sleep if this thread has taken more than its part of a processor.

        What ends in the meantime is looked at together.
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
