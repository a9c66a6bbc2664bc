"""The loop of a controller, which sleeps while it has nothing to do.

Tierkreis's own loop walks the whole graph every 10 ms, even while a job waits in a
queue for a day. This one walks only when a task has ended, and walks only the graph of
that task: the nodes that can now start are there, or in the graph around it once that
graph has ended too.
"""

import time
from collections.abc import Callable, Collection
from threading import Event

from tierkreis.controller import resume_graph
from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.tasks.executors import WarmExecutor
from tkr_runtime.tasks.in_process import InProcessExecutor
from tkr_runtime.tierkreis_internals import read_graph, start_nodes, walk_node
from tkr_runtime.workflows.known_nodes import with_known_nodes
from tkr_runtime.workflows.storage import single_executors

_SHORTEST_PAUSE = 0.005
_LONGEST_PAUSE = 2.0
# The pause between two checks for ended tasks, relative to how long they have run.
_RELATIVE_PAUSE = 0.01
# The share of a processor for these checks; with many tasks one takes milliseconds.
_SHARE_FOR_CHECKS = 0.02
# The pause between two calls of the monitor, relative to how long tasks have run: it
# reads the command lines of all processes.
_RELATIVE_MONITOR_PAUSE = 0.5
_LONGEST_MONITOR_PAUSE = 300.0
# The share of a processor that the controller takes, and the seconds that it may take
# in advance. The more jobs wait in a queue, the more often one of them has moved.
_SHARE = 0.1
_FREE_SECONDS = 0.5
# With fewer others, hardly any would end meanwhile: a loop must not wait for that.
_MANY_TASKS = 8


def run_to_end(
    storage: ControllerStorage,
    executor: ControllerExecutor,
    monitor: Callable[[Collection[Loc]], None],
    monitor_seconds: float,
    shortest_pause: float = _SHORTEST_PAUSE,
) -> None:
    """Run a workflow that was started to its end.

    :param storage: The storage of the workflow.
    :param executor: Starts the tasks.
    :param monitor: Called from time to time with the tasks that run.
    :param monitor_seconds: The pause between its first calls, in seconds; it grows to
        five minutes while tasks take long.
    :param shortest_pause: The pause between two checks for ended tasks, in seconds; it
        grows to two seconds while tasks take long.
    :raises TierkreisError: If a task failed.
    """
    storage = with_known_nodes(storage)
    frontier = _Frontier(storage, executor)
    pauses = _Pauses(storage, monitor, monitor_seconds, shortest_pause)
    for single in single_executors(executor):
        if isinstance(single, InProcessExecutor | WarmExecutor):
            single.task_ended = pauses.task_ended
    frontier.advance(Loc())
    while not storage.is_node_finished(Loc()):
        before = frozenset(frontier.running)
        ended = pauses.wait_for_ended(before)
        for graph in {_graph_around(loc) for loc in ended}:
            frontier.advance(graph)
        if not frontier.running <= before:
            pauses.reset()
    storage.write_workflow_completion_time()


class _Frontier:
    """The tasks of a workflow that run, and the nodes that can start when they end.

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
        """Start the nodes that can start in a graph, and around it once it has ended.

        :param loc: The location of a graph that was started.
        :raises TierkreisError: If a task failed.
        """
        while not self._storage.is_node_finished(loc):
            graph = read_graph(self._storage.read_output(loc.N(-1), "body"))
            walk = walk_node(self._storage, loc, graph.output_idx(), graph)
            if walk.errored:
                # This reports the failed tasks, and raises.
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


class _Pauses:
    """The pauses of a controller, which grow while nothing happens.

    An executor that knows when its tasks end can end a pause by ``task_ended``.
    """

    def __init__(
        self,
        storage: ControllerStorage,
        monitor: Callable[[Collection[Loc]], None],
        monitor_seconds: float,
        shortest_pause: float,
    ) -> None:
        self._storage = storage
        self._monitor = monitor
        self._monitor_seconds = monitor_seconds
        self._shortest = shortest_pause
        self.task_ended = Event()
        self._credit = _FREE_SECONDS
        self._accounted = time.monotonic()
        self._used = time.thread_time()
        self.reset()

    def reset(self) -> None:
        self._since = self._monitored = time.monotonic()

    def wait_for_ended(self, locs: Collection[Loc]) -> list[Loc]:
        """Sleep until at least one of some tasks has ended, and return the ended ones.

        The monitor marks those as failed that ended without saying so.
        """
        while True:
            self.task_ended.clear()
            used = time.thread_time()
            if any(map(self._has_ended, locs)):
                break
            pause = (time.thread_time() - used) / _SHARE_FOR_CHECKS
            now = time.monotonic()
            pause = max(pause, (now - self._since) * _RELATIVE_PAUSE, self._shortest)
            self._sleep(min(pause, _LONGEST_PAUSE))
            monitor_pause = (now - self._since) * _RELATIVE_MONITOR_PAUSE
            monitor_pause = min(monitor_pause, _LONGEST_MONITOR_PAUSE)
            if now - self._monitored > max(self._monitor_seconds, monitor_pause):
                self._monitored = now
                self._monitor(locs)
        ended = sum(map(self._has_ended, locs))
        self._keep_to_share(n_others=len(locs) - ended)
        return [loc for loc in locs if self._has_ended(loc)]

    def _sleep(self, seconds: float) -> None:
        self.task_ended.wait(seconds)

    def _keep_to_share(self, n_others: int) -> None:
        """Sleep if this thread has taken more than its share of a processor.

        Tasks that end in the meantime are handled together.

        :param n_others: How many tasks still run.
        """
        now, used = time.monotonic(), time.thread_time()
        earned = _SHARE * (now - self._accounted)
        self._credit = min(self._credit + earned, _FREE_SECONDS) - (used - self._used)
        self._accounted, self._used = now, used
        if n_others < _MANY_TASKS:
            self._credit = max(self._credit, 0.0)
        if self._credit < 0:
            time.sleep(-self._credit / _SHARE)

    def _has_ended(self, loc: Loc) -> bool:
        storage = self._storage
        return storage.is_node_finished(loc) or storage.node_has_error(loc)
