"""The processes of this machine that run tasks of a workflow."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from tierkreis.controller.data.location import Loc

_PROC = Path("/proc")


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
