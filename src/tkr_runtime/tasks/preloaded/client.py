"""The side of the executable: hand the task to the preloaded process, report its end.

This module is imported for every task before anything else, so it needs small modules
of the standard library alone. It imports others where a process must be started.

The two sides talk over a socket. The server answers with lines: ``queued``, repeated
while the task waits for its turn; ``go``, upon which the executable sends its standard
streams and the request; ``child`` with the process id of the task, which the server
has taken then; ``exit`` with its exit code, or the negative number of the signal that
ended it. A server that is silent where it should answer is stuck.
"""

import marshal
import os
import select
import signal
import socket
import struct
import sys
import time
from contextlib import closing, suppress

from tkr_runtime.locks import open_lock, try_lock
from tkr_runtime.tasks.preloaded.identity import (
    WorkerFolder,
    environment_of_server,
    identity,
    is_wanted,
    socket_folder,
)

_SERVER = "tkr_runtime.tasks.preloaded.server"
_LAUNCHER = os.path.join(os.path.dirname(__file__), "launcher.py")  # noqa: PTH118, PTH120
_START_SECONDS = 30.0
_POLL_SECONDS = 0.01
# A server that is stopped or stuck costs this long; it says several times a second
# that a task is queued.
_ANSWER_SECONDS = 2.0
_KILL_SECONDS = 5.0


def run(
    argv: list[str], package: str, env_prefix: str, worker: WorkerFolder | None = None
) -> int | None:
    """Run the worker in a fork of the preloaded process, which is started if needed.

    :param argv: The arguments of the worker.
    :param package: The package of the worker.
    :param env_prefix: The prefix of its environment variables.
    :param worker: The folder of the worker; None for the worker of a cloud.
    :returns: The exit code; None if the worker did not run, so that this process must
        run it.
    """
    if not is_wanted(env_prefix):
        return None
    folder = socket_folder(package)
    digest = None if folder is None else identity(package, env_prefix, worker)
    if folder is None or digest is None:
        return None
    name = os.path.join(folder, digest.hex()[:16])  # noqa: PTH118
    try:
        request = _request(argv)
        connection = _connect(name)
        if connection is None and not _is_refused(name):
            command = _command(name, package, worker)
            environment = environment_of_server(env_prefix, worker)
            connection = _start(folder, name, command, environment)
            if connection is None:
                _is_refused(name)
    except OSError:
        return None
    if connection is None:
        return None
    with closing(connection):
        if not _wait_for_turn(connection):
            return None
        return _run_remotely(connection, request, name)


def _request(argv: list[str]) -> bytes:
    """Return all that a fork takes over from this process."""
    umask = os.umask(0)
    os.umask(umask)
    cwd = os.getcwd()  # noqa: PTH109
    return marshal.dumps(
        {"argv": argv, "cwd": cwd, "env": dict(os.environ), "umask": umask}
    )


def _connect(name: str) -> socket.socket | None:
    """Connect to the preloaded process; return None if there is none.

    :raises OSError: If there is one that cannot be used.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(_ANSWER_SECONDS)
    try:
        connection.connect(f"{name}.sock")
        _check_namespace(connection)
    except (FileNotFoundError, ConnectionError):
        connection.close()
        return None
    except OSError:
        connection.close()
        raise
    return connection


def _check_namespace(connection: socket.socket) -> None:
    """Check that process ids of the server mean the same here.

    :raises OSError: If it is in another PID namespace, or that cannot be seen.
    """
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid, uid, _ = struct.unpack("3i", credentials)
        spaces = {os.readlink(f"/proc/{it}/ns/pid") for it in ("self", pid)}  # noqa: PTH115
        if uid != os.getuid() or len(spaces) != 1:
            raise OSError("the preloaded process is in another namespace")


def _is_refused(name: str) -> bool:
    """Report why a preloaded process cannot run this worker, if one has found out."""
    try:
        with open(f"{name}.cold") as file:  # noqa: PTH123
            sys.stderr.write(f"task: {file.read()}\n")
    except FileNotFoundError:
        return False
    return True


def _command(name: str, package: str, worker: WorkerFolder | None) -> list[str]:
    """Return the command of a preloaded process."""
    if worker is None:
        return [sys.executable, "-m", _SERVER, name, package]
    return [
        sys.executable, _LAUNCHER, "--serve", name, worker.path, *worker.variables
    ]  # fmt: skip


def _start(
    folder: str, name: str, command: list[str], environment: dict[str, str]
) -> socket.socket | None:
    """Start the preloaded process, unless another has just done so, and connect.

    The process holds the lock as long as it lives. Of many executables that find no
    process at once, only the first starts one.
    """
    deadline = time.monotonic() + _START_SECONDS
    lock = open_lock(f"{name}.lock")
    try:
        if try_lock(lock):
            _spawn(folder, name, lock, command, environment)
    finally:
        os.close(lock)
    while time.monotonic() < deadline:
        connection = _connect(name)
        if connection is not None:
            return connection
        time.sleep(_POLL_SECONDS)
        # Opened anew each time, so that a lock taken here is freed at once.
        lock = open_lock(f"{name}.lock")
        try:
            if try_lock(lock):
                return None  # it could not start, or has just ended
        finally:
            os.close(lock)
    return None


def _spawn(
    folder: str, name: str, lock: int, command: list[str], environment: dict[str, str]
) -> None:
    import subprocess

    for ending in (".sock", ".log"):
        with suppress(FileNotFoundError):
            os.unlink(name + ending)  # noqa: PTH108
    with open(f"{name}.log", "xb", opener=_open_private) as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=folder,  # comes first in the module path, and has no modules
            start_new_session=True,
            pass_fds=(lock,),
        )


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _wait_for_turn(connection: socket.socket) -> bool:
    """Wait until the server has a slot for the task; return False if it is stuck."""
    answers = b""
    try:
        while not answers.endswith(b"go\n"):
            received = connection.recv(64)
            if not received:
                return False
            answers = answers[-8:] + received
    except OSError:
        return False
    return True


def _run_remotely(connection: socket.socket, request: bytes, name: str) -> int | None:
    """Send the task and wait for its end.

    :returns: The exit code; None if the task did not run or does not run any more, or
        has ended and nobody says how.
    """
    size = len(request).to_bytes(4, "little")
    child = 0
    answers = b""
    try:
        socket.send_fds(connection, [size], [0, 1, 2])
        connection.sendall(request)
        while answer := connection.recv(64):
            answers += answer
            while b"\n" in answers:
                line, answers = answers.split(b"\n", 1)
                word, number = line.split()
                if word == b"exit":
                    return _end_as(int(number))
                child = int(number)
                _wait_for_end(child, connection)
    except OSError:
        pass
    if child:
        _kill(child, name)
    return None


def _wait_for_end(child: int, connection: socket.socket) -> None:
    """Wait until a task has ended or its server speaks; then the server must answer."""
    if sys.platform != "linux":
        connection.settimeout(None)
        return
    with suppress(ProcessLookupError):
        task = os.pidfd_open(child)
        try:
            select.select([task, connection.fileno()], [], [])
        finally:
            os.close(task)


def _end_as(code: int) -> int:
    """Return an exit code, or die by the signal by which the task died."""
    if code < 0:
        with suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _kill(child: int, name: str) -> None:
    """Kill a task whose server died, before this process starts the task again.

    In a container a dead process may remain indefinitely, if nobody asks how it ended.
    """
    deadline = time.monotonic() + _KILL_SECONDS
    with suppress(OSError):
        while time.monotonic() < deadline and _is_task(child, name):
            os.kill(child, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


def _is_task(process: int, name: str) -> bool:
    """Return whether a process is a fork of our server, and not a later stranger."""
    if sys.platform != "linux":
        return True
    with open(f"/proc/{process}/cmdline", "rb") as file:  # noqa: PTH123
        return os.fsencode(name) in file.read().split(b"\0")
