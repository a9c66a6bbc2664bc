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
  controller's loop, which otherwise walks the whole graph every 10 ms.
- ``run_graph``: with no iterations, it starts a graph and returns. ``resume_graph``:
  with one iteration, it reports the tasks that failed.
- ``set_tkr_logger``: opens the log of a workflow that is resumed.
- ``ControllerStorage``: the names of the files of a node. Tierkreis has methods to
  write and check most of them, but none to make a node count as not started.
- ``run_builtin``: passes a builtin task to its process as an argument, which shows
  whether the task still runs.
"""

from pathlib import Path

from tierkreis import Worker
from tierkreis.controller.data.core import PortID
from tierkreis.controller.data.models import PModel
from tierkreis.controller.data.types import PType
from tierkreis.controller.start import start, start_nodes
from tierkreis.controller.storage.walk import walk_node
from tierkreis.controller.storage.walk_result import NodeRunData
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
    "set_tkr_logger",
    "start",
    "start_nodes",
    "walk_node",
]

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
