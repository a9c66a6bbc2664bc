"""Files that a task keeps in the folder of its node, and names in its outputs.

Outputs of tasks travel through the files of every node that hands them on, and loops
hand all of them to the next pass. A value that is large, or that grows from pass to
pass, is kept in a file once, and the output is a reference to it: the name of the node
and of the file, so that it holds in a copy of the folder of the workflow, too.

Only the task that keeps a file writes it, and writes it as a whole. A task that is
started again writes the same file again.
"""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from tkr_runtime.tasks import context


def path_of(name: str) -> Path:
    """Return the path of a file in the folder of the node of the running task.

    :param name: The name of the file.
    """
    task = context.current()
    location = "" if task is None else task.location
    folder = _workflow_folder() / location
    folder.mkdir(exist_ok=True)
    return folder / name


@contextmanager
def writing(name: str) -> Generator[BinaryIO]:
    """Write a file of the running task; it is there once the body has ended.

    :param name: The name of the file.
    :returns: The file, to write to.
    :raises OSError: If it cannot be written.
    """
    path = path_of(name)
    partial = path.with_name(f".{name}")
    with partial.open("wb") as file:
        yield file
    partial.replace(path)


def reference(name: str) -> str:
    """Return a reference to a file of the running task.

    :param name: The name of the file.
    """
    return path_of(name).relative_to(_workflow_folder()).as_posix()


def resolve(reference: str) -> Path:
    """Return the path of a file of another task of the same workflow.

    :param reference: What :func:`reference` returned in that task.
    """
    return _workflow_folder() / reference


def _workflow_folder() -> Path:
    task = context.current()
    if task is not None and task.folder is not None:
        return task.folder.parent
    return _temporary_folder("" if task is None else task.workflow_id)


@cache
def _temporary_folder(workflow_id: str) -> Path:
    """Return a folder for a workflow in memory, which lives as long as this process."""
    folder = TemporaryDirectory(prefix=f"tkr-{workflow_id}-")
    _folders.append(folder)
    return Path(folder.name)


_folders: list[TemporaryDirectory[str]] = []
