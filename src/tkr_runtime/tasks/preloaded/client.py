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
    name = socket_name(package, env_prefix, worker)
    if name is None:
        return None
    try:
        request = _request(argv)
        connection = connect(name)
        if connection is None and not _is_refused(name):
            command = _command(name, package, worker)
            environment = environment_of_server(env_prefix, worker)
            connection = _start(name, command, environment)
            if connection is None:
                _is_refused(name)
    except OSError:
        return None
    if connection is None:
        return None
    with closing(connection):
        if not wait_for_turn(connection):
            return None
        code = run_remotely(connection, request, [0, 1, 2], name)
    return None if code is None else _end_as(code)


def preload(package: str, env_prefix: str) -> None:
    """Start the preloaded process of a cloud's worker, unless there is one already.

    :param package: The package of the worker.
    :param env_prefix: The prefix of its environment variables.
    """
    name = socket_name(package, env_prefix) if is_wanted(env_prefix) else None
    if name is not None:
        command = _command(name, package, None)
        with suppress(OSError):  # a task that needs it reports this
            _spawn_if_none(name, command, environment_of_server(env_prefix))


def socket_name(
    package: str, env_prefix: str, worker: WorkerFolder | None = None
) -> str | None:
    """Return the path of the socket of a preloaded process, without its ending.

    :param package: The package of the worker.
    :param env_prefix: The prefix of its environment variables.
    :param worker: The folder of the worker; None for the worker of a cloud.
    :returns: The path; None if no preloaded process may run tasks of this one.
    """
    folder = socket_folder(package)
    digest = None if folder is None else identity(package, env_prefix, worker)
    if folder is None or digest is None:
        return None
    return os.path.join(folder, digest.hex()[:16])  # noqa: PTH118


def _request(argv: list[str]) -> bytes:
    """Return all that a fork takes over from this process."""
    umask = os.umask(0)
    os.umask(umask)
    cwd = os.getcwd()  # noqa: PTH109
    return task_request(argv, cwd, dict(os.environ), umask)


def task_request(
    argv: list[str],
    cwd: str,
    env: dict[str, str],
    umask: int,
    *,
    outlives_client: bool = False,
) -> bytes:
    """Return all that a fork takes over from the process that asks for a task.

    :param argv: The arguments of the worker.
    :param cwd: The working directory.
    :param env: The environment.
    :param umask: The mask for the rights of new files.
    :param outlives_client: Whether the task goes on if the client ends.
    """
    return marshal.dumps(
        {
            "argv": argv,
            "cwd": cwd,
            "env": env,
            "umask": umask,
            "outlives_client": outlives_client,
        }
    )


def connect(name: str) -> socket.socket | None:
    """Connect to a preloaded process.

    :param name: The path of its socket, without its ending.
    :returns: The connection; None if there is no such process.
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
    name: str, command: list[str], environment: dict[str, str]
) -> socket.socket | None:
    """Start the preloaded process, unless another has just done so, and connect."""
    deadline = time.monotonic() + _START_SECONDS
    _spawn_if_none(name, command, environment)
    while time.monotonic() < deadline:
        connection = connect(name)
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


def _spawn_if_none(name: str, command: list[str], environment: dict[str, str]) -> None:
    """Start the preloaded process, unless another has done so.

    The process holds the lock as long as it lives. Of many executables that find no
    process at once, only the first starts one.
    """
    lock = open_lock(f"{name}.lock")
    try:
        if try_lock(lock):
            _spawn(name, lock, command, environment)
    finally:
        os.close(lock)


def _spawn(
    name: str, lock: int, command: list[str], environment: dict[str, str]
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
            # It comes first in the module path, and has no modules.
            cwd=os.path.dirname(name),  # noqa: PTH120
            start_new_session=True,
            pass_fds=(lock,),
        )


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def wait_for_turn(connection: socket.socket) -> bool:
    """Wait until the server has a slot for a task.

    :param connection: The connection to it.
    :returns: False if it is stuck.
    """
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


def run_remotely(
    connection: socket.socket, request: bytes, streams: list[int], name: str
) -> int | None:
    """Send a task and wait for its end.

    :param connection: The connection to the preloaded process, which has a slot.
    :param request: What :func:`task_request` returns.
    :param streams: The file descriptors of the standard streams of the task.
    :param name: The path of the socket, without its ending.
    :returns: The exit code, or the negative number of the signal that ended the task;
        None if it did not run or does not run any more, or has ended and nobody says
        how.
    """
    size = len(request).to_bytes(4, "little")
    child = 0
    answers = b""
    try:
        socket.send_fds(connection, [size], streams)
        connection.sendall(request)
        while answer := connection.recv(64):
            answers += answer
            while b"\n" in answers:
                line, answers = answers.split(b"\n", 1)
                word, number = line.split()
                if word == b"exit":
                    return int(number)
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
            events = select.poll()
            events.register(task, select.POLLIN)
            events.register(connection, select.POLLIN)
            events.poll()
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
