"""The processes that run tasks of a workflow."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from tierkreis.controller.data.location import Loc
from tierkreis.controller.storage.protocol import ControllerStorage

from tkr_runtime.tasks.task_lock import read_claim
from tkr_runtime.workflows.nodes import unfinished_nodes

_PROC = Path("/proc")


def live_tasks(
    storage: ControllerStorage, among: Iterable[Loc] | None = None
) -> set[Loc]:
    """Find the tasks of a workflow that a process runs, here or on another machine.

    Of other machines only what holds its claim on a file system with shared locks is
    seen. A task that ends while this looks may be listed; one that is not listed and is
    found unfinished later does not run.

    :param storage: The storage of the workflow.
    :param among: The tasks whose claims are read; by default all that are unfinished.
    :returns: The locations of the tasks.
    """
    claimed = {
        loc
        for loc in (unfinished_nodes(storage) if among is None else among)
        if (claim := read_claim(storage.workflow_dir / loc)) and claim.is_held
    }
    # The executable passes the task on to a fork, and ends after it.
    return claimed | running_tasks(storage.workflow_id)


def running_tasks(workflow_id: UUID) -> set[Loc]:
    """Find the tasks of a workflow that a process of this machine is running.

    Every executor, and Tierkreis itself for its builtin tasks, names the task to its
    worker by the argument ``<workflow>/<location>/definition``.

    :param workflow_id: The workflow.
    :returns: The locations of the tasks.
    """
    argument = re.compile(rf"{re.escape(str(workflow_id))}/(-[^/\s]*)/definition\b")
    return {
        Loc(match[1]) for command in _commands() for match in argument.finditer(command)
    }


def _commands() -> Iterable[str]:
    """Return the command line of each process."""
    if not (_PROC / "self" / "cmdline").exists():  # as on macOS
        listing = ["ps", "-A", "-ww", "-o", "args="]
        result = subprocess.run(listing, capture_output=True, text=True, check=True)
        return result.stdout.splitlines()
    return [_command(path) for path in _PROC.glob("[0-9]*/cmdline")]


def _command(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # the process has just ended
        return ""
