"""The executable's side: hand the task to the preloaded process, relay the outcome.

This module is imported for every task before anything else: it keeps to small modules
of the standard library, and imports others where a process must be started.
"""

import fcntl
import marshal
import os
import signal
import socket
import sys
import time
from contextlib import closing, suppress

from tkr_runtime.tasks.preloaded.identity import (
    environment_of_server,
    identity,
    is_wanted,
    private_folder,
)

_SERVER = "tkr_runtime.tasks.preloaded.server"
_START_SECONDS = 30.0
_LOOK_SECONDS = 0.01
_END_SECONDS = 5.0


def run(argv: list[str], package: str, env_prefix: str) -> int | None:
    """Run the worker in a fork of the preloaded process, which is started if needed.

    :param argv: The arguments of the worker.
    :param package: The package of the worker.
    :param env_prefix: What the names of its environment variables begin with.
    :returns: Its exit code; None if it was not run, so that this process has to.
    """
    if not is_wanted(env_prefix):
        return None
    folder = private_folder(package)
    if folder is None:
        return None
    name = os.path.join(folder, identity(package, env_prefix).hex()[:16])  # noqa: PTH118
    try:
        request = _request(argv)
        connection = _connect(name) or _start(folder, name, package, env_prefix)
    except OSError:
        return None
    if connection is None:
        return None
    with closing(connection):
        return _relay(connection, request)


def _request(argv: list[str]) -> bytes:
    """Return all that a fork has to take over from this process."""
    umask = os.umask(0)
    os.umask(umask)
    cwd = os.getcwd()  # noqa: PTH109
    return marshal.dumps(
        {"argv": argv, "cwd": cwd, "env": dict(os.environ), "umask": umask}
    )


def _connect(name: str) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(f"{name}.sock")
    except (FileNotFoundError, ConnectionError):
        connection.close()
        return None
    return connection


def _start(
    folder: str, name: str, package: str, env_prefix: str
) -> socket.socket | None:
    """Start the preloaded process, unless another has just done so, and connect.

    The process holds the lock as long as it lives; only the first of many executables
    that miss it at once starts one.
    """
    deadline = time.monotonic() + _START_SECONDS
    lock = os.open(f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if _take(lock):
            _spawn(folder, name, lock, package, env_prefix)
    finally:
        os.close(lock)
    while time.monotonic() < deadline:
        connection = _connect(name)
        if connection is not None:
            return connection
        time.sleep(_LOOK_SECONDS)
        # Reopened each time: a lock taken here must not outlive this look.
        lock = os.open(f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if _take(lock):
                return None  # it could not start, or has just ended
        finally:
            os.close(lock)
    return None


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _spawn(folder: str, name: str, lock: int, package: str, env_prefix: str) -> None:
    import subprocess

    with suppress(FileNotFoundError):
        os.unlink(f"{name}.sock")  # noqa: PTH108
    with open(f"{name}.log", "wb", opener=_open_private) as log:
        subprocess.Popen(
            [sys.executable, "-m", _SERVER, name, package],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment_of_server(env_prefix),
            cwd=folder,  # comes first in the module path, and has no modules
            start_new_session=True,
            pass_fds=(lock,),
        )


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _relay(connection: socket.socket, request: bytes) -> int | None:
    """Send the task and wait for its end.

    :returns: The exit code; None if the task has not run or does not run any more.
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
    except OSError:
        pass
    if child:
        _make_sure_of_the_end(child)
    return None


def _end_as(code: int) -> int:
    """Return an exit code, or die by the signal by which the task died."""
    if code < 0:
        with suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _make_sure_of_the_end(child: int) -> None:
    """End a task whose server died, before this process starts it afresh.

    In a container, the dead may stay for ever, because nobody asks how they ended.
    """
    deadline = time.monotonic() + _END_SECONDS
    with suppress(OSError):
        while time.monotonic() < deadline:
            os.kill(child, signal.SIGKILL)
            time.sleep(_LOOK_SECONDS)
