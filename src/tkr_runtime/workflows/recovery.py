"""What a workflow that died left behind, made ready to go on.

The controller of Tierkreis 2.1.1 takes the file ``nodedef`` of a node for the sign that
the node was started, and starts nothing twice. A controller or worker that is killed
leaves nodes that have this file and will never finish. To start a node is repeatable:
it writes the same files and links again. So the way to go on is to take the sign away.
"""

import json
import logging
import time

from tierkreis.controller.data.graph import Eval
from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.start import start
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.controller.storage.walk_result import NodeRunData

from tkr_runtime.errors import CheckpointError
from tkr_runtime.tasks.task_lock import read_claim
from tkr_runtime.workflows.failures import MESSAGE_FILE
from tkr_runtime.workflows.nodes import started_nodes
from tkr_runtime.workflows.processes import live_tasks

# A child of the logger that writes the log of the workflow.
logger = logging.getLogger("tierkreis.resume")

# Executors start a worker, and note its failure, by a shell that lives a moment longer
# than the controller and the worker. Seconds to let such shells end.
_SETTLE_SECONDS = 0.5


def clear_unfinished(storage: ControllerStorage, executor: ControllerExecutor) -> None:
    """Make a workflow ready for Tierkreis's ``resume_graph``.

    Tasks that a process still runs are left to it.

    :param storage: The storage of a workflow that was started, is not finished and has
        no controller.
    :param executor: The executor of the workflow.
    :raises CheckpointError: If a file cannot be deleted.
    """
    time.sleep(_SETTLE_SECONDS)
    # Processes come first: what ends after this look is found finished below.
    live = live_tasks(storage)
    _mend_names_of_loops(storage)
    _delete(storage, Loc(), "_error")
    unfinished = _unfinished_nodes(storage)
    stopped = [loc for loc in unfinished if loc not in live]
    logger.info(
        "Resumed workflow %s; to be started again: %s; still running: %s",
        storage.workflow_id,
        ", ".join(stopped) or "nothing",
        ", ".join(_owned(storage, loc) for loc in unfinished if loc in live)
        or "nothing",
    )
    for loc in stopped:
        if loc == Loc():
            _start_root(storage, executor)
        else:
            # The sign goes last, so that a recovery that is killed can be repeated.
            for name in ("_error", MESSAGE_FILE, "logs", "nodedef"):
                _delete(storage, loc, name)


def _owned(storage: ControllerStorage, loc: Loc) -> str:
    """Name a task and, where that is known, the process that runs it."""
    claim = read_claim(storage.workflow_dir / loc)
    owner = f" ({claim})" if claim is not None and claim.is_held else ""
    return f"{loc}{owner}"


def _unfinished_nodes(storage: ControllerStorage) -> list[Loc]:
    """Return the nodes that were started and cannot finish without a new start.

    A graph, loop or map needs no new start once a node inside it was started: the
    controller enters it only after its own start is complete.
    """
    started = started_nodes(storage)
    entered = {
        outer
        for loc in started
        if _kind(loc) == "N"
        for outer in loc.partial_locs()[:-1]
    }
    return [
        loc
        for loc in started
        # The elements of a map have no start of their own.
        if _kind(loc) != "M"
        and loc not in entered
        and not storage.is_node_finished(loc)
    ]


def _kind(loc: Loc) -> str:
    """Return ``N`` for a node, ``L`` for a pass of a loop, ``M`` for one of a map."""
    return loc.peek()[0]


def _start_root(storage: ControllerStorage, executor: ControllerExecutor) -> None:
    """Link the inputs of the workflow again, as Tierkreis's ``run_graph`` does."""
    ports = storage.read_output_ports(Loc("").N(-1))
    inputs = {port: (-1, port) for port in ports if port != "body"}
    root = NodeRunData(
        node_location=Loc(), node=Eval((-1, "body"), inputs), output_list=[]
    )
    start(storage, executor, root)


def _mend_names_of_loops(storage: ControllerStorage) -> None:
    """Write the file of all names of loops again, if a killed controller left half."""
    path = storage.debug_path / "nodes"
    if not storage.exists(path):
        return
    try:
        json.loads(storage.read(path))
    except ValueError:
        storage.delete(path)
        for loc in started_nodes(storage):
            try:
                node = storage.read_node_def(loc)
            except ValueError:  # half written too; it will be started again
                continue
            if node.type == "loop" and node.name is not None:
                storage.write_debug_data(node.name, loc)


def _delete(storage: ControllerStorage, loc: Loc, name: str) -> None:
    path = storage.workflow_dir / loc / name
    if not storage.exists(path):
        return
    storage.delete(path)
    # FileStorage moves to /tmp, and says nothing where that is not possible.
    if storage.exists(path):
        raise CheckpointError(
            f"The file {path} cannot be moved to /tmp; make room there, or delete the "
            "file, and start again."
        )
