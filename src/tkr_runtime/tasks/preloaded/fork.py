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
    """Import the worker, and what tasks import where they need it.

    :param cloud: The cloud of the worker.
    """
    import tierkreis.worker.worker  # noqa: F401

    cloud.load_worker()


def run_task(cloud: Cloud, argv: list[str], news: int) -> int:
    """Run the worker as a process of its own would, and return its exit code.

    :param cloud: The cloud of the worker.
    :param argv: The arguments of the worker.
    :param news: A socket, to tell the server that the task only waits from now on.
    """
    sys.stdin, sys.stdout = _open(0, "r"), _open(1, "w")
    sys.stderr = _open(2, "w", buffering=1, errors="backslashreplace")
    sys.argv = [sys.argv[0], *argv]
    cloud.read_environment_again()
    cloud.load_worker().storage = WorkerFileStorage()
    channel = socket.socket(fileno=news)
    concurrency.hold_slot(channel.close)
    try:
        code = program.run(argv, cloud)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
    except BaseException:  # noqa: BLE001 (as the interpreter itself does at its end)
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
