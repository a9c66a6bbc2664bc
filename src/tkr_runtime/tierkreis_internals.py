"""What this package uses of Tierkreis beyond its documented interface, and why.

``tests/tkr_runtime/test_tierkreis_internals.py`` compares the source of each item with
the one that was read when the code here was written. If an upgrade of Tierkreis makes
that test fail, read the change, adapt this package, then update the digest in the test.

- ``Worker._load_args``, ``Worker._save_results`` and the wrapper in ``Worker.task``
  that calls them: the only places where the inputs and outputs of a task can be read
  and written in another way. :class:`OpenWorker` gives both a public name.
- ``Worker.run`` and ``Worker.app``: a task fails with ``TierkreisWorkerError``, whose
  cause is the error of the task.
- ``start``, ``start_nodes``, ``walk_node`` and ``NodeRunData``: the steps of the
  controller's loop, which otherwise walks the whole graph every 10 ms. The copies of
  their modules here read each graph once, and come to each node once: Tierkreis's read
  a graph at each step, and come to a node once for each way that leads to it.
- ``run_graph``: with no iterations, it starts a graph and returns. ``resume_graph``:
  with one iteration, it reports the tasks that failed.
- ``set_tkr_logger``: opens the log of a workflow that is resumed.
- ``ControllerStorage``: the names of the files of a node. Tierkreis has methods to
  write and check most of them, but none to make a node count as not started.
- ``run_builtin``: passes a builtin task to its process as an argument, which shows
  whether the task still runs.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

from tierkreis import Worker
from tierkreis.controller.data.core import PortID
from tierkreis.controller.data.graph import GraphData
from tierkreis.controller.data.location import Loc
from tierkreis.controller.data.models import PModel
from tierkreis.controller.data.types import PType, ptype_from_bytes
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.controller.storage.walk_result import NodeRunData, WalkResult
from tierkreis.logger_setup import set_tkr_logger
from tierkreis.namespace import WorkerFunction

__all__ = [
    "DONE",
    "ERROR",
    "LOGS",
    "METADATA",
    "NODE_DEFINITION",
    "NodeRunData",
    "OpenWorker",
    "read_graph",
    "set_tkr_logger",
    "start",
    "start_nodes",
    "walk_node",
]


@lru_cache(maxsize=64)
def read_graph(text: bytes) -> GraphData:
    """Read a graph; the same text gives the same object, which nobody may change.

    :param text: The text.
    """
    return ptype_from_bytes(text, GraphData)


def _read_value(text: bytes, annotation: Any = None) -> Any:
    if annotation is GraphData:
        return read_graph(text)
    return ptype_from_bytes(text, annotation)


def _copy(module: str) -> Any:
    """Return a copy of a module of Tierkreis; the module itself stays as it is."""
    spec = find_spec(module)
    assert spec is not None  # noqa: S101 (this package needs Tierkreis)
    assert spec.loader is not None  # noqa: S101
    copy = module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


_walk = _copy("tierkreis.controller.storage.walk")
_walk_every_way = _walk.walk_node
_walk.ptype_from_bytes = _read_value
_walked: ContextVar[set[tuple[Loc, int]]] = ContextVar("walked")


def _walk_once(
    storage: ControllerStorage, parent: Loc, idx: int, graph: GraphData
) -> WalkResult:
    """Walk a node, unless this walk has come to it in another way."""
    walked = _walked.get()
    if (parent, idx) in walked:
        return WalkResult(inputs_ready=[], started=[])
    walked.add((parent, idx))
    result: WalkResult = _walk_every_way(storage, parent, idx, graph)
    return result


_walk.walk_node = _walk_once


def walk_node(
    storage: ControllerStorage, parent: Loc, idx: int, graph: GraphData
) -> WalkResult:
    """Find the nodes that can start, run or have failed, from a node backwards.

    :param storage: The storage of the workflow.
    :param parent: The location of the graph.
    :param idx: The node in it.
    :param graph: The graph.
    :returns: The nodes, each once.
    """
    token = _walked.set(set())
    try:
        return _walk_once(storage, parent, idx, graph)
    finally:
        _walked.reset(token)


_start = _copy("tierkreis.controller.start")
_start.ptype_from_bytes = _read_value
start: Callable[[ControllerStorage, ControllerExecutor, NodeRunData], None]
start_nodes: Callable[[ControllerStorage, ControllerExecutor, list[NodeRunData]], None]
start, start_nodes = _start.start, _start.start_nodes

NODE_DEFINITION = "nodedef"
"""The file of a node by which Tierkreis knows that the node was started."""

DONE = "_done"
"""The file of a node that has finished."""

ERROR = "_error"
"""The file of a node that has failed; in that of the root, the nodes that failed."""

LOGS = "logs"
"""The file of a node with what its task wrote."""

METADATA = "_metadata"
"""The file of a workflow with the time of its start."""


class OpenWorker(Worker):
    """A worker whose reading of inputs and writing of outputs can be overridden."""

    def read_inputs(
        self, function: WorkerFunction, paths: dict[str, Path]
    ) -> dict[str, PType]:
        """Read the inputs of a task.

        :param function: The function of the task.
        :param paths: The files of its inputs, by name.
        :returns: The inputs, by name.
        """
        return super()._load_args(function, paths)

    def write_outputs(
        self, function: WorkerFunction, paths: dict[PortID, Path], returned: PModel
    ) -> None:
        """Write the outputs of a task.

        :param function: The function of the task.
        :param paths: The files of its outputs, by name.
        :param returned: What the function returned.
        """
        super()._save_results(function, paths, returned)

    def _load_args(
        self, f: WorkerFunction, inputs: dict[str, Path]
    ) -> dict[str, PType]:
        return self.read_inputs(f, inputs)

    def _save_results(
        self, f: WorkerFunction, outputs: dict[PortID, Path], results: PModel
    ) -> None:
        self.write_outputs(f, outputs, results)
