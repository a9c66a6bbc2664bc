"""The side of an executor: hand tasks to preloaded processes without executables.

An executable that only passes a task on takes as long to start as many tasks take to
run. An executor therefore asks an interpreter, once for each worker, which preloaded
process an executable would use, and then talks to that process itself. As with an
executable, the task goes on if the executor ends.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import NamedTuple

from tkr_runtime.tasks.preloaded.client import (
    connect,
    run_remotely,
    task_request,
    wait_for_turn,
)
from tkr_runtime.tasks.preloaded.identity import inherited_state, umask

# Each takes open files of this process; further tasks have executables.
_MOST_TASKS = 64
_PROBE_SECONDS = 60.0
_REPEAT_PROBE_SECONDS = 10.0
# What a task started in the background may keep its output open.
_LOG_SECONDS = 1.0


class Task(NamedTuple):
    """A task for a preloaded process.

    :param definition: Its definition, relative to the directory of the storage.
    :param folder: The folder of its worker, in which it runs.
    :param environment: Its environment.
    :param logs: The files to which its output is appended.
    """

    definition: str
    folder: Path
    environment: dict[str, str]
    logs: list[str]


@dataclass
class _Socket:
    """The socket of a preloaded process.

    :param name: Its path, without its ending; empty if none may be used.
    :param conditions: What this process had when the path was found.
    :param found: When that was, in seconds of the monotonic clock.
    :param was_used: Whether there was a process.
    """

    name: str
    conditions: object
    found: float
    was_used: bool = False


class HandOver:
    """Hands tasks to preloaded processes that are running."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        """The definitions of the tasks that were handed over and have not ended."""
        self._places = threading.BoundedSemaphore(_MOST_TASKS)
        self._sockets: dict[tuple[str, ...], _Socket] = {}

    def start(
        self, task: Task, probe: list[str], on_end: Callable[[int | None], None]
    ) -> bool:
        """Hand a task over, if a preloaded process can take it.

        :param task: The task.
        :param probe: The command that prints the path of the socket.
        :param on_end: Called in another thread, with the exit code of the task, or
            with None if the task did not run.
        :returns: Whether it was handed over.
        """
        mask = umask()
        if mask is None or not self._places.acquire(blocking=False):
            return False
        name = self._name(task, probe)
        connection = self._connect(name, tuple(probe))
        if connection is None:
            self._places.release()
            return False
        request = task_request(
            [task.definition],
            str(task.folder),
            {**task.environment, "PWD": str(task.folder)},
            mask,
            outlives_client=True,
        )

        def run() -> None:
            try:
                with closing(connection):
                    _run(connection, request, task.logs, name, on_end)
            finally:
                self._places.release()
                self.running.discard(task.definition)

        self.running.add(task.definition)
        threading.Thread(target=run, name=task.definition, daemon=True).start()
        return True

    def _connect(self, name: str, probe: tuple[str, ...]) -> socket | None:
        """Connect to a preloaded process; return None if there is none."""
        try:
            connection = connect(name) if name else None
        except OSError:
            connection = None
        known = self._sockets[probe]
        if connection is not None:
            known.was_used = True
        elif known.was_used or time.monotonic() - known.found > _REPEAT_PROBE_SECONDS:
            # What is installed may have changed, and with it the path.
            del self._sockets[probe]
        return connection

    def _name(self, task: Task, probe: list[str]) -> str:
        """Return the path of the socket; empty if no preloaded process may be used."""
        conditions = (task.environment, inherited_state())
        known = self._sockets.get(tuple(probe))
        if known is None or known.conditions != conditions:
            known = _Socket(_probe(task, probe), conditions, time.monotonic())
            self._sockets[tuple(probe)] = known
        return known.name


def _probe(task: Task, command: list[str]) -> str:
    try:
        answer = subprocess.run(
            command,
            cwd=task.folder,
            env=task.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return ""  # the executable says what is wrong
    return answer.stdout.strip()


def _run(
    connection: socket,
    request: bytes,
    logs: list[str],
    name: str,
    on_end: Callable[[int | None], None],
) -> None:
    """Run a task and report its end."""
    code = None
    try:
        if not wait_for_turn(connection):
            return
        tee = subprocess.Popen(
            ["tee", "-a", *logs],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with tee, open(os.devnull) as nothing:  # noqa: PTH123
            assert tee.stdin is not None  # noqa: S101
            output = tee.stdin.fileno()
            streams = [nothing.fileno(), output, output]
            code = run_remotely(connection, request, streams, name)
            tee.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                tee.wait(_LOG_SECONDS)
    finally:
        on_end(code)
