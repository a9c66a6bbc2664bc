"""The preloaded processes of the worker, as the tests find them."""

import psutil


def preloaded_processes(folder: object) -> list[psutil.Process]:
    """Find those that have their sockets in a folder, without their forks."""
    found = [
        process
        for process in psutil.process_iter(["cmdline", "ppid"])
        if any(str(folder) in word for word in (process.info["cmdline"] or [])[1:])
    ]
    pids = {process.pid for process in found}
    return [process for process in found if process.info["ppid"] not in pids]


def kill(processes: list[psutil.Process]) -> None:
    """Kill processes, some of which may have ended."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
