"""The preloaded processes of the worker, as the tests find them."""

from pathlib import Path

import psutil

from tkr_runtime.tasks.task_lock import read_owner


def preloaded_processes(folder: object) -> list[psutil.Process]:
    """Find those that have their sockets in a folder, without their forks."""
    found = [
        process
        for process in psutil.process_iter(["cmdline", "ppid"])
        if any(str(folder) in word for word in (process.info["cmdline"] or [])[1:])
    ]
    pids = {process.pid for process in found}
    return [process for process in found if process.info["ppid"] not in pids]


def workers(workflow: Path) -> list[psutil.Process]:
    """Find the processes that run tasks of a workflow."""
    owners = [read_owner(claim.parent) for claim in workflow.glob("*/_claim")]
    return [
        psutil.Process(owner.pid)
        for owner in owners
        if owner and owner.is_alive and owner.pid
    ]


def kill(processes: list[psutil.Process]) -> None:
    """Kill processes, some of which may have ended."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
