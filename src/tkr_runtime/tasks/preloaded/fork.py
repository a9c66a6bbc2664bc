"""The life of one task in a fork of the preloaded process."""

import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING, TextIO, cast

from tkr_runtime.tasks import concurrency

if TYPE_CHECKING:
    from tkr_runtime.tasks.preloaded.server import Program


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
    return code


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
