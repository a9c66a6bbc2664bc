"""Prepare a workflow that was killed or failed, so that it can be resumed.

For the controller of Tierkreis 2.1.1, a node was started if it has the file
``nodedef``, and nothing is started twice. A controller or worker that is killed leaves
nodes that have this file and will never finish. Starting a node again does no harm: it
writes the same files and links. So this module deletes that file of such nodes.
"""

import json
import logging
import time

from tierkreis.controller.data.graph import Eval
from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.errors import CheckpointError
from tkr_runtime.tasks.node_files import MESSAGE
from tkr_runtime.tasks.task_lock import read_owner
from tkr_runtime.tasks.workflow_memory import forget
from tkr_runtime.tierkreis_internals import (
    ERROR,
    LOGS,
    NODE_DEFINITION,
    NodeRunData,
    start,
)
from tkr_runtime.workflows.liveness import live_tasks
from tkr_runtime.workflows.storage import started_nodes

# A child of the logger that writes the log of the workflow.
logger = logging.getLogger("tierkreis.resume")

# Executors start a worker, and record its failure, in a shell that lives a moment
# longer than the controller and the worker. The time to let such shells end.
_SETTLE_SECONDS = 0.5


def prepare_to_resume(storage: ControllerStorage, executor: ControllerExecutor) -> None:
    """Prepare a workflow so that the controller starts again what must be started.

    Tasks that a process still runs are left alone.

    :param storage: The storage of a workflow that was started, is not finished and has
        no controller.
    :param executor: The executor of the workflow.
    :raises CheckpointError: If a file cannot be deleted.
    """
    time.sleep(_SETTLE_SECONDS)
    # Processes come first: a task that ends later is found finished below.
    live = live_tasks(storage)
    _repair_names_of_loops(storage)
    forget(storage.workflow_dir)
    _delete(storage, Loc(), ERROR)
    unfinished = _unfinished_nodes(storage)
    stopped = [loc for loc in unfinished if loc not in live]
    logger.info(
        "Resumed workflow %s; to be started again: %s; still running: %s",
        storage.workflow_id,
        ", ".join(stopped) or "nothing",
        ", ".join(_describe(storage, loc) for loc in unfinished if loc in live)
        or "nothing",
    )
    for loc in stopped:
        if loc == Loc():
            _start_root(storage, executor)
        else:
            # The definition is last, so that a recovery that is killed can be repeated.
            for name in (ERROR, MESSAGE, LOGS, NODE_DEFINITION):
                _delete(storage, loc, name)


def _describe(storage: ControllerStorage, loc: Loc) -> str:
    """Name a task and, where that is known, the process that runs it."""
    owner = read_owner(storage.workflow_dir / loc)
    return f"{loc} ({owner})" if owner is not None and owner.is_alive else loc


def _unfinished_nodes(storage: ControllerStorage) -> list[Loc]:
    """Return the nodes that were started and must be started again to finish.

    A graph, loop or map need not be started again once a node inside it was started:
    the controller enters it only after its own start is complete.
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
        # The elements of a map are not started themselves.
        if _kind(loc) != "M"
        and loc not in entered
        and not storage.is_node_finished(loc)
    ]


def _kind(loc: Loc) -> str:
    """Return ``N`` for a node, ``L`` for a loop iteration, ``M`` for a map element."""
    return loc.peek()[0]


def _start_root(storage: ControllerStorage, executor: ControllerExecutor) -> None:
    """Link the inputs of the workflow again, as Tierkreis's ``run_graph`` does."""
    ports = storage.read_output_ports(Loc("").N(-1))
    inputs = {port: (-1, port) for port in ports if port != "body"}
    root = NodeRunData(
        node_location=Loc(), node=Eval((-1, "body"), inputs), output_list=[]
    )
    start(storage, executor, root)


def _repair_names_of_loops(storage: ControllerStorage) -> None:
    """Rewrite the file of loop names if a killed controller left half of it."""
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
            except ValueError:  # also half written; it will be started again
                continue
            if node.type == "loop" and node.name is not None:
                storage.write_debug_data(node.name, loc)


def _delete(storage: ControllerStorage, loc: Loc, name: str) -> None:
    path = storage.workflow_dir / loc / name
    if not storage.exists(path):
        return
    storage.delete(path)
    # FileStorage moves the file to /tmp, and ignores that it cannot.
    if storage.exists(path):
        raise CheckpointError(
            f"The file {path} cannot be moved to /tmp; free some space there, or "
            "delete the file, then try again."
        )
