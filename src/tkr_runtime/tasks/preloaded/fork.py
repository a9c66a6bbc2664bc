"""The life of one task in a fork of the preloaded process."""

import logging
import os
import socket
import sys
import traceback
from typing import TextIO, cast

from tierkreis.worker.storage.filestorage import WorkerFileStorage

from tkr_runtime.cloud import Cloud
from tkr_runtime.tasks import concurrency, program


def preload(cloud: Cloud) -> None:
    """Import the worker, and what tasks import only when they need it.

    :param cloud: The cloud of the worker.
    """
    import tierkreis.worker.worker  # noqa: F401

    cloud.load_all()


def run_task(cloud: Cloud, argv: list[str], slot: int) -> int:
    """Run the worker as its own process would, and return the exit code.

    :param cloud: The cloud of the worker.
    :param argv: The arguments of the worker.
    :param slot: A socket, whose end releases the slot of the task.
    """
    sys.stdin, sys.stdout = _open(0, "r"), _open(1, "w")
    sys.stderr = _open(2, "w", buffering=1, errors="backslashreplace")
    sys.argv = [sys.argv[0], *argv]
    cloud.read_environment_again()
    cloud.load_worker().storage = WorkerFileStorage()
    slot_socket = socket.socket(fileno=slot)
    concurrency.hold_slot(slot_socket.close)
    try:
        code = program.run(argv, cloud)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
    except BaseException:  # noqa: BLE001 (as the interpreter does when it ends)
        traceback.print_exc()
        code = 1
    logging.shutdown()
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
