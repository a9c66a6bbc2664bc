"""Run a workflow to its end, with progress and with errors a person can read."""

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from tierkreis.consts import TKR_DIR_KEY
from tierkreis.controller import run_graph
from tierkreis.controller.data.location import Loc
from tierkreis.controller.executor.protocol import ControllerExecutor
from tierkreis.controller.storage.protocol import ControllerStorage
from tierkreis.exceptions import TierkreisError
from tierkreis.models import Workflow
from tierkreis.storage import read_outputs

from tkr_nexus_worker.errors import (
    InvalidInputError,
    WorkflowFailedError,
    WorkflowStoppedError,
)
from tkr_nexus_worker.failures import read_failures
from tkr_nexus_worker.progress import show_progress


def run(
    graph: Workflow[Any, Any],
    inputs: Mapping[str, Any] | Any,
    storage: ControllerStorage,
    executor: ControllerExecutor,
    *,
    polling_interval_seconds: float = 0.05,
) -> Any:
    """Run a graph to its end and return its outputs.

    It differs from Tierkreis's ``run_graph`` where a person would be surprised: it does
    not stop silently after a number of iterations, does not return the outputs of an
    earlier run, and says which task failed and why. At a terminal it shows progress.

    :param graph: The graph.
    :param inputs: Its inputs by name, or the one input of the graph.
    :param storage: An empty storage for the run.
    :param executor: Starts the tasks.
    :param polling_interval_seconds: Between two looks of the controller at the storage.
    :returns: The outputs, as ``tierkreis.storage.read_outputs`` gives them.
    :raises InvalidInputError: If the storage already holds a run.
    :raises WorkflowFailedError: If a task failed.
    :raises WorkflowStoppedError: If the run stopped before its end.
    """
    if storage.is_node_started(Loc()):
        raise InvalidInputError(
            f"{storage.workflow_dir} already holds a run of workflow "
            f"{storage.workflow_id}; take another id, or do_cleanup=True to delete it."
        )
    with readable_errors(storage), _builtins_find(storage), show_progress(storage):
        run_graph(
            storage,
            executor,
            graph,
            inputs,
            n_iterations=sys.maxsize,
            polling_interval_seconds=polling_interval_seconds,
        )
    if not storage.is_node_finished(Loc()):
        raise WorkflowStoppedError(
            f"Workflow {storage.workflow_id} stopped before its end; its files are in "
            f"{storage.workflow_dir}, and tierkreis.controller.resume_graph goes on."
        )
    return read_outputs(graph, storage)


@contextmanager
def readable_errors(storage: ControllerStorage) -> Generator[None]:
    """Raise what a failed task itself said, instead of "Graph encountered errors".

    Use it around Tierkreis's own ``run_graph`` or ``resume_graph``.

    :param storage: The storage of the workflow.
    :raises WorkflowFailedError: If a task failed.
    """
    try:
        yield
    except TierkreisError as error:
        failures = read_failures(storage)
        if not failures:
            raise
        raise WorkflowFailedError("\n".join(map(str, failures))) from error


@contextmanager
def _builtins_find(storage: ControllerStorage) -> Generator[None]:
    """Let Tierkreis's builtin tasks find a storage outside the default directory.

    Tierkreis starts them with the environment of this process.
    """
    before = os.environ.get(TKR_DIR_KEY)
    os.environ[TKR_DIR_KEY] = str(storage.tkr_dir.absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ[TKR_DIR_KEY]
        else:
            os.environ[TKR_DIR_KEY] = before
