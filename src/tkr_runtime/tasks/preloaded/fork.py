"""The life of a fork of the preloaded process, which runs one task or several."""

import contextvars
import marshal
import os
import socket
import sys
import threading
import traceback
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

from tkr_runtime.tasks import concurrency

if TYPE_CHECKING:
    from tkr_runtime.tasks.preloaded.server import Program


_N_STREAMS = 3
_THREAD_SECONDS = 0.05


def run_task(program: "Program", argv: list[str], slot: int) -> int:
    """Run the worker as its own process would, and return the exit code.

    :param program: The worker.
    :param argv: The arguments of the worker.
    :param slot: A socket, whose end releases the slot of the task.
    """
    sys.stdin, sys.stdout = _open(0, "r"), _open(1, "w")
    sys.stderr = _open(2, "w", buffering=1, errors="backslashreplace")
    slot_socket = socket.socket(fileno=slot)
    concurrency.hold_slot(slot_socket.close)
    try:
        code = program.run(argv)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
    except BaseException:  # noqa: BLE001 (as the interpreter does when it ends)
        traceback.print_exc()
        code = 1
    program.end()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    slot_socket.close()
    return code


def run_tasks(
    program: "Program",
    request: dict[str, Any],
    slot: int,
    client: int,
    control: socket.socket,
) -> int:
    """Run a task, then others that the server sends, until one fails or none comes.

    :param program: The worker.
    :param request: The first task, whose streams are those of this process.
    :param slot: Its socket for the slot.
    :param client: The connection to its client.
    :param control: The connection to the server.
    :returns: The exit code of the last task.
    """
    code = _run(program, request, slot)
    while code == 0 and program.fork_seconds and _has_one_thread():
        nothing = os.open(os.devnull, os.O_RDWR)
        for target in range(_N_STREAMS):
            os.dup2(nothing, target)
        os.close(nothing)
        control.sendall(b"0")
        _report_end(client)
        received, files, _, _ = socket.recv_fds(control, 4, _N_STREAMS + 2)
        if len(files) != _N_STREAMS + 2:
            break  # the server has ended this process, or has ended
        size = int.from_bytes(received, "little")
        request = marshal.loads(_receive(control, size))  # noqa: S302 (same user)
        *streams, slot, client = files
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        os.chdir(request["cwd"])
        code = _run(program, request, slot)
    return code


def _run(program: "Program", request: dict[str, Any], slot: int) -> int:
    context = contextvars.Context()
    return context.run(run_task, program, request["argv"], slot)


def _report_end(client: int) -> None:
    """Tell a client that its task is done, even if the server is stopped."""
    with closing(socket.socket(fileno=client)) as connection, suppress(OSError):
        connection.sendall(b"exit 0\n")


def _has_one_thread() -> bool:
    """Return whether a task has left no thread, or none that does not end at once."""
    others = {*threading.enumerate()} - {threading.main_thread()}
    others.difference_update(concurrency.watchers())
    for thread in others:
        thread.join(_THREAD_SECONDS)
    return not any(thread.is_alive() for thread in others)


def _receive(connection: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        piece = connection.recv(size - len(received))
        if not piece:
            raise EOFError("the server has ended")
        received += piece
    return bytes(received)


def _open(
    descriptor: int, mode: str, buffering: int | None = None, errors: str | None = None
) -> TextIO:
    """Open a standard stream as the interpreter does when it starts."""
    if buffering is None:
        buffering = 1 if os.isatty(descriptor) else -1
    stream = open(  # noqa: SIM115
        descriptor, mode, buffering, errors=errors, closefd=False
    )
    return cast("TextIO", stream)
