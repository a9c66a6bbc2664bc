"""What the controller of a workflow knows of its nodes without asking the file system.

Tierkreis's walk asks for the state of every unfinished node, and reads the graph of a
node at each step. Only running tasks change their state by themselves: that of any
other node changes when the controller says so, and an output never changes.
"""

import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from uuid import UUID

from tierkreis.controller.data.graph import NodeDef
from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.filestorage import ControllerFileStorage
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.tierkreis_internals import DONE, ERROR, NODE_DEFINITION

# With more nodes in memory than this, all are forgotten, and looked up again.
_MOST_NODES = 200_000
# Graphs and conditions have some kilobytes; the results of tasks are not kept.
_LARGEST_OUTPUT = 64 * 2**10
_MOST_OUTPUTS = 1_000


def with_known_nodes(storage: ControllerStorage) -> ControllerStorage:
    """Return a storage that remembers the states of nodes, for their only controller.

    :param storage: The storage of the workflow.
    :returns: The storage itself, if it is not one of Tierkreis's file storages.
    """
    if type(storage) is not ControllerFileStorage:
        return storage
    return _KnownNodes(storage.workflow_id, storage.name, storage.tkr_dir)


class _KnownNodes(ControllerFileStorage):
    """A file storage that remembers the states and the small outputs of nodes."""

    def __init__(self, workflow_id: UUID, name: str | None, tkr_dir: Path) -> None:
        super().__init__(workflow_id, name, tkr_dir)
        self._folder = str(self.workflow_dir)
        self._is_started: dict[Loc, bool] = {}
        self._finished: set[Loc] = set()
        # Those that this object has started and that run no task: nothing else can
        # start what is in them, or say that they have ended.
        self._own: set[str] = set()
        self._iterations: dict[Loc, int] = {}
        self._outputs: dict[str, bytes] = {}
        self._folders: set[str] = set()
        self._touched: set[str] = set()

    @cached_property
    def workflow_dir(self) -> Path:
        """The folder of the workflow."""
        return super().workflow_dir

    def is_node_started(self, node_location: Loc) -> bool:
        """Return whether the controller has started a node."""
        known = self._is_started.get(node_location)
        if known is None:
            known = not self._is_in_own(node_location) and self._has_file(
                node_location, NODE_DEFINITION
            )
            self._know(node_location, is_started=known)
        return known

    def is_node_finished(self, node_location: Loc) -> bool:
        """Return whether a node has finished."""
        if node_location in self._finished:
            return True
        if node_location in self._own or not self._may_be_started(node_location):
            return False
        is_finished = self._has_file(node_location, DONE)
        if is_finished:
            self._finished.add(node_location)
        else:
            self.is_node_started(node_location)
        return is_finished

    def node_has_error(self, node_location: Loc) -> bool:
        """Return whether a task has failed."""
        return (
            node_location not in self._own
            and self.is_node_started(node_location)
            and self._has_file(node_location, ERROR)
        )

    def write_node_def(self, node_location: Loc, node: NodeDef) -> None:
        """Write the definition of a node, which starts it."""
        super().write_node_def(node_location, node)
        self._know(node_location, is_started=True)
        if node.type != "function":
            self._own.add(node_location)

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

    def read(self, path: Path) -> bytes:
        """Read a file of a node."""
        name = str(path)
        known = self._outputs.get(name)
        if known is not None:
            return known
        content = super().read(path)
        if _is_output(name) and len(content) <= _LARGEST_OUTPUT:
            self._keep(name, content)
        return content

    def write(self, path: Path, value: bytes) -> None:
        """Write a file of a node."""
        name = str(path)
        self._outputs.pop(name, None)
        self._make_folder(os.path.dirname(name))  # noqa: PTH120
        with open(name, "wb", buffering=0) as file:  # noqa: PTH123
            rest = memoryview(value)
            while rest:
                rest = rest[file.write(rest) :]

    def link(self, src: Path, dst: Path) -> None:
        """Make a file of a node the same as another one."""
        old, new = str(src), str(dst)
        self._make_folder(os.path.dirname(new))  # noqa: PTH120
        try:
            os.link(old, new)
        except OSError:
            super().link(src, dst)
            return
        known = self._outputs.get(old)
        if known is not None:
            self._keep(new, known)

    def mkdir(self, path: Path) -> None:
        """Make a folder, and those around it."""
        self._make_folder(str(path))

    def touch(self, path: Path, *, is_dir: bool = False) -> None:
        """Make an empty file of a node, or a folder, once."""
        name = str(path)
        if is_dir:
            self._make_folder(name)
        elif name not in self._touched:
            self._make_folder(os.path.dirname(name))  # noqa: PTH120
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o666))
            self._touched.add(name)

    def _make_folder(self, folder: str) -> None:
        if folder in self._folders:
            return
        around = os.path.dirname(folder)  # noqa: PTH120
        if around in self._folders:
            with suppress(FileExistsError):
                os.mkdir(folder)  # noqa: PTH102
        else:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            self._folders.add(around)
        self._folders.add(folder)

    def _is_in_own(self, node: Loc) -> bool:
        return node.rpartition(".")[0] in self._own

    def _may_be_started(self, node: Loc) -> bool:
        if self._is_in_own(node):
            return self.is_node_started(node)
        return self._is_started.get(node) is not False

    def _know(self, node: Loc, *, is_started: bool) -> None:
        if len(self._is_started) >= _MOST_NODES:
            for known in (self._finished, self._own, self._folders, self._touched):
                known.clear()
            self._is_started.clear()
        self._is_started[node] = is_started

    def _keep(self, name: str, content: bytes) -> None:
        if len(self._outputs) >= _MOST_OUTPUTS:
            self._outputs.clear()
        self._outputs[name] = content

    def _has_file(self, node: Loc, name: str) -> bool:
        return os.path.exists(f"{self._folder}/{node}/{name}")  # noqa: PTH110


def _is_output(name: str) -> bool:
    return name.split("/")[-2:-1] == ["outputs"]
