"""What the controller of a workflow knows of its nodes without asking the file system.

Tierkreis's walk asks for the state of every unfinished node, once for each way that
leads to it. Only running tasks change their state by themselves: that of any other node
changes when the controller says so.
"""

import os
from pathlib import Path

from tierkreis.controller.data.graph import NodeDef
from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.filestorage import ControllerFileStorage
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.tierkreis_internals import DONE, ERROR, NODE_DEFINITION

# With more nodes in memory than this, all are forgotten, and looked up again.
_MOST_NODES = 200_000


def with_known_nodes(storage: ControllerStorage) -> ControllerStorage:
    """Return a storage that remembers the states of nodes, for their only controller.

    :param storage: The storage of the workflow.
    :returns: The storage itself, if it is not one of Tierkreis's file storages.
    """
    if type(storage) is not ControllerFileStorage:
        return storage
    return _KnownNodes(storage.workflow_id, storage.name, storage.tkr_dir)


class _KnownNodes(ControllerFileStorage):
    """A file storage that remembers which nodes were started and have finished."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._folder = str(self.workflow_dir)
        self._is_started: dict[Loc, bool] = {}
        self._finished: set[Loc] = set()
        self._iterations: dict[Loc, int] = {}
        self._folders: set[str] = set()

    def is_node_started(self, node_location: Loc) -> bool:
        """Return whether the controller has started a node."""
        known = self._is_started.get(node_location)
        if known is None:
            known = self._has_file(node_location, NODE_DEFINITION)
            self._know(node_location, is_started=known)
        return known

    def is_node_finished(self, node_location: Loc) -> bool:
        """Return whether a node has finished."""
        if node_location in self._finished:
            return True
        if self._is_started.get(node_location) is False:
            return False
        is_finished = self._has_file(node_location, DONE)
        if is_finished:
            self._finished.add(node_location)
        else:
            self.is_node_started(node_location)
        return is_finished

    def node_has_error(self, node_location: Loc) -> bool:
        """Return whether a task has failed."""
        return self.is_node_started(node_location) and self._has_file(
            node_location, ERROR
        )

    def write_node_def(self, node_location: Loc, node: NodeDef) -> None:
        """Write the definition of a node, which starts it."""
        super().write_node_def(node_location, node)
        self._know(node_location, is_started=True)

    def mark_node_finished(self, node_location: Loc) -> None:
        """Mark a node as finished."""
        super().mark_node_finished(node_location)
        self._finished.add(node_location)

    def latest_loop_iteration(self, loc: Loc) -> Loc:
        """Return the location of the latest iteration of a loop."""
        latest = self._iterations.get(loc, 0)
        while self.is_node_started(loc.L(latest + 1)):
            latest += 1
        self._iterations[loc] = latest
        return loc.L(latest)

    def write(self, path: Path, value: bytes) -> None:
        """Write a file of a node."""
        self._make_folder_of(path)
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(value)

    def link(self, src: Path, dst: Path) -> None:
        """Make a file of a node the same as another one."""
        self._make_folder_of(dst)
        try:
            os.link(src, dst)
        except OSError:
            super().link(src, dst)

    def touch(self, path: Path, *, is_dir: bool = False) -> None:
        """Make an empty file of a node, or a folder."""
        if is_dir:
            super().touch(path, is_dir=True)
            return
        self._make_folder_of(path)
        path.touch()

    def _make_folder_of(self, path: Path) -> None:
        folder = os.path.dirname(path)  # noqa: PTH120
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            self._folders.add(folder)

    def _know(self, node: Loc, *, is_started: bool) -> None:
        if len(self._is_started) >= _MOST_NODES:
            self._is_started.clear()
            self._finished.clear()
            self._folders.clear()
        self._is_started[node] = is_started

    def _has_file(self, node: Loc, name: str) -> bool:
        return os.path.exists(f"{self._folder}/{node}/{name}")  # noqa: PTH110
