"""The nodes of a workflow, as its storage shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.exceptions import EntryNotFoundError
from tierkreis.controller.storage.protocol import ControllerStorage


@dataclass(frozen=True)
class StartedTask:
    """A task that the controller has started.

    :param loc: Its location in the graph.
    :param function: Its name, for example ``worker.get_results``.
    :param inputs: The files of its inputs, by name.
    :param outputs: The files of its outputs, by name.
    """

    loc: Loc
    function: str
    inputs: dict[str, Path]
    outputs: dict[str, Path]


def started_nodes(storage: ControllerStorage) -> list[Loc]:
    """List the nodes of a workflow that were started.

    :param storage: The storage of the workflow.
    :returns: Their locations, sorted as text.
    """
    names = sorted(path.name for path in storage.list_subpaths(storage.workflow_dir))
    locs = [Loc(name) for name in names if name.startswith("-")]
    return [loc for loc in locs if storage.is_node_started(loc)]


def unfinished_nodes(storage: ControllerStorage) -> list[Loc]:
    """List the nodes of a workflow that were started and have not finished.

    :param storage: The storage of the workflow.
    :returns: Their locations, sorted as text.
    """
    return [loc for loc in started_nodes(storage) if not storage.is_node_finished(loc)]


def started_tasks(storage: ControllerStorage) -> Iterator[StartedTask]:
    """Iterate over the tasks of a workflow that were started.

    :param storage: The storage of the workflow.
    :returns: The tasks; not those that a killed controller began to write.
    """
    for loc in started_nodes(storage):
        try:
            node = storage.read_node_def(loc)
            if node.type != "function":
                continue
            call = storage.read_worker_call_args(loc)
        except (EntryNotFoundError, ValueError):
            continue
        yield StartedTask(
            loc=loc,
            function=node.function_name,
            inputs={k: storage.tkr_dir / path for k, path in call.inputs.items()},
            outputs={k: storage.tkr_dir / path for k, path in call.outputs.items()},
        )
