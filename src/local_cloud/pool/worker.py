"""The process itself: takes requests from a connection until that is closed.

The process splits in two before it loads anything. The first half, the guard, only
waits; the second one simulates. When standard input of the guard ends, because the
pool closed it or because the pool's process died in any way, the guard kills the
simulating half and whatever that has started. It can do so in the middle of a
simulation, which a thread inside the simulating process could not: simulators hold
Python's global lock while they compute.
"""

import argparse
import contextlib
import importlib
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from local_cloud.pool.isolation import isolate

STDIN = 0

SIGNAL_BASE = 128
"""The process ends with this plus the signal's number if a signal ended its simulating
half, as a shell does."""


def guard(simulator: int, life_line: int, files: str) -> NoReturn:
    """Wait for the end of the simulator or of the pool, and leave nothing behind.

    :param simulator: Process id of the simulating half, leader of its process group.
    :param life_line: A descriptor that reaches its end when the simulator ends.
    :param files: The directory of the simulator's temporary files.
    """
    select.select([STDIN, life_line], [], [])
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(simulator, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(simulator, 0)[1])
    shutil.rmtree(files, ignore_errors=True)
    os._exit(code if code >= 0 else SIGNAL_BASE - code)


def split() -> Path:
    """Fork into guard and simulator; only the simulator returns.

    :returns: The folder for its temporary files.
    """
    files = tempfile.mkdtemp(prefix="simulator_")
    life_line, held_by_simulator = os.pipe()
    simulator = os.fork()
    if simulator:
        with contextlib.suppress(PermissionError, ProcessLookupError):
            os.setpgid(simulator, simulator)
        os.close(held_by_simulator)
        guard(simulator, life_line, files)
    os.setpgid(0, 0)
    os.close(life_line)
    # For this process, and for the programs that it starts.
    tempfile.tempdir = os.environ["TMPDIR"] = files
    # The pool alone decides over standard input of the guard.
    os.dup2(os.open(os.devnull, os.O_RDONLY), STDIN)
    return Path(files)


def limit_memory(limit: int) -> None:
    """Limit the private memory of this process and those that it starts, in bytes."""
    _soft, highest = resource.getrlimit(resource.RLIMIT_DATA)
    if highest != resource.RLIM_INFINITY:
        limit = min(limit, highest)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def serve(connection: Connection, handler: str, arguments: list[str]) -> None:
    """Answer requests until the other end is closed.

    :param handler: ``module:function`` that makes the outcome of a request.
    :param arguments: What the function takes after the request.
    """
    module, function = handler.split(":")
    handle = getattr(importlib.import_module(module), function)
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        connection.send(handle(request, *arguments))


def main(arguments: list[str]) -> None:
    """Run the process; see ``--help`` for its arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("descriptor", type=int, help="connection to the pool")
    parser.add_argument("memory_limit", type=int, help="bytes of private memory")
    parser.add_argument("--private", action="append", default=[], type=Path)
    parser.add_argument("handler", metavar="MODULE:FUNCTION")
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args(arguments)
    # Both halves get an interrupt typed at a terminal; the pool ends them in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    files = split()
    limit_memory(options.memory_limit)
    connection = Connection(options.descriptor)
    module = options.handler.partition(":")[0]
    needed = [Path(argument) for argument in options.arguments]
    connection.send(isolate(files, module, needed, options.private))
    # Only now: the guard has no use for what this imports.
    serve(connection, options.handler, options.arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
